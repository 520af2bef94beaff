"""Critical values: the size of a training set from which on networks generalize (efficiency study,
section 4.2), and the share of flipped labels up to which they do (thesis, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

__all__ = ["Estimate", "crossings", "estimate", "tolerated"]


class Estimate(NamedTuple):
    """A mean over seeds with its 95 % confidence interval (Student's t)."""

    mean: float
    low: float
    high: float
    seeds: int  # only those that cross within the sizes looked at are in the numbers


def crossings(runs: pd.DataFrame, size: str, level: float = 0.5) -> pd.Series[Any]:
    """Where each seed's final test accuracy comes to stay above a level, by size.

    The crossing is on the straight line between the largest size that ends below the level and the
    next one. A recovery at a smaller size does not count.

    Args:
        runs: one row a run, with ``seed``, ``test_accuracy`` and the column ``size``.
        size: column, such as ``data_fraction``.

    Returns:
        By seed; NaN where all sizes end above the level, or the largest below it.
    """
    found = {}
    for seed, one in runs.groupby("seed"):
        ordered = one.sort_values(size)
        x, y = ordered[size].to_numpy(np.float64), ordered["test_accuracy"].to_numpy(np.float64)
        below = np.flatnonzero(~(y > level))  # a diverged run's accuracy of NaN is none
        last = int(below[-1]) if len(below) else -1
        if last in (-1, len(y) - 1):
            found[seed] = np.nan
        else:
            low, high = np.nan_to_num(y[last]), y[last + 1]
            share = (level - low) / (high - low)
            found[seed] = x[last] + share * (x[last + 1] - x[last])
    return pd.Series(found, dtype=np.float64)


def estimate(values: Sequence[float] | pd.Series[Any]) -> Estimate:
    """Mean and interval of the numbers that are not missing.

    The mean of no numbers is NaN. So is the interval of fewer than two.
    """
    from scipy.stats import t  # takes a second, and few figures need it

    numbers = np.asarray(values, np.float64)
    numbers = numbers[~np.isnan(numbers)]
    n = len(numbers)
    if n < 2:
        mean = float(numbers[0]) if n else float("nan")
        return Estimate(mean, float("nan"), float("nan"), n)
    half = float(t.ppf(0.975, n - 1) * numbers.std(ddof=1) / n**0.5)
    mean = float(numbers.mean())
    return Estimate(mean, mean - half, mean + half, n)


def tolerated(runs: pd.DataFrame, accuracy: float) -> float:
    """The largest share of flipped labels that the mean test accuracy over seeds stands.

    At this share and at all smaller ones it is at least ``accuracy``. NaN if there is none.
    """
    means = runs.groupby("corruption_fraction")["test_accuracy"].mean()
    lost = means.index[means < accuracy]
    kept = means.index[means.index < lost.min()] if len(lost) else means.index
    return float(kept.max()) if len(kept) else float("nan")
