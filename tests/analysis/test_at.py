"""Rows at values of swept columns, nulls among them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from phasegrok.analysis.at import rows_at


def test_values_and_nulls_match() -> None:
    table = pd.DataFrame(
        {
            "decay": [0.0, 5.0, np.nan, 5.0],
            "kind": ["a", "a", None, None],
            "tied": pd.array([True, None, False, None], dtype="boolean"),
        }
    )
    assert list(rows_at(table, {}).index) == [0, 1, 2, 3]
    assert list(rows_at(table, {"decay": 5.0}).index) == [1, 3]
    assert list(rows_at(table, {"decay": np.nan}).index) == [2]
    assert list(rows_at(table, {"decay": 5.0, "kind": None}).index) == [3]
    assert list(rows_at(table, {"tied": True}).index) == [0]
    assert list(rows_at(table, {"tied": None}).index) == [1, 3]
