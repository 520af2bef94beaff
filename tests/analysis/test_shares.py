"""Shares and their intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from phasegrok.analysis.shares import share


def test_shares_with_wilsons_interval() -> None:
    """By its formula, z = 1.96; nothing and everything still leave room."""
    reached = pd.Series([True] * 3 + [False] * 7 + [False] * 5 + [True] * 5)
    by = pd.Series([4] * 10 + [1] * 5 + [9] * 5, name="width")
    found = share(reached, by)
    assert found.index.tolist() == [1, 4, 9] and found.index.name == "width"
    np.testing.assert_array_equal(found["share"], [0, 0.3, 1])
    np.testing.assert_array_equal(found[["number", "runs"]], [[0, 5], [3, 10], [5, 5]])
    p, n, z = np.array([0, 0.3, 1]), np.array([5, 10, 5]), 1.959964
    middle, half = p + z**2 / 2 / n, z * (p * (1 - p) / n + (z / 2 / n) ** 2) ** 0.5
    np.testing.assert_allclose(found["low"], (middle - half) / (1 + z**2 / n), atol=1e-6)
    np.testing.assert_allclose(found["high"], (middle + half) / (1 + z**2 / n), atol=1e-6)
