"""Critical sizes by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phasegrok.analysis.critical import crossings, estimate, tolerated


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ([0.1, 0.4, 0.6, 1.0], 0.25),
        ([0.1, 0.9, 0.2, 1.0], 0.3 + 0.1 * 0.3 / 0.8),
        ([0.9, 0.9, 0.9, 0.9], np.nan),
        ([0.1, 0.9, 0.9, 0.4], np.nan),
        ([np.nan, np.nan, 1.0, 1.0], 0.25),
    ],
)
def test_crossings(accuracies: list[float], expected: float) -> None:
    """On the line between the last size below a half and the next; an earlier rise that is lost
    again does not count; a diverged run has accuracy 0. The rows' order is of no account."""
    runs = pd.DataFrame({"size": [0.1, 0.2, 0.3, 0.4], "test_accuracy": accuracies, "seed": 7})
    found = crossings(runs.sample(frac=1, random_state=0), "size")
    np.testing.assert_allclose(found[7], expected)


def test_estimate() -> None:
    """Student's interval of 1, 2, 3 is 2 -+ 4.303 / sqrt(3); what is missing is not counted."""
    found = estimate([1.0, np.nan, 2.0, 3.0])
    half = 4.302653 / 3**0.5
    np.testing.assert_allclose(found, (2, 2 - half, 2 + half, 3), rtol=1e-6)
    assert estimate([np.nan]).seeds == 0 and np.isnan(estimate([np.nan]).mean)
    assert estimate([0.3]).mean == 0.3 and np.isnan(estimate([0.3]).low)


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
