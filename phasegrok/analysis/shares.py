"""Shares of runs, with how sure of them one may be."""

from __future__ import annotations

from typing import Any

import pandas as pd

__all__ = ["share"]


def share(reached: pd.Series[bool], by: pd.Series[Any]) -> pd.DataFrame:
    """How many runs of each group reached something.

    Args:
        reached: one truth value a run.
        by: its group.

    Returns:
        One row a group: ``number`` that reached it, ``runs``, ``share``, and ``low`` and ``high``,
        the ends of Wilson's 95 % confidence interval.
    """
    from scipy.stats import binomtest  # takes a second, and few figures need it

    counts = reached.groupby(by).agg(["sum", "size"])
    rows = {}
    for group, (number, runs) in counts.iterrows():
        interval = binomtest(int(number), int(runs)).proportion_ci(method="wilson")
        rows[group] = {
            "number": int(number),
            "runs": int(runs),
            "share": number / runs,
            "low": interval.low,
            "high": interval.high,
        }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = by.name
    return frame
