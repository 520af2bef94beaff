"""Means over cells seed by seed, and what holds in how many seeds."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from phasegrok.reproduction.base import Verdict
from phasegrok.reproduction.words import by_value, spread

__all__ = [
    "SAME",
    "best",
    "falls",
    "in_seeds",
    "labels",
    "of",
    "random_ipr",
    "rises",
    "seed_means",
    "settled",
    "spreads",
]

SETTLED: Final = "settled_test_accuracy"
# Shares closer than this are the same.
SAME: Final = 0.01


def seed_means(runs: pd.DataFrame, column: str, value: str) -> pd.DataFrame:
    """Means over cells: a row a seed, a column a value of an axis, in their order."""
    return runs.pivot_table(value, "seed", column)


def best(
    runs: pd.DataFrame, column: str, value: str, above: float = -1.0, up_to: float = float("inf")
) -> pd.Series[float]:
    """The largest of the means over cells of each seed, of an axis' values in (above, up_to]."""
    some = runs[(runs[column] > above) & (runs[column] <= up_to)]
    return seed_means(some, column, value).max(axis=1)


def spreads(table: pd.DataFrame, digits: int = 3) -> str:
    """``value: mean ± deviation over seeds`` for every column of :func:`seed_means`."""
    return by_value({value: spread(table[value], digits) for value in table})


def rises(table: pd.DataFrame) -> pd.Series[bool]:
    """Whether a seed's numbers end higher than they began, and nowhere fall by more than
    :data:`SAME` from column to column."""
    steady = (table.diff(axis=1).iloc[:, 1:] >= -SAME).all(axis=1)
    return steady & (table.iloc[:, -1] > table.iloc[:, 0] + SAME)


def falls(table: pd.DataFrame) -> pd.Series[bool]:
    """The same of falling numbers."""
    return rises(-table)


def in_seeds(held: pd.Series[bool]) -> Verdict:
    """Yes where something holds in every seed, in part where in most of them."""
    share = float(np.mean(held.to_numpy(dtype=bool)))
    return True if share == 1 else (None if share > 0.5 else False)


def of(held: pd.Series[bool]) -> str:
    """``2 of 3``."""
    return f"{int(held.sum())} of {len(held)}"


def settled(runs: pd.DataFrame) -> pd.DataFrame | None:
    """The runs with their settled test accuracy as test accuracy; None in tables without it."""
    return runs.assign(test_accuracy=runs[SETTLED]) if SETTLED in runs else None


def labels(runs: pd.DataFrame, column: str, label: str = "subphase") -> str:
    """``value: Coexistence 3, Memorization 1`` for every value of an axis, in runs."""
    counts = {
        value: " + ".join(f"{name} {count}" for name, count in group.value_counts().items())
        for value, group in runs.groupby(column)[label]
    }
    return by_value(counts)


def random_ipr(curves: pd.DataFrame) -> float:
    """The mean IPR of initial weights: of a sweep's curves at step 0."""
    return float(curves.loc[curves["step"] == 0, "mean_ipr"].mean())
