"""Claims on phase diagrams: each can say yes and no, on diagrams made for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phasegrok.analysis.inferred import INFERRED, Grid, replayed
from phasegrok.reproduction import diagrams
from phasegrok.reproduction.base import Claim, Results

FRACTIONS = [round(0.1 * i, 1) for i in range(1, 10)]
CORRUPTION = [round(0.1 * i, 1) for i in range(10)]
VALUES = [0.0, 5.0, 15.0, 20.0]
REFERENCE = Path(__file__).parents[2] / "results" / "reference"
AXES = ("data_fraction", "corruption_fraction", "weight_decay")
Run = dict[str, float]


def paper(alpha: float, xi: float, slice_: int) -> Run:
    """A cell as in Figure 3. Beyond a line it memorizes; regularization moves the line and corrects
    the corrupted labels; in the last slice everything that generalized is lost."""
    generalizes = xi <= alpha - 0.4 + 0.1 * min(slice_, 2) + 1e-9
    first = 1.0 if alpha < 0.7 or xi < 0.2 else 0.5
    kept = [first, 0.5 if alpha < 0.8 else 0.0, 0.0, 0.0][slice_]
    if not generalizes:
        return {"train": 1.0, "test": 0.02, "peak": 0.02, "norm": 1.0, "kept": 1.0}
    if slice_ == 3:
        return {"train": 0.02, "test": 0.02, "peak": 1.0, "norm": 0.1, "kept": 0.02}
    return {"train": 1 - xi * (1 - kept), "test": 1.0, "peak": 1.0, "norm": 1.0, "kept": kept}


def unregularized(alpha: float, xi: float, slice_: int) -> Run:
    """Every slice is the first one, with less data needed for nothing."""
    return paper(alpha, xi, 0) if alpha > 0.2 else {**paper(alpha, xi, 0), "train": 0.1}


def fails(alpha: float, xi: float, slice_: int) -> Run:
    """Nothing generalizes, and half is memorized."""
    return {"train": 0.5, "test": 0.02, "peak": 0.02, "norm": 1.0, "kept": 0.5}


def diagram(tmp_path: Path, cell: Callable[[float, float, int], Run], name: str) -> Results:
    table = []
    for alpha, xi, (slice_, value) in product(FRACTIONS, CORRUPTION, enumerate(VALUES)):
        found = cell(alpha, xi, slice_)
        table.append(
            {
                "data_fraction": alpha,
                "corruption_fraction": xi,
                "weight_decay": 0.0,
                "dropout": 0.0,
                name: value,
                "seed": 0,
                "train_accuracy": found["train"],
                "test_accuracy": found["test"],
                "peak_test_accuracy": found["peak"],
                "weight_norm": found["norm"],
                "peak_weight_norm": 1.0,
                "corrupted_accuracy": found["kept"] if xi else float("nan"),
            }
        )
    results = Results(tmp_path)
    results["runs"] = pd.DataFrame(table)
    return results


def verdicts(
    tmp_path: Path,
    function: Callable[[Results], Iterator[Claim]],
    cell: Callable[[float, float, int], Run],
    name: str = "weight_decay",
) -> list[bool | None]:
    return [claim.held for claim in function(diagram(tmp_path, cell, name))]


@pytest.mark.parametrize(
    ("function", "refuting"),
    [
        (diagrams.unregularized, fails),
        (diagrams.more_data, fails),
        (diagrams.more_regularization, unregularized),
        (diagrams.less_data, unregularized),
        (diagrams.partial_inversion, fails),
        (diagrams.full_inversion, unregularized),
        (diagrams.memorization, unregularized),
        (diagrams.forgetting, unregularized),
    ],
)
def test_claims_hold_on_the_papers_diagram_and_not_on_another(
    tmp_path: Path,
    function: Callable[[Results], Iterator[Claim]],
    refuting: Callable[[float, float, int], Run],
) -> None:
    assert verdicts(tmp_path, function, paper) == [True]
    assert verdicts(tmp_path, function, refuting) == [False]


def test_a_slice_that_does_not_gain_says_what_it_lost(tmp_path: Path) -> None:
    def weaker(alpha: float, xi: float, slice_: int) -> Run:
        return (unregularized if slice_ == 2 else paper)(alpha, xi, slice_)

    (claim,) = diagrams.more_regularization(diagram(tmp_path, weaker, "weight_decay"))
    assert claim.held is not True
    assert "From 5 to 15" in claim.why and "Memorization" in claim.why


def test_confusion_is_in_the_last_slice_of_dropout(tmp_path: Path) -> None:
    def confused(alpha: float, xi: float, slice_: int) -> Run:
        return (fails if slice_ == 3 else paper)(alpha, xi, slice_)

    assert verdicts(tmp_path, diagrams.confusion, confused, "dropout") == [True]
    assert verdicts(tmp_path, diagrams.confusion, fails, "dropout") == [None]
    assert verdicts(tmp_path, diagrams.confusion, paper, "dropout") == [False]


def test_training_accuracy_in_full_inversion(tmp_path: Path) -> None:
    assert verdicts(tmp_path, diagrams.training_accuracy, paper) == [True]

    def away(alpha: float, xi: float, slice_: int) -> Run:
        found = paper(alpha, xi, slice_)
        return {**found, "train": found["train"] - 0.05}

    assert verdicts(tmp_path, diagrams.training_accuracy, away) == [False]


def test_a_smaller_data_fraction_is_needed_by_row(tmp_path: Path) -> None:
    found = diagrams.Diagram(diagram(tmp_path, paper, "weight_decay")).needed(0.9)
    assert found.loc[0.0, 0.3] == 0.7 and found.loc[15.0, 0.3] == 0.5
    missing = diagrams.row(found, 20.0)  # nothing generalizes there
    assert missing.empty


def test_cells_that_refinement_infers_count_as_trained_ones_do() -> None:
    """The whole grid at p = 47, and only those of its cells that refinement asks for: the same
    boundaries, from a third of the runs. Inferred cells have no accuracy that a mean could take."""
    whole, few = (Results(REFERENCE / "wd-47") for _ in range(2))
    values = {name: np.sort(whole["runs"][name].unique()).tolist() for name in AXES}
    grid = Grid(values, *AXES[:2], levels=2, label="subphase")
    found = replayed(whole.cells(list(AXES)).drop(columns=INFERRED), grid)
    trained = found.loc[~found[INFERRED], list(AXES)]
    few["runs"] = whole["runs"].merge(trained, on=list(AXES))
    assert len(few["runs"]) < 0.4 * len(whole["runs"])
    with pytest.MonkeyPatch.context() as patch:
        one = diagrams.Diagram(whole)
        patch.setattr(Results, "grid", grid)
        other = diagrams.Diagram(few)
        assert few.complete
    assert len(other.cells) == len(one.cells)
    assert other.cells["test_accuracy"].isna().sum() == len(one.cells) - len(few["runs"])
    for function in (diagrams.Diagram.tolerated, diagrams.Diagram.needed):
        pd.testing.assert_frame_equal(function(one, 0.9), function(other, 0.9))
