"""Cells counted and compared, and what the claims share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import pandas as pd

from phasegrok.reproduction.words import spread

__all__ = [
    "COLUMNS",
    "GRID",
    "SMALL",
    "WEAK",
    "by_seed",
    "counted",
    "counts",
    "every_seed",
    "generalize",
    "over_seeds",
    "same_cells",
]

GRID: Final = ["data_fraction", "corruption_fraction"]
SMALL: Final = "p = 47, N = 256"
COLUMNS: Final = ["ipr", "normalization_weight"]
# Below it there is no correlation: several hundred neurons have as much by chance.
WEAK: Final = 0.3


def counts(runs: pd.DataFrame, column: str, phase: str, label: str = "phase") -> pd.Series[int]:
    """Runs of a phase at every value of an axis."""
    return (runs[label] == phase).groupby(runs[column]).sum().astype(int)


def counted(labels: pd.Series[str]) -> str:
    """``Coexistence 2, Memorization 1``: how many of each."""
    return ", ".join(f"{label} {number}" for label, number in labels.value_counts().items())


def every_seed(true: pd.Series[bool], runs: pd.DataFrame, column: str) -> pd.DataFrame:
    """How many runs something is true of: values of an axis by seeds."""
    return true.groupby([runs[column], runs["seed"]]).sum().astype(int).unstack("seed")


def by_seed(numbers: pd.DataFrame) -> str:
    """``value: count / count`` for every value of an axis, one count a seed."""
    return ", ".join(
        f"{value:g}: {' / '.join(str(number) for number in row)}"
        for value, row in zip(numbers.index, numbers.to_numpy(), strict=True)
    )


def generalize(runs: pd.DataFrame, least: float) -> pd.Series[Any]:
    """Which runs reach a test accuracy at the end."""
    return runs["test_accuracy"] >= least


def over_seeds(values: Iterable[float], digits: int = 3) -> str:
    """``mean ± standard deviation``, or the number alone where there is one seed."""
    numbers = list(values)
    return spread(numbers, digits) if len(numbers) > 1 else f"{numbers[0]:.{digits}f}"


def same_cells(one: pd.DataFrame, other: pd.DataFrame, *axes: str) -> pd.DataFrame:
    """The cells and seeds that are in both tables, columns of the other with ``_other``."""
    keys = [*GRID, *axes]
    one, other = (table.assign(**{k: table[k].round(9) for k in keys}) for table in (one, other))
    return one.merge(other, on=[*keys, "seed"], suffixes=("", "_other"))
