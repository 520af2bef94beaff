"""The Python side: from a dict to results, and back to the networks that gave them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest

import phasegrok
from phasegrok.errors import Refusal
from phasegrok.sweep.load import load_mapping

SWEEP: dict[str, Any] = {
    "name": "dict",
    "task": {"kind": "modular", "modulus": 7},
    "model": {"width": 16},
    "optimizer": {"learning_rate": 0.02},
    "train": {"steps": 40, "log_every": 10},
    "axes": {
        "data.data_fraction": np.linspace(0.3, 0.9, 3),
        "data.corruption_fraction": [0.0, 0.3],
        "optimizer.weight_decay": (0, 1),
    },
    "seeds": range(2),
    "measure": {"weights": "all", "spectra": True},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> phasegrok.Results:
    return phasegrok.run(SWEEP, tmp_path_factory.mktemp("api") / "out", progress=False)


def test_a_dict_is_a_sweep(results: phasegrok.Results, capsys: pytest.CaptureFixture[str]) -> None:
    """All of its runs are there; the same call again trains nothing and says so."""
    assert results.axes == ["data_fraction", "corruption_fraction", "weight_decay"]
    assert len(results.cells) == 12 and len(results.runs) == 24
    before = {path: path.stat().st_mtime_ns for path in results.folder.glob("*/*.parquet")}
    again = phasegrok.run(SWEEP, results.folder)
    assert "24/24 runs done" in capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in before}
    pd.testing.assert_frame_equal(again.runs, results.runs)


def test_a_wrong_dict_is_refused_like_a_file(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"sweep: optimizer\.weight_deca: .*allowed"):
        phasegrok.run({**SWEEP, "optimizer": {"weight_deca": 1}}, tmp_path / "out")
    with pytest.raises(Refusal, match=r"out: holds no|no results here"):
        phasegrok.load(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_tables_are_properties(results: phasegrok.Results) -> None:
    """Those that there are; another name says which."""
    assert results.tables == ["cells", "boundaries", "curves", "neurons", "runs"]
    assert set(results.neurons["run"]) == set(results.runs["run"])
    assert "neurons" in dir(results) and len(results.boundaries.columns) > 5
    with pytest.raises(AttributeError, match=r"pruning: no such table; there are cells, bound"):
        _ = results.pruning


def test_one_cell_by_its_values(results: phasegrok.Results) -> None:
    """0.6 is found though the axis holds 0.6000000000000001; two cells are not one."""
    rows = results.at(data_fraction=0.6, corruption_fraction=0, weight_decay=1)
    assert len(rows) == 2
    curve = results.curve(data_fraction=0.6, corruption_fraction=0, weight_decay=1)
    assert list(curve.index) == [0, 10, 20, 30, 40]
    last = rows[["train_loss", "test_accuracy"]].mean()
    assert curve.loc[40, ["train_loss", "test_accuracy"]].to_numpy() == pytest.approx(last)
    with pytest.raises(Refusal, match=r"found 2 cells; allowed: one \(give weight_decay\)"):
        results.curve(data_fraction=0.6, corruption_fraction=0)
    with pytest.raises(Refusal, match=r"data_fraction=0\.7: found no such value; allowed: 0\.3"):
        results.at(data_fraction=0.7)
    with pytest.raises(Refusal, match=r"alpha: found no such column; allowed: the swept ones"):
        results.at("cells", alpha=0.7)


def test_networks_give_the_recorded_accuracies(results: phasegrok.Results) -> None:
    """Of every run, at every saved step: on the examples that it trained on, with the labels that
    it was given, and on its test set."""
    for _, row in results.runs.iterrows():
        examples = results.examples(row["run"])
        counts = examples["subset"].value_counts()
        assert counts.get("corrupted", 0) == row["n_corrupted"]
        assert counts.get("corrupted", 0) + counts["training"] == row["n_train"]
        curve = results.curves[results.curves["run"] == row["run"]].set_index("step")
        for step in (0, 40):
            answer = results.apply(row["run"], examples[["m", "n"]], step).argmax(axis=1)
            trained = examples["subset"].isin(["corrupted", "training"])
            right = answer == examples["shown_label"]
            assert right[trained].mean() == pytest.approx(curve.loc[step, "train_accuracy"])
            assert right[~trained].mean() == pytest.approx(curve.loc[step, "test_accuracy"])
    final = results.weights(row["run"])
    assert {name: array.shape for name, array in final.items()} == {
        "u": (7, 16),
        "v": (7, 16),
        "w": (16, 7),
    }
    with pytest.raises(Refusal, match=r"step 5: found no such network; allowed: 0, 10, 20, 30, 40"):
        results.weights(row["run"], 5)


def test_a_split_is_that_of_the_run(results: phasegrok.Results) -> None:
    """Without a folder: of the mapping, of one that says the task alone, and of an experiment."""
    task = {"task": SWEEP["task"]}
    for given in (SWEEP, task, phasegrok.load_sweep(results.folder / "sweep.yaml").base):
        for _, row in results.runs.iloc[[0, 5, 23]].iterrows():
            found = phasegrok.split(
                given, row["data_fraction"], row["corruption_fraction"], row["seed"]
            )
            pd.testing.assert_frame_equal(found, results.examples(row["run"]))
    fixed = phasegrok.split({"task": {"kind": "parity", "bits": 9, "train_examples": 30}})
    assert fixed["subset"].value_counts().to_dict() == {"test": 1000, "training": 30}
    assert phasegrok.split(task)["subset"].eq("training").sum() == 24  # half of 49


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data_fraction": 1.5}, r"data.data_fraction: found 1.5; allowed: a number above 0"),
        ({"seed": -1}, "seed: found -1; allowed: whole numbers from 0"),
        ({"seed": 0.5}, r"seed: found 0.5"),
        ({"sweep": {"task": {"kind": "modulo"}}}, r"task.kind: found the text"),
    ],
)
def test_splits_that_cannot_be(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        phasegrok.split(**{"sweep": SWEEP, **change})


def test_boundaries_of_a_slice(results: phasegrok.Results) -> None:
    reference = Path(__file__).parents[2] / "results" / "reference" / "quickstart"
    found = phasegrok.load(reference)
    line = found.boundary(weight_decay=5)
    assert set(line["weight_decay"]) == {5} and set(line["along"]) == {"data_fraction"}
    assert line["at"].is_monotonic_increasing and line["position"].notna().any()
    with pytest.raises(Refusal, match=r"along width: found no boundary"):
        found.boundary("width")
    for ask in (found.boundary, partial(found.at, "boundaries")):
        with pytest.raises(
            Refusal, match=r"data_fraction: .* in boundaries.*allowed: weight_decay$"
        ):
            ask(data_fraction=0.5)
    one_axis = phasegrok.load(reference.parent / "phases").boundary()
    assert set(one_axis["along"]) == {"weight_decay"}


def test_a_checked_sweep_is_changed_no_more(tmp_path: Path) -> None:
    """Nothing that was asked for is left out silently."""
    checked = load_mapping(SWEEP)
    for change in ({"change": ["seeds=[1]"]}, {"reduced": True}, {"refine": 1}):
        with pytest.raises(Refusal, match="checked already"):
            phasegrok.run(checked, tmp_path / "out", **change)
    assert not (tmp_path / "out").exists()


def test_pictures_are_figures(results: phasegrok.Results) -> None:
    """Not files; a notebook shows the small diagram by itself."""
    (results.folder / "cells.parquet").unlink()
    before = sorted(results.folder.rglob("*"))
    assert isinstance(results.plot("accuracy"), matplotlib.figure.Figure)
    by_label = results.plot(label="direct_phase")
    assert "labels by direct_phase" in by_label.get_suptitle()
    text = results._repr_html_()
    assert "24 runs over data_fraction x" in text and "data:image/png;base64," in text
    assert sorted(results.folder.rglob("*")) == before
    with pytest.raises(Refusal, match=r"colours: found no such picture here; allowed: phase_"):
        results.plot("colours")


def test_named_dimensions(results: phasegrok.Results) -> None:
    """With xarray, where it is installed."""
    pytest.importorskip("xarray")
    data = results.to_xarray()
    assert set(data.dims) == set(results.axes)
