"""Labels at any step: at the end those of the runs, before it Table 2 as of then."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phasegrok.analysis.phases import LABELS, label_cells
from phasegrok.analysis.timeline import at_step, labels_by_step, rows_by_step
from phasegrok.results.folder import Folder

REFERENCE = Path(__file__).parents[2] / "results" / "reference"


def tables(**curves: list[float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One run at decay 20 with these curves, measured every 10 steps."""
    points = len(next(iter(curves.values())))
    usual = {"train_loss": [0.1] * points, "test_loss": [0.1] * points}
    frame = pd.DataFrame({"run": "a", "weight_decay": 20.0, "seed": 0, **usual, **curves})
    frame["step"] = 10 * np.arange(points)
    runs = pd.DataFrame({"run": ["a"], "weight_decay": 20.0, "seed": 0, "corruption_fraction": 0.3})
    return runs, frame


def test_a_network_memorizes_groks_and_forgets() -> None:
    """Forgetting is judged by the peak until then: before it there is none."""
    runs, curves = tables(
        train_accuracy=[0.0, 1.0, 0.7, 0.1],
        test_accuracy=[0.0, 0.1, 1.0, 0.1],
        corrupted_accuracy=[0.0, 1.0, 0.0, 0.0],
        weight_norm=[1.0, 9.0, 8.0, 0.8],
    )
    labels = labels_by_step(runs, curves, ["weight_decay"])
    assert list(labels["step"]) == [0, 10, 20, 30]
    assert list(labels["subphase"]) == ["Confusion", "Memorization", "Full Inversion", "Forgetting"]
    rows = rows_by_step(runs, curves, ["weight_decay"])
    assert list(rows["peak_test_accuracy"]) == [0.0, 0.1, 1.0, 1.0]
    assert list(rows["peak_weight_norm"]) == [1.0, 9.0, 8.0, 8.0]


def test_a_step_between_two_is_the_one_before() -> None:
    runs, curves = tables(
        train_accuracy=[0.0, 1.0], test_accuracy=[0.0, 1.0], weight_norm=[1.0, 1.0]
    )
    for step, label in (
        (0, "Confusion"),
        (9, "Confusion"),
        (10, "Coexistence"),
        (99, "Coexistence"),
    ):
        assert list(at_step(runs, curves, ["weight_decay"], step)["subphase"]) == [label]
    with pytest.raises(ValueError, match="step -1: negative"):
        at_step(runs, curves, ["weight_decay"], -1)


def test_a_run_is_diverged_from_its_first_loss_that_is_not_finite() -> None:
    runs, curves = tables(
        train_accuracy=[0.0, 0.0, 1.0],
        test_accuracy=[0.0, 0.0, 1.0],
        weight_norm=[1.0, 1.0, 1.0],
        train_loss=[0.1, np.inf, 0.1],
    )
    labels = labels_by_step(runs, curves, ["weight_decay"])
    assert list(labels["subphase"]) == ["Confusion", "Diverged", "Diverged"]


@pytest.mark.parametrize("name", ["quickstart", "phases", "minibatch-phases"])
def test_the_last_step_has_the_labels_of_the_runs(name: str) -> None:
    """On real results, to the bit: two ways to the same cells."""
    folder = Folder(REFERENCE / name)
    axes = folder.head().axes
    runs, curves = folder.read("runs"), folder.read("curves")
    ended, cells = at_step(runs, curves, axes, 10**9), label_cells(runs, axes)
    assert len(ended) == len(cells) > 0
    both = cells.merge(ended, on=axes, suffixes=("", "_then"))
    for column in (*LABELS, "peak_test_accuracy", "peak_weight_norm", "seed_agreement", "seeds"):
        assert (both[column] == both[f"{column}_then"]).all(), column
    labels = labels_by_step(runs, curves, axes)
    assert len(labels) == len(cells) * curves["step"].nunique()
    steps = list(product(*(labels[name].unique() for name in axes)))
    assert len(steps) == len(cells)
