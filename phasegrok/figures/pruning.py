"""Pruning curves (Doshi et al., Figures 6, 17, 18) and neurons needed by width (Figure 32)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from phasegrok.analysis.pruned import RETAINED, last_step, prunable
from phasegrok.figures import canvas
from phasegrok.figures.cells import title_lines
from phasegrok.figures.context import Context
from phasegrok.figures.curves import spread
from phasegrok.figures.grid import grid
from phasegrok.figures.legends import line_legend
from phasegrok.figures.palette import MAIN, QUANTITIES
from phasegrok.figures.registry import picture

__all__ = ["accuracies", "by_width", "losses"]

ORDERS: Final = {
    "lowest": "from lowest IPR",
    "highest": "from highest IPR",
    "random": "random order",
}
ACCURACIES: Final = (
    "test_accuracy",
    "train_accuracy",
    "clean_accuracy",
    "corrupted_accuracy",
    "true_accuracy",
)
# A looser and a stricter accuracy than the one that counts as retained.
OTHERS_RETAINED: Final = {0.90: "--", 0.99: ":"}


@picture("pruning_accuracy", applies=lambda context: bool(context.having("pruning")))
def accuracies(context: Context) -> Figure:
    """Figure of accuracies against the share of neurons pruned: cells down, orders across."""
    figure = _curves(context, ACCURACIES, "accuracy (0..1)")
    for axes in figure.axes:
        axes.set_ylim(-0.03, 1.03)
    return figure


@picture("pruning_loss", applies=lambda context: bool(context.having("pruning")))
def losses(context: Context) -> Figure:
    """Figure of train and test loss against the share of neurons pruned."""
    figure = _curves(context, ("train_loss", "test_loss"), "loss")
    for axes in figure.axes:
        axes.set_ylim(bottom=0)
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
        axes.yaxis.get_offset_text().set_fontsize(canvas.TICK_POINTS)
    return figure


def _curves(context: Context, columns: Sequence[str], name: str) -> Figure:
    cells = context.having("pruning")
    pruning = last_step(context.tables["pruning"])
    pruning = pruning.assign(
        share=pruning["pruned"] / pruning.groupby("run")["pruned"].transform("max")
    )
    orders = [order for order in ORDERS if (pruning["order"] == order).any()]
    sheet = grid(len(cells), len(orders), width=2.6, title_lines=title_lines(cells) + 1)
    legend: dict[str, Artist] = {}
    for line, cell in zip(sheet, cells, strict=True):
        mine = cell.of(pruning)
        for axes, order in zip(line, orders, strict=True):
            table = mine[mine["order"] == order]
            for column in columns:
                if table[column].notna().any():
                    label, style = QUANTITIES[column]
                    legend[label] = canvas.draw_line(axes, table, "share", column, style)
            canvas.title(axes, (*cell.titles, ORDERS[order]))
    sheet.name_x("share of neurons pruned")
    sheet.name_y(name)
    seeds = max(cell.of(pruning)["seed"].nunique() for cell in cells)
    line_legend(sheet.figure, legend, note=spread(seeds))
    return sheet.figure


def _has_widths(context: Context) -> bool:
    return context.axes == ["width"] and context.has("pruning") and context.has("runs")


@picture("prunable", applies=_has_widths)
def by_width(context: Context) -> Figure:
    """Figure of neurons needed, and of the share that can be pruned, against the width."""
    runs = context.tables["runs"]
    figure, ((left, right),) = canvas.panels(1, 2, width=3.0, height=2.4)
    legend: dict[str, ErrorbarContainer] = {}
    for retained in (RETAINED, *OTHERS_RETAINED):
        found = prunable(context.tables["pruning"], runs, retained)
        main = retained == RETAINED
        style = {
            "color": MAIN if main else "#888888",
            "linewidth": 1.2 if main else 0.9,
            "linestyle": OTHERS_RETAINED.get(retained, "-"),
        }
        for axes, column in ((left, "needed"), (right, "prunable")):
            legend[f"test accuracy ≥ {retained:.0%}"] = _error_bars(axes, found, column, style)
    left.set_ylabel("neurons needed", fontsize=canvas.LABEL_POINTS)
    right.set_ylabel("prunable neurons (%)", fontsize=canvas.LABEL_POINTS)
    right.set_ylim(0, 100)
    seeds = runs.groupby("width").size()
    for axes in (left, right):
        canvas.log_ticks(axes)
        axes.set_xticks(seeds.index.to_numpy())
        axes.set_xlabel("width N", fontsize=canvas.LABEL_POINTS)
    canvas.title(left, ("pruned from lowest IPR",))
    canvas.title(right, ("dots: mean; bars: standard error",))
    line_legend(figure, legend)
    return figure


def _error_bars(
    axes: Axes, table: pd.DataFrame, column: str, style: dict[str, Any]
) -> ErrorbarContainer:
    """Mean and standard error over seeds at every width."""
    known = table.dropna(subset=[column]).groupby("width")[column]
    mean, count = known.mean(), known.count()
    error: pd.Series[float] = known.std(ddof=1).fillna(0) / np.sqrt(count)
    return canvas.error_bars(axes, mean, error, style)
