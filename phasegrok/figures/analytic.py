"""How good the analytic solution is at every width (Doshi et al., equation 6)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from phasegrok.analysis.trends import analytic_exponent
from phasegrok.figures import canvas
from phasegrok.figures.context import Context
from phasegrok.figures.palette import MAIN
from phasegrok.figures.registry import picture

__all__ = ["by_width"]


def _is_analytic(context: Context) -> bool:
    initialization = context.sweep.get("model", {}).get("initialization")
    return context.axes == ["width"] and initialization == "analytic" and context.has("curves")


@picture("analytic", applies=_is_analytic)
def by_width(context: Context) -> Figure:
    """Figure of accuracy, and of the root mean square error of an output, against the width.

    Step 0 is shown: the analytic starting point.
    """
    curves = context.tables["curves"]
    start = curves[curves["step"] == 0]
    figure, ((left, right),) = canvas.panels(1, 2, width=3.0, height=2.4)
    grouped = start.assign(error=np.sqrt(start["test_loss"])).groupby("width")
    mean, low, high = grouped.mean(numeric_only=True), grouped.min(), grouped.max()
    for axes, column in ((left, "test_accuracy"), (right, "error")):
        axes.plot(mean.index, mean[column], marker="o", markersize=3, color=MAIN, linewidth=1)
        canvas.band(axes, low[column], high[column], MAIN)
        canvas.log_ticks(axes)
        axes.set_xticks(mean.index.to_numpy())
        axes.set_xlabel("width N", fontsize=canvas.LABEL_POINTS)
    left.set_ylabel("accuracy (0..1)", fontsize=canvas.LABEL_POINTS)
    canvas.log_y(right)
    right.tick_params(which="both", labelsize=canvas.TICK_POINTS)
    right.set_ylabel("rms error of an output", fontsize=canvas.LABEL_POINTS)
    wide = mean["error"].iloc[-1] * np.sqrt(mean.index[-1] / mean.index.to_numpy(dtype=float))
    right.plot(mean.index, wide, color="#999999", linewidth=0.8, linestyle="--")
    seeds = start["seed"].nunique()
    band = f"mean; band: lowest to highest, {seeds} seeds" if seeds > 1 else "one seed"
    canvas.title(left, ("analytic solution, untrained", band))
    canvas.title(right, (f"slope {analytic_exponent(start):.2f}", "dashed: 1/√N"))
    return figure
