"""Training curves of single cells (Doshi et al., Figures 1, 2a, 8 and 19; efficiency study, 5)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasegrok.analysis.stages import first_step, knees, stages
from phasegrok.config import SOLVED
from phasegrok.figures import canvas
from phasegrok.figures.cells import OneCell
from phasegrok.figures.context import Context
from phasegrok.figures.palette import MATRICES, QUANTITIES
from phasegrok.figures.registry import picture

__all__ = ["accuracies", "losses", "norms"]

PANELS_ACROSS: Final = 4
STAGES: Final = {"grokking_step": "grokking", "unlearning_step": "unlearning"}


def _has_curves(context: Context) -> bool:
    return context.has("curves") and bool(context.single)


def _after_start(context: Context) -> tuple[pd.DataFrame, list[OneCell]]:
    """The curves but for step 0, which a logarithmic axis cannot show, and the cells."""
    curves = context.tables["curves"]
    return curves[curves["step"] > 0], context.single


@picture("curves", applies=_has_curves)
def accuracies(context: Context) -> Figure:
    """Figure of accuracies and mean IPR against the step, with the steps of the two stages."""
    curves, cells = _after_start(context)
    figure, panels = _sheet(cells)
    legend: dict[str, Artist] = {}
    columns = ["train_accuracy", "test_accuracy", "corrupted_accuracy", "mean_ipr"]
    for cell, axes in zip(cells, panels, strict=False):
        table = cell.of(curves)
        for column in columns:
            if table[column].notna().any():
                name, style = QUANTITIES[column]
                legend[name] = canvas.draw_line(axes, table, "step", column, style)
        axes.set_ylim(-0.03, 1.03)
        _mark_stages(axes, table)
    _label(figure, panels, cells, "accuracy (0..1), IPR")
    canvas.line_legend(figure, legend)
    return figure


@picture("losses", applies=_has_curves)
def losses(context: Context) -> Figure:
    """Figure of training and test loss against the step, both axes logarithmic."""
    curves, cells = _after_start(context)
    figure, panels = _sheet(cells)
    legend: dict[str, Artist] = {}
    for cell, axes in zip(cells, panels, strict=False):
        table = cell.of(curves)
        for column in ("train_loss", "test_loss"):
            name, style = QUANTITIES[column]
            legend[name] = canvas.draw_line(axes, table, "step", column, style)
        canvas.log_y(axes)
    _label(figure, panels, cells, "loss")
    canvas.line_legend(figure, legend)
    return figure


@picture("norms", applies=_has_curves)
def norms(context: Context) -> Figure:
    """Figure of the Frobenius norms of the weight matrices against the step."""
    return _norms(context, "norm", "Frobenius norm")


def _has_spectral_norms(context: Context) -> bool:
    return _has_curves(context) and bool(_matrices(context, "spectral"))


@picture("spectral_norms", applies=_has_spectral_norms)
def spectral_norms(context: Context) -> Figure:
    """Figure of the spectral norms against the step, as Figure 2.4 of the thesis.

    With the median steps of memorization and generalization, and the inflections.
    """
    return _norms(context, "spectral", "spectral norm", _mark_spectral)


def _norms(
    context: Context,
    kind: str,
    name: str,
    mark: Callable[[Axes, pd.DataFrame, list[str]], dict[str, Artist]] | None = None,
) -> Figure:
    """Figure of the columns of a kind; ``mark`` adds more to the panel of every cell."""
    curves, cells = _after_start(context)
    figure, panels = _sheet(cells)
    legend: dict[str, Artist] = {}
    for cell, axes in zip(cells, panels, strict=False):
        table = cell.of(curves)
        there = []
        for number, column in enumerate(_matrices(context, kind)):
            if np.isfinite(table[column]).any():
                # U and V lie on each other: the second is dashed.
                colour, dashes = MATRICES[number % len(MATRICES)], ("-", "--")[number % 2]
                style = {"color": colour, "linestyle": dashes}
                legend[_matrix(column)] = canvas.draw_line(axes, table, "step", column, style)
                there.append(column)
        axes.set_ylim(bottom=0)
        if mark is not None:
            legend |= mark(axes, cell.of(context.tables["curves"]), there)
    _label(figure, panels, cells, name)
    canvas.line_legend(figure, legend)
    return figure


def _matrices(context: Context, kind: str) -> list[str]:
    return [name for name in context.tables["curves"].columns if name.startswith(f"{kind}_")]


def _matrix(column: str) -> str:
    """Name of the matrix that a column of norms is of."""
    return column.partition("_")[2].upper()


def _mark_spectral(axes: Axes, table: pd.DataFrame, there: list[str]) -> dict[str, Artist]:
    """When training set and test set are solved, and where the first matrix's norm bends."""
    _mark_solved(axes, table)
    if not there:  # it diverged before the first measurement
        return {}
    marks = _mark_knees(axes, table[table["step"] > 0], there[0])
    return {f"inflections of {_matrix(there[0])}": marks}


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
    known = np.isfinite(table[["train_accuracy", "test_accuracy"]].to_numpy(np.float64)).all(axis=1)
    if not known.any():  # it diverged before the first measurement, or there is no other
        return
    found = stages(table[known])
    for side, (column, name) in zip(("right", "left"), STAGES.items(), strict=True):
        _mark(axes, found[column], name, side)


def _mark_solved(axes: Axes, table: pd.DataFrame) -> None:
    """Thin lines at the median steps at which training set and test set are first solved."""
    for side, name, column in (
        ("right", "memorization", "train_accuracy"),
        ("left", "generalization", "test_accuracy"),
    ):
        _mark(axes, first_step(table, column, SOLVED, by="seed"), name, side, height=0.12)


def _mark_knees(axes: Axes, table: pd.DataFrame, column: str) -> Artist:
    """Marks with their steps where a norm bends most: medians over seeds, on the mean's line."""
    table = table[np.isfinite(table[column])]
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
    if step <= 0:  # weights that are known without training; a logarithm has no place for it
        return
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
