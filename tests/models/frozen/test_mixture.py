"""Two frozen networks, weighed: from saved weights to tables, and every refusal on the way."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from phasegrok import models
from phasegrok import running as runner
from phasegrok.config import Experiment, Mlp, Modular, Parity, Transformer
from phasegrok.config.run_record import RunRecord, run_record_text
from phasegrok.errors import Refusal
from phasegrok.models.base import Pass
from phasegrok.models.frozen.saved import named, restored
from phasegrok.plan.plan import plan
from phasegrok.plan.program import RunParams
from phasegrok.sweep.load import load
from phasegrok.train import step
from phasegrok.train.batches import Batch, full_batch
from phasegrok.train.losses import row_losses
from phasegrok.train.memory import machine
from phasegrok.train.state import State, init, make_table

# Batch normalization: what is frozen has running statistics too.
from tests.models.frozen.conftest import (
    FILES,
    SCALES,
    Trained,
    by_hand,
)


def test_outputs_are_the_weighed_sum(trained: Trained) -> None:
    """Of the two networks as their files alone give them, on all pairs; with and without the rows'
    weights of a training pass, which must not bring a batch's own statistics in. The product of
    features and readout is the same."""
    model = models.of(load(trained.file).base)
    _, model_state = model.init(jax.random.key(0), jnp.ones(()))
    params = {
        "memorizing": {"first": jnp.float32(0.5), "second": jnp.float32(10)},
        "generalizing": {"first": jnp.float32(-2), "second": jnp.float32(0.25)},
    }
    m, n = np.divmod(np.arange(49), 7)
    expected = 5 * by_hand(trained, "memorizing", m, n) - 0.5 * by_hand(
        trained, "generalizing", m, n
    )
    inputs, row = jnp.stack([m, n], 1), jnp.arange(49)
    for batch in (Pass(inputs, row), Pass(inputs, row, jnp.ones(49))):
        found, carried = jax.jit(partial(model.apply, batch=batch))(params, model_state)
        np.testing.assert_allclose(found, expected, atol=1e-4)
        jax.tree.map(np.testing.assert_array_equal, carried, model_state)
    features, _ = jax.jit(partial(model.penultimate, batch=batch))(params, model_state)
    np.testing.assert_allclose(features @ model.output_weights(params), found, atol=1e-4)
    assert model.matrices(params) == {"memorizing": 5, "generalizing": -0.5}


def test_only_the_four_factors_are_trained(trained: Trained) -> None:
    """Both scales are cells of one program. After a step of gradient descent from w_m1 = w_g1 = 0
    the first factors are -lr times their scale times the gradient of the loss by the weights, and
    the second ones, whose gradient is zero there, stay; after more steps those move too, and the
    frozen networks are still the files' bits."""
    grid = plan(load(trained.file), machine())
    (job,) = grid.jobs
    program, cells = job.program, grid.run_params(job.runs)

    def begin(cell: RunParams) -> tuple[State, Batch]:
        state = init(program, cell)
        return state, full_batch(program, make_table(program, cell), cell)

    states, batches = jax.jit(jax.vmap(begin))(cells)
    assert len(jax.tree.leaves(states.params)) == 4
    once = jax.jit(jax.vmap(partial(step.train_step, program)))(states, batches).params

    count = int(cells.n_train[0])
    m, n = np.asarray(batches.inputs)[0, :count].T
    outputs = {name: jnp.asarray(by_hand(trained, name, m, n)) for name in FILES}

    def loss(weights: Mapping[str, jax.Array]) -> jax.Array:
        mixed = sum(weights[name] * outputs[name] for name in FILES)
        return jnp.mean(row_losses("cross_entropy", mixed, batches.labels[0, :count]))

    slope = jax.jit(jax.grad(loss))(dict.fromkeys(FILES, jnp.zeros(())))
    scales = {"memorizing": SCALES, "generalizing": np.ones(2)}
    for name, scale in scales.items():
        np.testing.assert_allclose(once[name]["first"], -0.25 * scale * slope[name], rtol=1e-4)
        np.testing.assert_array_equal(once[name]["second"], scale)
    for run in pd.read_parquet(trained.out / "runs")["run"]:
        after = np.load(trained.out / "weights" / run / "40.npz")
        assert after["memorizing.second"] not in SCALES and after["generalizing.second"] != 1
        for name, file in FILES.items():
            for key, array in np.load(trained.weights / file).items():
                prefix = "rest." if key.startswith("rest.") else "params."
                kept = after[f"rest.{name}.{prefix}{key.removeprefix('rest.')}"]
                np.testing.assert_array_equal(kept, array)


def test_tables_of_a_mixture(trained: Trained) -> None:
    """It begins with equal outputs, a loss of log p; the norm columns are |w_mem| and |w_gen|, the
    weight norm is of the four factors; there is no IPR and so no dead neuron to count. Fast
    memorization has the larger |w_mem| from the first step on."""
    curves = pd.read_parquet(trained.out / "curves")
    start = curves[curves["step"] == 0]
    np.testing.assert_allclose(start[["train_loss", "test_loss"]], np.log(7), rtol=1e-6)
    np.testing.assert_allclose(start["weight_norm"], np.hypot(SCALES, 1), rtol=1e-6)
    assert curves["mean_ipr"].isna().all() and curves["dead_neurons"].isna().all()
    runs = pd.read_parquet(trained.out / "runs").set_index("memorizing_scale")
    for _, row in runs.iterrows():
        after = np.load(trained.out / "weights" / row["run"] / "40.npz")
        for name in FILES:
            weight = after[f"{name}.first"] * after[f"{name}.second"]
            assert row[f"norm_{name}"] == pytest.approx(abs(weight))
        factors = [after[f"{name}.{which}"] for name in FILES for which in ("first", "second")]
        assert row["weight_norm"] == pytest.approx(np.linalg.norm(factors))
    assert runs["norm_memorizing"][10] > 2 * runs["norm_memorizing"][1] > 0
    assert (runs["train_loss"] < np.log(7)).all()


def test_what_is_frozen_is_identity_and_its_place_is_not(
    trained: Trained, copied: Trained, tmp_path: Path
) -> None:
    """The same weights elsewhere: the same runs, whose results are taken up again. One number
    changed, or the two networks exchanged: other runs, and another sweep's folder."""
    old = pd.read_parquet(trained.out / "runs")["run"]
    again = runner.prepare(load(copied.file), trained.out, fresh=False)
    assert again.resumes and list(again.plan.runs["run"]) == list(old)
    exchanged = tmp_path / "exchanged.yaml"
    text = copied.file.read_text()
    exchanged.write_text(
        text.replace("10.npz", "?").replace("20.npz", "10.npz").replace("?", "20.npz")
    )
    changed = tmp_path / "changed"
    shutil.copytree(copied.weights, changed)
    arrays = dict(np.load(changed / "10.npz"))
    arrays["w"][0, 0] = np.nextafter(arrays["w"][0, 0], np.float32(9))
    np.savez(changed / "10.npz", **arrays)
    (tmp_path / "changed.yaml").write_text(text.replace(str(copied.weights), str(changed)))
    for other in (exchanged, tmp_path / "changed.yaml"):
        assert not set(plan(load(other), machine()).runs["run"]) & set(old)
        with pytest.raises(Refusal, match="other data or weights than when this folder was begun"):
            runner.prepare(load(other), trained.out, fresh=False)


def test_weights_say_what_they_are_of(trained: Trained) -> None:
    """run.json holds the run's own values, swept ones included, and parses back to them."""
    record = RunRecord.model_validate_json((trained.weights / "run.json").read_bytes())
    assert record.run == trained.weights.name and record.data == ()
    assert (record.seed, record.n_train, record.n_corrupted) == (0, 29, 5)
    origin = load(trained.weights.parents[2] / "origin.yaml")
    assert record.experiment == origin.at({"optimizer.weight_decay": 2.0})
    assert sorted(p.name for p in trained.weights.iterdir()) == ["10.npz", "20.npz", "run.json"]


def test_every_kind_of_run_can_be_described() -> None:
    """Also those without a data fraction, and whole numbers among the traced values."""
    for experiment in (
        Experiment(task=Parity(bits=9)),
        Experiment.model_validate({"event": {"kind": "at_step", "at_step": 3}}, strict=True),
        Experiment.model_validate({"train": {"epochs": 20}}, strict=True),
    ):
        row = {"run": "x", "seed": 1, "n_train": 3, "n_corrupted": 0, "init_scale": 1.0}
        row |= {"data_fraction": np.nan if experiment.task.kind == "parity" else 0.5}
        row |= {"corruption_fraction": 0.0, "dropout": 0.0, "event_value": 0.0, "at_step": 3.0}
        row |= {"event_at_step": 3.0, **experiment.optimizer.model_dump()}
        text = run_record_text(experiment, pd.Series(row), [], {})
        assert RunRecord.model_validate_json(text).experiment == experiment


@pytest.mark.parametrize(
    "config",
    [
        Mlp(width=3, depth=4, bias=True, normalization="batch"),
        Mlp(width=3, initialization="analytic"),
        Transformer(layers=2, heads=2, embedding=4, feed_forward=6),
        Transformer(heads=1, embedding=4, feed_forward=6, tied=True, normalization="none"),
    ],
)
def test_every_family_comes_back_from_its_names(config: Mlp | Transformer) -> None:
    """No two leaves share a name, and every array comes back to the leaf whose name it has, in
    whatever order the file holds them."""
    model = models.build(config, Modular(modulus=5))
    shapes = jax.eval_shape(lambda: model.init(jax.random.key(1), jnp.ones(())))
    names = named(*shapes)
    assert len(names) == len(jax.tree.leaves(shapes))
    arrays = {
        name: np.full(leaf.shape, i, np.float32)
        for i, (name, leaf) in reversed(list(enumerate(names.items())))
    }
    back = restored(shapes, arrays)
    assert jax.tree.structure(back) == jax.tree.structure(shapes)
    assert {name: leaf.max() for name, leaf in named(*back).items()} == {
        name: array.max() for name, array in arrays.items()
    }
