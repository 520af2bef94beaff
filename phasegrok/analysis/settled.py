"""Accuracies that no single last point decides: medians over the end of the curve.

Single points of an unstable training fall to chance and come back, and the last may be one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["SETTLED", "end_of_curve", "settled", "with_settled"]

# Columns of ``runs``. Tables of earlier versions have none; with_settled gives them theirs.
SETTLED: Final = {
    "settled_train_accuracy": "train_accuracy",
    "settled_test_accuracy": "test_accuracy",
}
# Of a curve's points, one in so many is of its end.
SHARE: Final = 5


def end_of_curve(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median over the last fifth of a curve's points.

    Args:
        values: (runs, points), all logged points in their order, step 0 among them.

    Returns:
        (runs,) the median of the last ``max(1, points // 5)`` points, of those among them that are
        numbers: the mean of the two in the middle if their number is even, NaN if none is one.
    """
    last = values[:, -max(1, values.shape[1] // SHARE) :]
    return pd.DataFrame(last).median(axis=1).to_numpy(np.float64)


def settled(
    runs: pd.DataFrame,
    curves: pd.DataFrame | None,
    columns: Sequence[str] = ("test_accuracy",),
) -> pd.DataFrame:
    """Runs whose ``columns`` hold what :func:`end_of_curve` says instead of the last point.

    Args:
        runs: the ``runs`` table.
        curves: the ``curves`` table, with the same columns. Without it, only columns that ``runs``
            itself has settled are replaced.
        columns: those to replace.
    """
    held = {name: column for column, name in SETTLED.items() if column in runs}
    ends = {n: runs[held[n]].to_numpy(np.float64) for n in columns if n in held}
    if curves is not None:
        ends |= {n: _ends(runs, curves, n) for n in columns if n not in held}
    return runs.assign(**ends)


def with_settled(runs: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Runs with the columns :data:`SETTLED`, from the curves where the table has none.

    Args:
        runs: the ``runs`` table, of this or of an earlier version.
        curves: the ``curves`` table beside it.
    """
    missing = {column: name for column, name in SETTLED.items() if column not in runs}
    return runs.assign(**{c: _ends(runs, curves, name) for c, name in missing.items()})


def _ends(runs: pd.DataFrame, curves: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """The end of every run's curve of one column; NaN for a run that has no curve."""
    points = curves.sort_values("step").groupby("run")[name]
    ends = {run: end_of_curve(values.to_numpy(np.float64)[None])[0] for run, values in points}
    return runs["run"].map(ends).to_numpy(np.float64)
