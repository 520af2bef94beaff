"""Accuracies at the end of a curve, by hand, from arrays and from tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phasegrok.analysis.settled import end_of_curve, settled, with_settled


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ([0.1] * 12 + [0.9, 0.8, 0.0], 0.8),  # three of fifteen points, of which the last fell
        ([0.1] * 15 + [0.9, 0.8, 0.0, 0.4], 0.4),  # nineteen have three as well
        ([0.1] * 16 + [0.9, 0.8, 0.0, 0.4], 0.6),  # twenty have four: the mean of the middle two
        ([0.1, 0.2, 0.3, 0.7], 0.7),  # at least one
        ([0.5], 0.5),
        ([0.1] * 12 + [0.9, np.nan, np.nan], 0.9),  # points that are no numbers do not count
        ([0.1] * 4 + [np.nan], np.nan),
    ],
)
def test_the_median_of_the_last_fifth(curve: list[float], expected: float) -> None:
    """Of each run by itself: beside it stands one that is all 1."""
    found = end_of_curve(np.array([curve, [1.0] * len(curve)]))
    np.testing.assert_allclose(found, [expected, 1], rtol=1e-12)


# Two runs that fall at the last of ten points, the second of which was not that far before, in any
# order; and a run without a curve.
CURVES = pd.DataFrame(
    {
        "run": ["a"] * 10 + ["b"] * 10,
        "step": [*range(10), *range(10)],
        "test_accuracy": [0.2] * 8 + [0.9, 0.1] + [0.2] * 8 + [0.5, 0.1],
        "train_accuracy": [1.0] * 20,
        "train_logit": [0.0] * 8 + [3, 5] + [0.0] * 8 + [1, 1],
    }
).sample(frac=1, random_state=0)
RUNS = pd.DataFrame(
    {"run": ["b", "a", "c"], "test_accuracy": [0.1] * 3, "train_logit": [1.0, 5, 0], "seed": 3}
)


def test_tables_without_the_columns_get_them_from_the_curves() -> None:
    """In the order of the runs. Where the table has them they stay."""
    found = with_settled(RUNS, CURVES)
    np.testing.assert_allclose(found["settled_test_accuracy"], [0.3, 0.5, np.nan])
    np.testing.assert_allclose(found["settled_train_accuracy"], [1, 1, np.nan])
    assert found["test_accuracy"].tolist() == [0.1] * 3 and "settled_test_accuracy" not in RUNS
    held = with_settled(RUNS.assign(settled_test_accuracy=0.7), CURVES)
    assert held["settled_test_accuracy"].tolist() == [0.7] * 3


def test_settled_values_stand_for_the_last_ones() -> None:
    """Of the columns that are asked for, from the table where it has them, else from the curves,
    else the last ones as they are."""
    found = settled(RUNS, CURVES, ("test_accuracy", "train_logit"))
    np.testing.assert_allclose(found["test_accuracy"], [0.3, 0.5, np.nan])
    np.testing.assert_allclose(found["train_logit"], [1, 4, np.nan])
    assert found["seed"].tolist() == [3] * 3
    held = RUNS.assign(settled_test_accuracy=[0.6, 0.7, 0.8])
    for curves in (CURVES, None):
        assert settled(held, curves)["test_accuracy"].tolist() == [0.6, 0.7, 0.8]
    pd.testing.assert_frame_equal(settled(RUNS, None), RUNS)
