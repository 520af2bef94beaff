"""Whether a share of runs rises with a number, and how sure of it one may be."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Rise", "rise"]


class Rise(NamedTuple):
    """How a share of runs goes with a number."""

    slope: float  # change of the share when the number grows by 1
    low: float  # ends of the slope's 95 % confidence interval
    high: float
    z: float  # the statistic of the Cochran-Armitage test; above 0 where the share rises
    p: float  # chance of so large a statistic, or a larger one, where the share is the same for all


def rise(number: ArrayLike, runs: ArrayLike, at: ArrayLike) -> Rise:
    """Cochran and Armitage's test for a trend in shares, and the slope of the line through them.

    With r_i of n_i runs at x_i, p the share of all runs, and m the mean of x over runs:
    S = sum n_i (x_i - m)^2, slope = sum r_i (x_i - m) / S, z = slope sqrt(S / (p (1 - p))).
    The interval takes each group's own variance, r_i (1 - r_i / n_i), because shares differ.

    Args:
        number: (groups,) runs that reached something.
        runs: (groups,) runs, at least 1 each.
        at: (groups,) the number that the share may rise with. At least two differ.

    Returns:
        One-sided p; z is 0 and p 0.5 where no run or every run reached it.
    """
    r, n, x = (np.asarray(values, np.float64) for values in (number, runs, at))
    away = x - (n * x).sum() / n.sum()
    spread = float((n * away**2).sum())
    share = float(r.sum() / n.sum())
    slope = float((r * away).sum() / spread)
    half = 1.96 * math.sqrt(float((away**2 * r * (1 - r / n)).sum())) / spread
    varies = 0 < share < 1
    z = slope * math.sqrt(spread / (share * (1 - share))) if varies else 0.0
    return Rise(slope, slope - half, slope + half, z, math.erfc(z / math.sqrt(2)) / 2)
