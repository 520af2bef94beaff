"""Boundaries between phases: midpoints with half-widths, and fits over seeds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
import pytest

from phasegrok.analysis.boundaries import (
    FAILS,
    GENERALIZES,
    boundaries,
    logistic,
    of_generalization,
)
from phasegrok.analysis.phases import label_cells

AXES = ["data_fraction", "corruption_fraction", "weight_decay"]
FRACTIONS = [0.1, 0.3, 0.4, 0.8]


def runs(edge: Callable[[float, float, int], float], seeds: int = 1) -> pd.DataFrame:
    """Runs that coexist from a data fraction on, and memorize below it."""
    rows = [
        {
            "run": f"{a}-{x}-{w}-{s}",
            "data_fraction": a,
            "corruption_fraction": x,
            "weight_decay": w,
            "seed": s,
            "train_accuracy": 1.0,
            "test_accuracy": 1.0 if a >= edge(x, w, s) else 0.0,
            "peak_test_accuracy": 1.0,
            "weight_norm": 1.0,
            "peak_weight_norm": 1.0,
        }
        for a, x, w, s in product(FRACTIONS, [0.0, 0.2], [0.0, 5.0], range(seeds))
    ]
    return pd.DataFrame(rows)


def found(table: pd.DataFrame) -> pd.DataFrame:
    return boundaries(label_cells(table, AXES), table, AXES)


def test_positions_are_midpoints_and_nulls_where_nothing_changes() -> None:
    """By row of the diagram; the pair of phases, and generalization, at the same place."""
    rows = found(runs(lambda x, w, s: 0.4 + x * 2 - w / 40))
    across = rows[rows["along"] == "data_fraction"]
    table = across[across["above"] == GENERALIZES].set_index(["weight_decay", "at"])
    assert table["below"].eq(FAILS).all()
    assert table["position"].round(9).to_dict() == {
        (0.0, 0.0): 0.35,
        (0.0, 0.2): 0.6,
        (5.0, 0.0): 0.2,
        (5.0, 0.2): 0.6,
    }
    assert table["half_width"].round(9).to_dict()[(0.0, 0.2)] == 0.2
    phases = across[across["above"] == "Coexistence"].set_index(["weight_decay", "at"])
    assert phases["position"].equals(table["position"].loc[phases.index])
    up = rows[(rows["along"] == "corruption_fraction") & (rows["below"] == GENERALIZES)]
    up = up.set_index(["weight_decay", "at"])["position"]
    assert up[0.0, 0.4] == pytest.approx(0.1) and np.isnan(up[0.0, 0.1]) and np.isnan(up[0.0, 0.8])
    assert rows["fit"].isna().all()  # one seed


def test_seeds_that_differ_are_fitted() -> None:
    """With seeds on both sides of a cell the fit lies between its neighbours, with an interval."""
    rows = found(runs(lambda x, w, s: (0.3, 0.4, 0.4, 0.8)[s], seeds=4))
    row = rows[(rows["along"] == "data_fraction") & (rows["above"] == GENERALIZES)].iloc[0]
    assert row["seeds"] == 4
    assert row["fit_low"] + 0.2 > 0.3 and row["fit_low"] < row["fit"] < row["fit_high"]
    assert 0.3 < row["fit"] < 0.5


def test_a_fit_of_seeds_that_agree_is_the_gap() -> None:
    x = np.array([0.1, 0.1, 0.3, 0.3, 0.4, 0.4])
    assert logistic(x, x > 0.2) == (pytest.approx(0.2), 0.1, 0.3)
    assert np.isnan(logistic(x, x > 1)).all() and np.isnan(logistic(x, x < 0.2)).all()


def test_a_logistic_fit_finds_the_position_it_was_drawn_from() -> None:
    """2000 runs at a known boundary of 0.5: the interval is small and holds it."""
    generator = np.random.default_rng(0)
    x = generator.uniform(0, 1, 2000)
    above = generator.uniform(size=2000) < 1 / (1 + np.exp(-20 * (x - 0.5)))
    fit = logistic(x, above)
    assert fit.low < 0.5 < fit.high and fit.high - fit.low < 0.05


def test_a_sweep_of_one_axis_has_no_rows_to_cross() -> None:
    table = runs(lambda x, w, s: 0.4)
    table = table[(table["corruption_fraction"] == 0) & (table["weight_decay"] == 0)]
    rows = boundaries(label_cells(table, AXES[:1]), table, AXES[:1])
    assert list(rows["position"].round(9)) == [0.35, 0.35] and rows["at"].isna().all()


def test_an_island_is_crossed_twice() -> None:
    """Each crossing has its row."""
    table = runs(lambda x, w, s: 0.0)
    inside = table["data_fraction"].between(0.2, 0.5)
    table["test_accuracy"] = np.where(inside, 1.0, 0.0)
    rows = found(table)
    rows = rows[
        (rows["along"] == "data_fraction") & (rows["weight_decay"] == 0) & (rows["at"] == 0)
    ]
    pairs = list(zip(rows["below"], rows["position"].round(9), strict=True))
    assert (FAILS, 0.2) in pairs and (GENERALIZES, 0.6) in pairs


def test_a_line_that_begins_stops_and_begins_again() -> None:
    """A row for each place; a value at which nothing changes has one without a position, not one
    for each of the two ways to change."""
    table = runs(lambda x, w, s: 0.3 if x == 0 and w == 0 else 2.0)
    gap = (table["data_fraction"] == 0.4) & (table["test_accuracy"] == 1.0)
    table.loc[gap, "test_accuracy"] = 0.0
    rows = of_generalization(found(table))
    rows = rows[(rows["along"] == "data_fraction") & (rows["weight_decay"] == 0)]
    begins = rows[rows["above"] == GENERALIZES].sort_values("position")
    assert begins["position"].round(9).tolist()[:2] == [0.2, 0.6]
    stops = rows[(rows["below"] == GENERALIZES) & rows["position"].notna()]
    assert stops["position"].round(9).tolist() == [0.35] and stops["at"].tolist() == [0.0]
    assert rows[rows["position"].isna()]["at"].tolist() == [0.2]


def test_both_kinds_of_inversion_generalize_by_phase() -> None:
    """Where the column has one name for both."""
    cells = pd.DataFrame({"data_fraction": [0.1, 0.2, 0.3]})
    cells["phase"] = ["Memorization", "Inversion", "Inversion"]
    found = boundaries(cells, None, ["data_fraction"], "phase")
    assert found.loc[found["above"] == "generalizes", "position"].tolist() == pytest.approx([0.15])
