"""Two sweeps held against each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phasegrok.analysis.boundaries import boundaries
from phasegrok.analysis.compare import compare, shared_axes, shifts
from phasegrok.errors import Refusal

ALPHAS = [0.1, 0.2, 0.3, 0.4, 0.5]


def cells(first_generalizing: float, decays: tuple[float, ...] = (0.0, 5.0)) -> pd.DataFrame:
    """Memorization below a data fraction, Coexistence from it on."""
    rows = [
        {"data_fraction": alpha, "weight_decay": decay}
        for decay in decays
        for alpha in np.linspace(0.1, 0.5, 5)  # 0.30000000000000004 and the like
    ]
    table = pd.DataFrame(rows)
    good = table["data_fraction"] > first_generalizing - 0.01
    return table.assign(
        subphase=np.where(good, "Coexistence", "Memorization"),
        train_accuracy=1.0,
        test_accuracy=np.where(good, 1.0, 0.25),
    )


AXES = ["data_fraction", "weight_decay"]


def test_the_same_is_the_same() -> None:
    """Also where one file says 0.3 and another's arithmetic gives 0.30000000000000004."""
    a, b = cells(0.3), cells(0.3)
    b["data_fraction"] = b["data_fraction"].round(3)
    assert not a["data_fraction"].equals(b["data_fraction"])
    found = compare(a, b, AXES)
    assert len(found.cells) == 10 and found.differ.empty and (found.only_a, found.only_b) == (0, 0)
    assert (found.cells[["train_accuracy", "test_accuracy"]] == 0).all(axis=None)


def test_differences_have_a_direction() -> None:
    """B minus A; the cells whose label differs, with both labels."""
    found = compare(cells(0.4), cells(0.2), AXES)
    assert len(found.differ) == 4
    assert set(found.differ["subphase_a"]) == {"Memorization"}
    assert set(found.differ["subphase_b"]) == {"Coexistence"}
    assert set(found.differ["test_accuracy"]) == {0.75}
    assert set(found.cells.loc[found.cells["same"], "test_accuracy"]) == {0.0}


def test_cells_of_one_alone_are_counted() -> None:
    found = compare(cells(0.3), cells(0.3, decays=(5.0, 15.0)).iloc[1:], AXES)
    assert (len(found.cells), found.only_a, found.only_b) == (4, 6, 5)
    with pytest.raises(Refusal, match="no cell in common"):
        compare(cells(0.3), cells(0.3, decays=(1.0,)), AXES)


def test_an_axis_of_one_sweep_alone() -> None:
    """It is left out where it has one value there, and refused where it has several."""
    a = cells(0.3, decays=(5.0,))
    b = a.drop(columns="weight_decay")
    assert shared_axes(a, b, AXES, AXES[:1]) == AXES[:1]
    with pytest.raises(Refusal, match="weight_decay: found 2 values"):
        shared_axes(cells(0.3), b, AXES, AXES[:1])
    with pytest.raises(Refusal, match="no such axis in the first"):
        shared_axes(b, cells(0.3), AXES[:1], AXES)


def test_boundaries_move() -> None:
    """From 0.35 to 0.15, each known to 0.05; of fits over seeds the intervals add in squares."""
    lines = [boundaries(cells(at), None, AXES) for at in (0.4, 0.2)]
    moved = shifts(lines[0], lines[1], AXES)
    assert len(moved) == 4  # two slices, the pair of labels and generalization
    assert moved["shift"].to_numpy() == pytest.approx(-0.2)
    assert moved["half_width"].to_numpy() == pytest.approx(0.1)
    assert moved["fit_shift"].isna().all()
    fitted = [
        line.assign(fit=at, fit_low=at - half, fit_high=at + half)
        for line, at, half in ((lines[0], 0.34, 0.03), (lines[1], 0.16, 0.04))
    ]
    moved = shifts(fitted[0], fitted[1], AXES)
    assert moved["fit_shift"].to_numpy() == pytest.approx(-0.18)
    assert moved["fit_low"].to_numpy() == pytest.approx(-0.23)
    assert moved["fit_high"].to_numpy() == pytest.approx(-0.13)
