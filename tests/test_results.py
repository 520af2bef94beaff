"""The result folder: exact numbers, parts that appear whole, one writer at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phasegrok.errors import Locked, Refusal
from phasegrok.results import Folder, chunk_tables, exact_accuracies, replacing

STEPS = np.arange(5) * 10


def records(runs: int, **changes: list[float]) -> dict[str, np.ndarray]:
    """Measurements of ``runs`` equal runs at five points, some columns replaced."""
    base = {
        "n_train": [50] * 5, "n_corrupted": [20] * 5, "train_loss": [0.1] * 5,
        "test_loss": [0.1] * 5, "train_accuracy": [0.02, 1, 1, 1, 1],
        "test_accuracy": [0.02, 0.1, 0.96, 1, 1],
        "corrupted_accuracy": [0, 0.95, 1, 1, 1], "restored_accuracy": [0.0] * 5,
        "clean_accuracy": [0, 1, 1, 1, 1], "mean_ipr": [0.1] * 5, "dead_neurons": [0] * 5,
        "weight_norm": [5, 9, 8, 7, 6], "norm_u": [3] * 5,
    } | changes  # fmt: skip
    return {k: np.tile(np.array(v, np.float32), (runs, 1)) for k, v in base.items()}


def rows(n: int) -> pd.DataFrame:
    return pd.DataFrame({
        "run": [f"r{i}" for i in range(n)], "data_fraction": 0.5, "corruption_fraction": 0.4,
        "weight_decay": np.arange(n, dtype=float), "seed": 0, "n_train": 50, "n_corrupted": 20,
    })  # fmt: skip


def tables(n: int = 2, **changes: list[float]) -> dict[str, pd.DataFrame]:
    made = chunk_tables(rows(n), ["weight_decay"], STEPS, records(n, **changes), 100, ["norm_u"])
    return {name: table.to_pandas() for name, table in made.items()}


def test_accuracies_on_a_boundary_are_exact() -> None:
    """45 of 50 in float32 is below 0.9 in float64, and Table 2 says >= 90 %: the recovered
    count divides to exactly 0.9. So does every k of n for n up to the paper's 9409."""
    assert float(np.float32(0.9)) != 0.9
    n = 9409
    k = np.arange(n + 1)
    counts = {
        "n_train": np.full(n + 1, n), "n_corrupted": np.zeros(n + 1),
        "train_accuracy": (k / n).astype(np.float32),
        "corrupted_accuracy": np.full(n + 1, np.nan, np.float32),
    }  # fmt: skip
    exact = exact_accuracies(counts, n)
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
    lost = tables(test_accuracy=[0, 1, 0.96, 0.5, 0.1], train_accuracy=[0, 0, 0, 0, 0.1])["runs"]
    assert lost["peak_weight_norm"].tolist() == [8, 8]  # last point with test accuracy >= 0.9
    assert (lost["phase"] == "Forgetting").all()
    never = tables(test_accuracy=[0, 0, 0, 0, 0])["runs"]
    assert never["generalization_step"].isna().all()


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
    some = chunk_tables(rows(2), ["weight_decay"], STEPS, records(2), 100, ["norm_u", "norm_v"])
    none = chunk_tables(
        rows(1), ["weight_decay"], STEPS,
        records(1, test_accuracy=[0] * 5, corrupted_accuracy=[np.nan] * 5), 100,
        ["norm_u", "norm_v"],
    )  # fmt: skip
    for name in some:
        assert some[name].schema == none[name].schema


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    """A crash in the middle of writing: the old file is whole, and nothing new is visible."""
    path = tmp_path / "cells.parquet"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), replacing(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.glob("[!.]*")] == ["cells.parquet"]


def test_published_parts_are_done_and_read_back(tmp_path: Path) -> None:
    """Curves first, runs last: a folder with curves alone is not done. Plain pandas reads it."""
    folder = Folder(tmp_path)
    made = chunk_tables(rows(2), ["weight_decay"], STEPS, records(2), 100, ["norm_u"])
    folder.publish("000-00000", {"curves": made["curves"]})
    assert folder.done() == set()
    folder.publish("000-00000", made)
    assert folder.done() == {"000-00000"}
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "runs"), made["runs"].to_pandas())


def test_checkpoints_serve_their_own_chunk_only(tmp_path: Path) -> None:
    """The same header gets its arrays back; a chunk of other runs gets nothing."""
    folder = Folder(tmp_path)
    folder.save_checkpoint("p", {"runs": ["a"], "intervals": 3}, {"x": np.arange(3)})
    loaded = folder.load_checkpoint("p", {"runs": ["a"]})
    assert loaded is not None and loaded[0]["intervals"] == 3
    np.testing.assert_array_equal(loaded[1]["x"], np.arange(3))
    assert folder.load_checkpoint("p", {"runs": ["b"]}) is None


def test_the_second_holder_is_told_who_is_first(tmp_path: Path) -> None:
    """The lock names its holder and is free again afterwards."""
    with (
        Folder(tmp_path).lock("process 7 on here"),
        pytest.raises(Locked, match="process 7 on here"),
        Folder(tmp_path).lock("me"),
    ):
        pass
    with Folder(tmp_path).lock("me"):
        pass


def test_old_results_are_moved_never_deleted(tmp_path: Path) -> None:
    """Twice aside: .old-1 and .old-2, each with its contents."""
    for n in (1, 2):
        folder = Folder(tmp_path / "wd")
        folder.path.mkdir()
        folder.write_text("mark", str(n))
        assert folder.set_aside() == tmp_path / f"wd.old-{n}"
    assert (tmp_path / "wd.old-1" / "mark").read_text() == "1"
    with pytest.raises(Refusal, match="no results here"):
        folder.require_manifest()
