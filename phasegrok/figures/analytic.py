"""How good the analytic solution is at every width (Doshi et al., equation 6)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from phasegrok.figures import canvas

__all__ = ["by_width", "slope"]


def by_width(curves: pd.DataFrame) -> Figure:
    """Figure of accuracy, and of the root mean square error of an output, against the width.

    Args:
        curves: the ``curves`` table of analytic starting points, with ``width``; step 0 is shown.
    """
    start = curves[curves["step"] == 0]
    figure, ((left, right),) = canvas.panels(1, 2, width=3.0, height=2.4)
    grouped = start.assign(error=np.sqrt(start["test_loss"])).groupby("width")
    mean, low, high = grouped.mean(numeric_only=True), grouped.min(), grouped.max()
    for axes, column in ((left, "test_accuracy"), (right, "error")):
        axes.plot(mean.index, mean[column], marker="o", markersize=3, color="#0072b2", linewidth=1)
        axes.fill_between(
            mean.index,
            low[column].astype(float),
            high[column].astype(float),
            color="#0072b2",
            alpha=0.18,
            linewidth=0,
        )
        canvas.log_ticks(axes)
        axes.set_xticks(mean.index.to_numpy())
        axes.set_xlabel("width N", fontsize=canvas.LABEL_POINTS)
    left.set_ylabel("accuracy (0..1)", fontsize=canvas.LABEL_POINTS)
    right.set_yscale("log")
    right.tick_params(which="both", labelsize=canvas.TICK_POINTS)
    right.set_ylabel("rms error of an output", fontsize=canvas.LABEL_POINTS)
    wide = mean["error"].iloc[-1] * np.sqrt(mean.index[-1] / mean.index.to_numpy(dtype=float))
    right.plot(mean.index, wide, color="#999999", linewidth=0.8, linestyle="--")
    seeds = start["seed"].nunique()
    canvas.title(left, ("analytic solution", f"mean and range of {seeds} seeds"))
    canvas.title(right, (f"slope {slope(start):.2f}", "dashed: 1/√N"))
    return figure


def slope(start: pd.DataFrame) -> float:
    """Exponent of the root mean square error's power law in the width, by least squares."""
    error = np.log(np.sqrt(start["test_loss"].to_numpy(dtype=np.float64)))
    return float(np.polyfit(np.log(start["width"].to_numpy(dtype=np.float64)), error, 1)[0])
