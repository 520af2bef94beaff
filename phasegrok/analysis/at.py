"""The rows of a table at some values of its swept columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["rows_at"]


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
