"""How large weights must be for an output, and how long a curve rises (efficiency study, sections
3.2 and 4)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = ["ascent", "norm_at_logit", "reaches", "share_below"]


def norm_at_logit(norm: ArrayLike, logit: ArrayLike, at: float, degree: int) -> NDArray[Any]:
    """Norm that a network's weights have once they are scaled so that its logit is ``at``.

    norm * (at / logit)^(1 / degree). It holds exactly for networks of ``degree`` layers without
    biases whose activations are ReLU: with all weights times c, outputs are times c^degree. So
    networks of different logits can be compared at the same one ("producing equivalent logits on
    the training set with a smaller parameter norm", section 4.1).

    Args:
        norm: of all weights.
        logit: of the correct class above the mean of all outputs; where it is not positive, no
            scale has the logit ``at``, and the result is NaN.
        at: the logit that the networks are compared at, above 0.
        degree: number of layers that follow each other; an embedding is one.
    """
    norms, logits = np.asarray(norm, np.float64), np.asarray(logit, np.float64)
    positive = np.where(logits > 0, logits, np.nan)
    scaled: NDArray[Any] = norms * (at / positive) ** (1 / degree)
    return scaled


def reaches(x: ArrayLike, y: ArrayLike, level: float) -> float:
    """First ``x`` at which ``y`` reaches a level, on the straight lines between the points.

    Args:
        x: rising.
        y: values there.
        level: to reach from below.

    Returns:
        The first x itself if y begins at the level or above; NaN if it never gets there.
    """
    at, values = np.asarray(x, np.float64), np.asarray(y, np.float64)
    above = np.flatnonzero(values >= level)
    if not len(above):
        return float("nan")
    first = int(above[0])
    if first == 0:
        return float(at[0])
    low, high = values[first - 1], values[first]
    return float(at[first - 1] + (level - low) / (high - low) * (at[first] - at[first - 1]))


def ascent(curve: pd.DataFrame, low: float, high: float) -> float:
    """Steps that test accuracy takes from a level to another.

    From the last logged step at which it is at most ``low`` before the first one at which it is at
    least ``high``. NaN if it never is as high.

    Args:
        curve: rows of ``curves`` of one run: ``step``, ``test_accuracy``.
        low: the level that it leaves.
        high: the level that it reaches.
    """
    curve = curve.sort_values("step")
    steps = curve["step"].to_numpy(np.float64)
    accuracy = curve["test_accuracy"].to_numpy(np.float64)
    high_at = np.flatnonzero(accuracy >= high)
    if not len(high_at):
        return float("nan")
    low_at = np.flatnonzero(accuracy[: high_at[0]] <= low)
    return float(steps[high_at[0]] - steps[low_at[-1] if len(low_at) else 0])


def share_below(curves: pd.DataFrame, column: str, level: float) -> pd.Series[Any]:
    """Share of every run's logged points, after the first that reaches a level, that fall below it.

    0 is a stable training. NaN where the level is never reached.

    Args:
        curves: the ``curves`` table: ``run``, ``step`` and the column.
        column: such as ``train_accuracy``.
        level: that is kept or lost.
    """
    found = {}
    for run, curve in curves.groupby("run", sort=False):
        values = curve.sort_values("step")[column].to_numpy(np.float64)
        above = np.flatnonzero(values >= level)
        after = values[above[0] :] if len(above) else np.full(1, np.nan)
        found[run] = float((after < level).mean()) if len(above) else float("nan")
    return pd.Series(found, dtype=np.float64)
