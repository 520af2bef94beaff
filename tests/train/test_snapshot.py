"""What is found inside networks agrees with what is measured outside."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
import pytest

from phasegrok import models
from phasegrok.measure.accuracies import exact_accuracies
from phasegrok.models.frozen.saved import named
from phasegrok.plan.layout import size_chunks
from phasegrok.plan.plan import plan
from phasegrok.tasks import Size
from phasegrok.train import snapshot
from phasegrok.train.engine import Engine
from phasegrok.train.memory import least_bytes, machine
from phasegrok.train.state import Record, init, run_params_shapes
from tests.conftest import MakeSweep

MEASURE = """
data: {data_fraction: 0.7, corruption_fraction: 0.3}
axes: {optimizer.weight_decay: [0, 1, 3]}
measure: {spectra: true, pruning: [lowest, highest, random], logits: 6, rows: 2}
"""


def trained(make_sweep: MakeSweep, *sets: str) -> tuple[Engine, dict[str, np.ndarray], Record]:
    """Arrays of a snapshot and the last measurement of three small trained networks."""
    sweep = make_sweep(MEASURE, *sets)
    grid = plan(sweep, machine())
    job = size_chunks(sweep, grid.jobs[0], machine(), least_bytes)
    engine = Engine(job.program, job.layout)
    state, table, _ = engine.begin(grid.run_params(np.resize(job.runs, job.layout.chunk)))
    for _ in range(job.program.intervals // job.layout.intervals):
        state, records = engine.segment(state, table)
    found = engine.snapshot(state, table)
    # The state outlives the snapshot: training may go on from it.
    outputs = jax.vmap(
        lambda s, t: models.of(job.program.experiment).apply(
            s.params, s.model_state, models.Pass(t.inputs, np.arange(49, dtype=np.int32))
        )[0]
    )(jax.tree.map(np.asarray, state), jax.tree.map(np.asarray, table))
    found["outputs"] = np.asarray(outputs)
    found["table.noise"] = np.asarray(table.corrupted_label)
    found["table.label"] = np.asarray(table.label)
    return engine, found, {k: np.asarray(v)[:, -1] for k, v in records.items()}


@pytest.mark.parametrize("kind", ["map", "vmap"])
def test_snapshots_agree_with_measurements(make_sweep: MakeSweep, kind: str) -> None:
    """Nothing pruned is the network itself: accuracies and losses are those of ``curves``, and mean
    IPR is the mean of the neurons'; all orders end in the same network without neurons. The logits
    are the network's outputs on the first examples whose shown label is wrong."""
    engine, found, record = trained(make_sweep, f"engine.mapping={kind}")
    program = engine.program
    assert set(snapshot.shapes(program)) <= set(found)
    counted = {name: record[name][:, None] for name in ("n_train", "n_corrupted")}
    for order in ("lowest", "highest", "random"):
        curve = {
            name.rpartition(".")[2]: values
            for name, values in found.items()
            if name.startswith(f"pruning.{order}.")
        }
        exact = exact_accuracies({**curve, **counted}, Size(49))
        last = exact_accuracies(record, Size(49))
        for name in set(exact) - {"true_accuracy", *counted}:
            np.testing.assert_allclose(exact[name][:, 0], last[name], rtol=1e-4, err_msg=name)
        right = exact["train_accuracy"][:, -1], exact["true_accuracy"][:, -1]
        assert not np.any(right)
        np.testing.assert_allclose(curve["test_loss"][:, -1], 1 / 7, rtol=1e-5)
    alive = np.where(found["neurons.hidden.dead"], np.nan, found["neurons.hidden.ipr"])
    np.testing.assert_allclose(np.nanmean(alive, axis=1), record["mean_ipr"], rtol=1e-4)

    n_corrupted = int(record["n_corrupted"][0])
    for i in range(3):
        noise, label = found["table.noise"][i], found["table.label"][i]
        wrong = np.flatnonzero((noise != label)[:n_corrupted])[:6]
        np.testing.assert_array_equal(found["logits.example.row"][i][: len(wrong)], wrong)
        np.testing.assert_allclose(
            found["logits.example.outputs"][i][: len(wrong)], found["outputs"][i][wrong], atol=1e-5
        )


def test_activations_and_readout(make_sweep: MakeSweep) -> None:
    """Their product is the network's outputs on the first examples, which are those of the table;
    those beyond the training set are marked."""
    _, found, _ = trained(make_sweep, "measure.activations=40", "measure.readout=true")
    found = {name: values[:3] for name, values in found.items()}
    activation, weights = found["activations.example.activation"], found["readout.output.weight"]
    assert activation.shape == (3, 40, 12) and weights.shape == (3, 12, 7)
    np.testing.assert_allclose(activation @ weights, found["outputs"][:, :40], atol=1e-5)
    np.testing.assert_array_equal(found["activations.example.trains"].sum(axis=1), 34)
    label, shown = (found[f"activations.example.{name}_label"] for name in ("true", "shown"))
    np.testing.assert_array_equal(label, found["table.label"][:, :40])
    np.testing.assert_array_equal(shown[:, :10], found["table.noise"][:, :10])
    np.testing.assert_array_equal(shown[:, 10:], label[:, 10:])


def test_weights_by_name(make_sweep: MakeSweep) -> None:
    """Names and shapes that plain NumPy reads, one array a matrix; a deeper network has neurons in
    two layers."""
    program = (
        plan(make_sweep(MEASURE, "model.depth=3", "model.bias=true"), machine()).jobs[0].program
    )
    state = jax.eval_shape(partial(init, program), run_params_shapes(program))
    assert {name: leaf.shape for name, leaf in named(state.params, state.model_state).items()} == {
        "u": (7, 12),
        "v": (7, 12),
        "hidden.0": (12, 12),
        "w": (12, 7),
        "biases.0": (12,),
        "biases.1": (12,),
    }
    layers = {n.split(".")[1] for n in snapshot.shapes(program) if n.startswith("neurons")}
    assert layers == {"input", "output"}
