"""Training curves of single cells (Doshi et al., Figures 1, 2a, 8 and 19; efficiency study, 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasegrok.analysis.stages import knees, stages
from phasegrok.config import SOLVED
from phasegrok.figures import canvas
from phasegrok.figures.cells import LINES, OneCell, draw_line

__all__ = ["accuracies", "losses", "norms"]

PANELS_ACROSS: Final = 4
COLOURS: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
STAGES: Final = {"grokking_step": "grokking", "unlearning_step": "unlearning"}


def accuracies(curves: pd.DataFrame, cells: Sequence[OneCell]) -> Figure:
    """Figure of accuracies and mean IPR against the step, with the steps of the two stages."""
    curves = curves[curves["step"] > 0]  # which a logarithmic axis cannot show
    figure, panels = _sheet(cells)
    legend: dict[str, Artist] = {}
    columns = ["train_accuracy", "test_accuracy", "corrupted_accuracy", "mean_ipr"]
    for cell, axes in zip(cells, panels, strict=False):
        table = cell.of(curves)
        for column in columns:
            if table[column].notna().any():
                name, style = LINES[column]
                legend[name] = draw_line(axes, table, "step", column, style)
        axes.set_ylim(-0.03, 1.03)
        _mark_stages(axes, table)
    _label(figure, panels, cells, "accuracy (0..1), IPR")
    canvas.line_legend(figure, legend)
    return figure


def losses(curves: pd.DataFrame, cells: Sequence[OneCell]) -> Figure:
    """Figure of training and test loss against the step, both axes logarithmic."""
    curves = curves[curves["step"] > 0]
    figure, panels = _sheet(cells)
    legend: dict[str, Artist] = {}
    for cell, axes in zip(cells, panels, strict=False):
        table = cell.of(curves)
        for column in ("train_loss", "test_loss"):
            name, style = LINES[column]
            legend[name] = draw_line(axes, table, "step", column, style)
        axes.set_yscale("log")
    _label(figure, panels, cells, "loss")
    canvas.line_legend(figure, legend)
    return figure


def norms(curves: pd.DataFrame, cells: Sequence[OneCell], kind: str = "norm") -> Figure:
    """Figure of norms of the weight matrices against the step.

    Args:
        kind: ``norm``, Frobenius, or ``spectral``: with the median steps of memorization and
            generalization, as in Figure 2.4 of the thesis.
    """
    every, curves = curves, curves[curves["step"] > 0]
    figure, panels = _sheet(cells)
    legend: dict[str, Artist] = {}
    matrices = [name for name in curves.columns if name.startswith(f"{kind}_")]
    for cell, axes in zip(cells, panels, strict=False):
        table = cell.of(curves)
        for number, column in enumerate(matrices):
            if table[column].notna().any():
                # U and V lie on each other: the second is dashed.
                style = {"color": COLOURS[number % 6], "linestyle": ("-", "--")[number % 2]}
                name = column.removeprefix(f"{kind}_").upper()
                legend[name] = draw_line(axes, table, "step", column, style)
        axes.set_ylim(bottom=0)
        if kind == "spectral":
            _mark_solved(axes, cell.of(every))
            first = next(name for name in matrices if table[name].notna().any())
            name = "inflections of " + first.removeprefix("spectral_").upper()
            legend[name] = _mark_knees(axes, table, first)
    _label(figure, panels, cells, {"norm": "Frobenius norm", "spectral": "spectral norm"}[kind])
    canvas.line_legend(figure, legend)
    return figure


def _sheet(cells: Sequence[OneCell]) -> tuple[Figure, list[Axes]]:
    across = min(len(cells), PANELS_ACROSS)
    figure, sheet = canvas.panels(math.ceil(len(cells) / across), across)
    panels = [axes for row in sheet for axes in row]
    for unused in panels[len(cells) :]:
        unused.set_visible(False)
    return figure, panels[: len(cells)]


def _label(figure: Figure, panels: list[Axes], cells: Sequence[OneCell], name: str) -> None:
    across = min(len(cells), PANELS_ACROSS)
    for number, (axes, cell) in enumerate(zip(panels, cells, strict=True)):
        canvas.title(axes, cell.titles)
        # Grokking is over within a tenth of the training; on a plain axis it is a corner.
        canvas.log_ticks(axes)
        if number + across >= len(cells):
            axes.set_xlabel("optimizer step", fontsize=canvas.LABEL_POINTS)
        if number % across == 0:
            axes.set_ylabel(name, fontsize=canvas.LABEL_POINTS)


def _mark_stages(axes: Axes, table: pd.DataFrame) -> None:
    """Thin lines at the median steps at which the runs grok and unlearn."""
    found = stages(table)
    for side, (column, name) in zip(("right", "left"), STAGES.items(), strict=True):
        _mark(axes, found[column], name, side)


def _mark_solved(axes: Axes, table: pd.DataFrame) -> None:
    """Thin lines at the median steps at which training set and test set are first solved."""
    for side, name in (("right", "memorization"), ("left", "generalization")):
        column = "train_accuracy" if name == "memorization" else "test_accuracy"
        solved = table[table[column] > SOLVED]
        _mark(axes, solved.groupby("seed")["step"].min(), name, side, height=0.12)


def _mark_knees(axes: Axes, table: pd.DataFrame, column: str) -> Artist:
    """Marks with their steps where a norm bends most: medians over seeds, on the mean's line."""
    steps = knees(table, column).median().dropna()
    mean = table.groupby("step")[column].mean()
    heights = np.interp(steps, mean.index, mean)
    (marks,) = axes.plot(steps, heights, "v", color="#000000", markersize=4)
    for step, height in zip(steps, heights, strict=True):
        axes.annotate(
            f"{step:.0f}",
            (step, height),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=canvas.TICK_POINTS - 1,
        )
    return marks


def _mark(axes: Axes, steps: pd.Series[Any], name: str, side: str, height: float = 0.56) -> None:
    """A thin line at the median of steps, its name on one side."""
    steps = steps.dropna()
    if steps.empty:
        return
    step = float(steps.median())
    axes.axvline(step, color="#666666", linewidth=0.6, linestyle=(0, (2, 2)))
    axes.annotate(
        f"{name}\n{step:.0f}",
        (step, height),
        xycoords=("data", "axes fraction"),
        xytext=(-3 if side == "right" else 3, 0),
        textcoords="offset points",
        ha=side,
        va="center",
        color="#444444",
        fontsize=canvas.TICK_POINTS - 1,
    )
