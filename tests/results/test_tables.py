"""From a chunk's arrays to rows: exact numbers, one schema, snapshots where they belong."""

from __future__ import annotations

import numpy as np
import pandas as pd

from phasegrok.analysis.phases import label_cells
from phasegrok.measure.accuracies import exact_accuracies
from phasegrok.results.arrow import as_table
from phasegrok.results.tables import ChunkRuns, chunk_tables, schema, snapshot_tables
from phasegrok.tasks import Size

STEPS = np.arange(5) * 10


def records(runs: int, **changes: list[float]) -> dict[str, np.ndarray]:
    """Measurements of ``runs`` equal runs at five points, some columns replaced."""
    base = {
        "n_train": [50] * 5,
        "n_corrupted": [20] * 5,
        "train_loss": [0.1] * 5,
        "test_loss": [0.1] * 5,
        "train_accuracy": [0.02, 1, 1, 1, 1],
        "test_accuracy": [0.02, 0.1, 0.96, 1, 1],
        "corrupted_accuracy": [0, 0.95, 1, 1, 1],
        "restored_accuracy": [0.0] * 5,
        "clean_accuracy": [0, 1, 1, 1, 1],
        "mean_ipr": [0.1] * 5,
        "dead_neurons": [0] * 5,
        "constant_neurons": [0] * 5,
        "weight_norm": [5, 9, 8, 7, 6],
        "norm_u": [3] * 5,
    } | changes
    return {k: np.tile(np.array(v, np.float32), (runs, 1)) for k, v in base.items()}


def rows(n: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "run": [f"r{i}" for i in range(n)],
            "data_fraction": 0.5,
            "corruption_fraction": 0.4,
            "weight_decay": np.arange(n, dtype=float),
            "seed": 0,
            "n_train": 50,
            "n_corrupted": 20,
        }
    )


def chunk(n: int) -> ChunkRuns:
    return ChunkRuns(rows(n), ["weight_decay"], Size(100), ("m", "n"))


def tables(n: int = 2, **changes: list[float]) -> dict[str, pd.DataFrame]:
    made = chunk_tables(chunk(n), STEPS, records(n, **changes), ["norm_u"])
    return {name: table.to_pandas() for name, table in made.items()}


def test_accuracies_on_a_boundary_are_exact() -> None:
    """45 of 50 in float32 is below 0.9 in float64, and Table 2 says >= 90 %: the recovered
    count divides to exactly 0.9. So does every k of n for n up to the paper's 9409."""
    assert float(np.float32(0.9)) != 0.9
    n = 9409
    k = np.arange(n + 1)
    counts = {
        "n_train": np.full(n + 1, n),
        "n_corrupted": np.zeros(n + 1),
        "train_accuracy": (k / n).astype(np.float32),
        "corrupted_accuracy": np.full(n + 1, np.nan, np.float32),
    }
    exact = exact_accuracies(counts, Size(n))
    np.testing.assert_array_equal(exact["train_accuracy"], k / n)
    assert np.isnan(exact["corrupted_accuracy"]).all()
    frame = tables(train_accuracy=[0, 0, 0, 0, 0.9])["runs"]
    assert frame["train_accuracy"].tolist() == [0.9, 0.9]
    assert (frame["phase"] == "Coexistence").all()


def test_runs_summarize_curves() -> None:
    """Steps are the first logged ones above 0.999; the peak and the norm that Forgetting is
    judged against come from the curve."""
    run = tables()["runs"].iloc[0]
    assert (run.memorization_step, run.generalization_step) == (10, 30)
    assert (run.peak_test_accuracy, run.peak_step) == (1, 30)
    assert run.status == "ok" and run.weight_norm == run.peak_weight_norm == 6
    lost = tables(
        test_accuracy=[0, 1, 0.96, 0.5, 0.1],
        train_accuracy=[0, 0, 0, 0, 0.1],
        weight_norm=[5, 9, 8, 7, 5],
    )["runs"]
    assert lost["peak_weight_norm"].tolist() == [8, 8]  # last point with test accuracy >= 0.9
    assert (lost["phase"] == "Forgetting").all()
    never = tables(test_accuracy=[0, 0, 0, 0, 0])["runs"]
    assert never["generalization_step"].isna().all()


def test_settled_accuracies_are_of_the_end_of_the_curve() -> None:
    """The last fifth of five points is the last; of no test examples there is none; and they stand
    in ``cells`` as other accuracies do."""
    made = tables(test_accuracy=[0.02, 1, 1, 1, 0.5])
    assert made["runs"]["settled_test_accuracy"].tolist() == [0.5, 0.5]
    assert made["runs"]["settled_train_accuracy"].tolist() == [1, 1]
    assert "settled_test_accuracy" not in made["curves"]
    everything = chunk_tables(
        ChunkRuns(rows(1), ["weight_decay"], Size(50), ("m", "n")), STEPS, records(1), []
    )["runs"]
    assert everything["settled_test_accuracy"].null_count == 1
    assert everything["settled_train_accuracy"].null_count == 0
    cells = label_cells(made["runs"], ["data_fraction"])
    assert cells[["settled_train_accuracy", "settled_test_accuracy"]].iloc[0].tolist() == [1, 0.5]


def test_a_loss_that_was_ever_infinite_is_divergence() -> None:
    """Status and all labels say so; the other columns stay what was measured."""
    frame = tables(train_loss=[0.1, np.inf, np.nan, np.nan, np.nan])["runs"]
    assert (frame["status"] == "diverged").all()
    for label in ("phase", "subphase", "direct_phase"):
        assert (frame[label] == "Diverged").all()


def test_every_table_carries_run_axes_and_seed() -> None:
    """One row per run and point in ``curves``, floats as float64, steps as integers."""
    made = tables()
    assert len(made["curves"]) == 10 and made["curves"]["step"].tolist() == [*STEPS, *STEPS]
    for frame in made.values():
        assert {"run", "weight_decay", "seed"} <= set(frame.columns)
        assert frame["test_accuracy"].dtype == np.float64


def test_parts_have_one_schema_whatever_they_hold() -> None:
    """A chunk in which nothing generalizes, or nothing is corrupted, has the same types as one
    in which everything does: a folder reads as one table."""
    norms = ["norm_u", "norm_v"]
    some = chunk_tables(chunk(2), STEPS, records(2), norms)
    lost = records(1, test_accuracy=[0] * 5, corrupted_accuracy=[np.nan] * 5)
    none = chunk_tables(chunk(1), STEPS, lost, norms)
    for name in some:
        assert some[name].schema == none[name].schema


def arrays(runs: int, dead: float = 0.0) -> dict[str, np.ndarray]:
    """Two neurons, a pruning order, and two examples of which the second is not there."""
    one = np.ones((runs, 1), np.float32)
    neurons = {"ipr": [0.5, 0.9], "frequency": [3, 0], "frequency_u": [3, 0], "norm_u": [1, dead]}
    found = {f"neurons.hidden.{k}": one * np.float32(v) for k, v in neurons.items()}
    found["neurons.hidden.dead"] = np.tile([False, True], (runs, 1))
    others = ("corrupted", "restored", "clean", "true")
    curve = {f"{name}_accuracy": [1, 0.5, 0] for name in others} | {"train_loss": [0, 1, 2]}
    curve |= {
        "test_accuracy": [1, 0.4, 0],
        "train_accuracy": [0.9, 0.64, 0],
        "test_loss": [0, 1, 2],
    }
    found |= {f"pruning.lowest.{k}": one * np.float32(v) for k, v in curve.items()}
    found |= {
        "pruning.lowest.n_train": np.full(runs, 50),
        "pruning.lowest.n_corrupted": np.full(runs, 20),
    }
    found["readout.output.weight"] = np.arange(runs * 6, dtype=np.float32).reshape(runs, 2, 3)
    found |= {
        "activations.example.trains": np.tile([True, False], (runs, 1)),
        "activations.example.inputs": np.ones((runs, 2, 5), np.float32) * [[[1], [9]]],
        "activations.example.true_label": np.tile([4, 0], (runs, 1)),
        "activations.example.shown_label": np.tile([3, 0], (runs, 1)),
        "activations.example.activation": np.ones((runs, 2, 2), np.float32) * [0.5, 0.25],
    }
    example = {
        "row": [4, 0],
        "wrong": [1, 0],
        "true_label": [2, 0],
        "corrupted_label": [0, 0],
        "inputs": [[1, 1], [0, 0]],
        "outputs": [[0.1, 0.2, 0.7], [0, 0, 0]],
    }
    for name, value in example.items():
        kind = np.float32 if name == "outputs" else np.int32
        found[f"logits.example.{name}"] = np.stack([np.array(value, kind)] * runs)
    found["logits.example.wrong"] = found["logits.example.wrong"].astype(bool)
    found["rows.hidden.u"] = np.arange(runs * 6, dtype=np.float32).reshape(runs, 2, 3)
    return found


def found_tables(runs: int = 2) -> dict[str, pd.DataFrame]:
    found = arrays(runs)
    return snapshot_tables(chunk(runs), 40, found, schema(found))


def test_snapshots_become_rows() -> None:
    """One row per neuron, count, output and token, each with the run's key and the step; shares are
    exact; dead neurons have no frequency; an example that is not there has no rows."""
    made = found_tables()
    for frame in made.values():
        assert frame.columns[:4].tolist() == ["run", "weight_decay", "seed", "step"]
        assert set(frame["run"]) == {"r0", "r1"} and set(frame["step"]) == {40}
    neurons, pruning = made["neurons"], made["pruning"]
    assert neurons["neuron"].tolist() == [0, 1, 0, 1]
    assert neurons["frequency"].isna().tolist() == [False, True, False, True]
    assert neurons["frequency"][0] == 3 and neurons["dead"].tolist() == [False, True] * 2
    assert pruning["pruned"].tolist() == [0, 1, 2] * 2
    assert pruning["train_accuracy"].tolist()[1] == 32 / 50  # 0.64 in float32 is another number
    logits = made["logits"]
    assert logits["output"].tolist() == [0, 1, 2] * 2 and set(logits["example"]) == {0}
    assert logits["mark"].tolist() == ["corrupted", "other", "true"] * 2
    assert (logits["m"] == 1).all() and logits["logit"].max() == np.float32(0.7)
    assert "n_train" not in pruning
    active = made["activations"]
    assert (
        active["neuron"].tolist() == [0, 1] * 2 and active["activation"].tolist() == [0.5, 0.25] * 2
    )
    assert active[
        ["m", "n", "true_label", "shown_label"]
    ].drop_duplicates().to_numpy().tolist() == [[1, 1, 4, 3]]
    output = made["readout"].query("run == 'r1' and neuron == 1")
    assert output["output"].tolist() == [0, 1, 2] and output["weight"].tolist() == [9, 10, 11]
    weights = made["rows"].query("run == 'r1' and neuron == 1")["weight"]
    assert weights.tolist() == [9, 10, 11]


def test_snapshots_of_different_models_share_a_schema() -> None:
    """A layer without a matrix that another model has gets nulls; types agree, so that all parts
    read as one table."""
    plain = arrays(1)
    wider = plain | {
        "neurons.input.norm_v": np.ones((1, 2), np.float32),
        "neurons.input.frequency_v": np.ones((1, 2), np.int32),
    }
    columns = schema(wider)
    inputs = {name.replace("hidden", "input"): values for name, values in plain.items()}
    parts = [
        as_table(snapshot_tables(chunk(1), 40, found, columns)["neurons"])
        for found in (plain, {**plain, **inputs, **wider})
    ]
    assert parts[0].schema == parts[1].schema
    assert parts[0]["norm_v"].null_count == 2 == parts[0]["frequency_v"].null_count
