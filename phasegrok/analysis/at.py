"""The rows of a table at some values of its swept columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["rows_at", "rows_by"]


def rows_at(table: pd.DataFrame, values: Mapping[str, Any]) -> pd.DataFrame:
    """The rows that have these values.

    A null matches nulls: a setting that only some variants have is null in the others.

    Args:
        table: any result table.
        values: by column.
    """
    there = np.ones(len(table), dtype=bool)
    for name, value in values.items():
        column = table[name]
        same = column.isna() if pd.isna(value) else column.eq(value).fillna(False)
        there &= np.asarray(same, dtype=bool)
    return table[there]


def rows_by(table: pd.DataFrame, names: Sequence[str]) -> Callable[[Sequence[Any]], pd.DataFrame]:
    """:func:`rows_at` for many values of the same columns: the table is gone through once.

    Args:
        table: any result table.
        names: of the columns.

    Returns:
        A function from values, one a column, to the rows that have them.
    """
    found: dict[tuple[Any, ...], list[int]] = {}
    columns = [table[name].astype(object).where(table[name].notna(), None) for name in names]
    for position, key in enumerate(zip(*columns, strict=True)):
        found.setdefault(key, []).append(position)

    def rows(values: Sequence[Any]) -> pd.DataFrame:
        if not names:
            return table
        key = tuple(None if pd.isna(value) else value for value in values)
        return table.take(found.get(key, []))

    return rows
