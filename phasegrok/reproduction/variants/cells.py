"""Cells counted and compared, and what the claims share."""

from __future__ import annotations

from typing import Final

import pandas as pd

__all__ = ["COLUMNS", "GRID", "SMALL", "WEAK", "counts", "same_cells"]

GRID: Final = ["data_fraction", "corruption_fraction"]
SMALL: Final = "p = 47, N = 256"
COLUMNS: Final = ["ipr", "normalization_weight"]
# Below it there is no correlation: several hundred neurons have as much by chance.
WEAK: Final = 0.3


def counts(runs: pd.DataFrame, column: str, phase: str, label: str = "phase") -> pd.Series[int]:
    """Cells of a phase at every value of an axis."""
    return (runs[label] == phase).groupby(runs[column]).sum().astype(int)


def same_cells(one: pd.DataFrame, other: pd.DataFrame, *axes: str) -> pd.DataFrame:
    """Both tables' cells that are in both, columns of the other with ``_other``."""
    keys = [*GRID, *axes]
    one, other = (table.assign(**{k: table[k].round(9) for k in keys}) for table in (one, other))
    return one.merge(other, on=keys, suffixes=("", "_other"))
