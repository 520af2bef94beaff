"""Thresholds of outliers, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phasegrok.reproduction.parity import tolerated


@pytest.mark.parametrize(
    ("means", "expected"),
    [([1.0, 0.995, 0.9, 1.0], 0.1), ([1.0] * 4, 0.3), ([0.5, 1.0, 1.0, 1.0], np.nan)],
)
def test_tolerated_is_the_last_share_before_the_first_loss(
    means: list[float], expected: float
) -> None:
    """Of seeds' means: two seeds, one 0.005 above and one as much below; a later recovery, as at
    0.3 in the first case, does not count."""
    shares = [0.0, 0.1, 0.2, 0.3]
    runs = pd.DataFrame(
        {
            "corruption_fraction": shares * 2,
            "test_accuracy": [m + 0.005 for m in means] + [m - 0.005 for m in means],
        }
    )
    np.testing.assert_equal(tolerated(runs, 0.99), expected)
