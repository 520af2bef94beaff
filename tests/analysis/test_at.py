"""Rows at values of swept columns, nulls among them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from phasegrok.analysis.at import rows_at, rows_by


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


@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.3, None]), st.sampled_from(["a", "b", None])), max_size=20
    ),
    st.integers(0, 2),
)
def test_many_values_at_once_are_the_same(
    rows: list[tuple[float | None, str | None]], count: int
) -> None:
    """As one look at the table for each of them, nulls included, also where nothing is there."""
    table = pd.DataFrame(rows, columns=["x", "kind"]).astype({"x": "Float64"})
    names = ["x", "kind"][:count]
    at = rows_by(table, names)
    for values in [*rows, (0.7, "a")]:
        wanted = rows_at(table, dict(zip(names, values, strict=False)))
        pd.testing.assert_frame_equal(at(values[:count]), wanted)
