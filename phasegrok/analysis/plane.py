"""Which swept numbers a diagram spreads out, across and up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

__all__ = ["ALPHA", "XI", "across_and_up", "is_number", "plane"]

ALPHA: Final = "data_fraction"
XI: Final = "corruption_fraction"


def is_number(column: pd.Series[Any]) -> bool:
    """Whether a column has an order worth an axis; pandas counts booleans as numbers too."""
    kind = pd.api.types
    return kind.is_numeric_dtype(column) and not kind.is_bool_dtype(column)


def across_and_up(cells: pd.DataFrame, axes: Sequence[str]) -> tuple[str | None, str | None]:
    """What runs across, and what runs up; None where no swept number is left.

    Across goes the data fraction if swept, else the first other number; up the corruption fraction
    if swept, else the next one.
    """
    numbers = [name for name in axes if is_number(cells[name])]
    free = [name for name in numbers if name not in (ALPHA, XI)]
    # A lone swept corruption fraction or number goes up or across; it is never taken twice.
    x = ALPHA if ALPHA in numbers else (free.pop(0) if free else None)
    y = XI if XI in numbers else (free.pop(0) if free else None)
    return x, y


def plane(cells: pd.DataFrame, axes: Sequence[str]) -> list[str]:
    """The swept numbers that a diagram spreads out, across first; fewer than two if there are."""
    return [name for name in across_and_up(cells, axes) if name is not None]
