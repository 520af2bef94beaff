"""Training curves of single cells (Doshi et al., Figures 1, 2a, 8 and 19; efficiency study, 5)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasegrok.analysis.stages import knees
from phasegrok.figures import canvas
from phasegrok.figures.cells import OneCell, panels_across, title_lines
from phasegrok.figures.context import Context
from phasegrok.figures.grid import grid
from phasegrok.figures.legends import line_legend
from phasegrok.figures.marks import (
    SOLVED_WORDS,
    STAGE_WORDS,
    mark_event,
    mark_solved,
    mark_stages,
    step_label,
)
from phasegrok.figures.palette import QUANTITIES, matrix_style
from phasegrok.figures.registry import picture

__all__ = ["accuracies", "losses", "matrix_name", "norms", "spectral_norms", "spread"]


def _has_curves(context: Context) -> bool:
    """Whether there is a line to draw: weights that are known are trained for one step or none."""
    if not (context.has("curves") and context.single):
        return False
    steps = context.tables["curves"]["step"]
    return steps[steps > 0].nunique() > 1


@picture("curves", applies=_has_curves)
def accuracies(context: Context) -> Figure:
    """Figure of accuracies and mean IPR against the step, with the steps of the two stages."""
    sheet = _Sheet(context)
    columns = ["train_accuracy", "test_accuracy", "corrupted_accuracy", "mean_ipr"]
    for axes, _cell, table in sheet:
        for column in columns:
            if table[column].notna().any():
                sheet.draw(axes, table, column, *QUANTITIES[column])
        axes.set_ylim(-0.03, 1.03)
        mark_stages(axes, table)
    return sheet.finished("accuracy (0..1), IPR", STAGE_WORDS)


@picture("losses", applies=_has_curves)
def losses(context: Context) -> Figure:
    """Figure of training and test loss against the step, both axes logarithmic."""
    sheet = _Sheet(context)
    for axes, _cell, table in sheet:
        for column in ("train_loss", "test_loss"):
            sheet.draw(axes, table, column, *QUANTITIES[column])
        canvas.log_y(axes)
    return sheet.finished("loss")


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
    sheet = _Sheet(context)
    for axes, _cell, table in sheet:
        there = []
        for number, column in enumerate(_matrices(context, kind)):
            if np.isfinite(table[column]).any():
                sheet.draw(axes, table, column, _matrix(column), matrix_style(number))
                there.append(column)
        axes.set_ylim(bottom=0)
        if mark is not None:
            sheet.legend |= mark(axes, table, there)
    return sheet.finished(name, SOLVED_WORDS if mark is not None else "")


def _matrices(context: Context, kind: str) -> list[str]:
    return [name for name in context.tables["curves"].columns if name.startswith(f"{kind}_")]


def _matrix(column: str) -> str:
    """Name of the matrix that a column of norms is of."""
    return matrix_name(column.partition("_")[2])


def matrix_name(name: str) -> str:
    """A weight matrix as people write it: U, but embedding."""
    return name.upper() if len(name) == 1 else name.replace("_", " ")


def _mark_spectral(axes: Axes, table: pd.DataFrame, there: list[str]) -> dict[str, Artist]:
    """When training set and test set are solved, and where the first matrix's norm bends."""
    mark_solved(axes, table)
    if not there:  # it diverged before the first measurement
        return {}
    marks = _mark_knees(axes, table[table["step"] > 0], there[0])
    return {f"inflections of {_matrix(there[0])}": marks}


class _Sheet:
    """A panel a cell, in the shape of the axes, and what all pictures of curves do with them."""

    def __init__(self, context: Context) -> None:
        self.context, self.cells = context, context.single
        across = panels_across(self.cells)
        self.grid = grid(
            math.ceil(len(self.cells) / across), across, title_lines=title_lines(self.cells)
        )
        self.panels = [axes for row in self.grid for axes in row]
        for unused in self.panels[len(self.cells) :]:
            unused.set_visible(False)
        self.legend: dict[str, Artist] = {}
        self.seeds = 1

    def __iter__(self) -> Iterator[tuple[Axes, OneCell, pd.DataFrame]]:
        """Every panel with its cell and the cell's curves, step 0 among them; once what is drawn
        is there, its event is marked and it has its title."""
        curves = self.context.tables["curves"]
        for axes, cell in zip(self.panels, self.cells, strict=False):
            table = cell.of(curves)
            self.seeds = max(self.seeds, table["seed"].nunique())
            # Grokking is over within a tenth of the training; on a plain axis it is a corner.
            canvas.log_steps(axes, table["step"])
            yield axes, cell, table
            mark_event(axes, self.context, cell, table)
            canvas.title(axes, cell.titles)

    def draw(
        self, axes: Axes, table: pd.DataFrame, column: str, name: str, style: dict[str, Any]
    ) -> None:
        """A line of one column, but for step 0, which a logarithmic axis cannot show."""
        after = table[table["step"] > 0]
        self.legend[name] = canvas.draw_line(axes, after, "step", column, style)

    def finished(self, name: str, marks: str = "") -> Figure:
        """The figure, with its axes named and its legend, which says what the ``marks`` are."""
        lines = [[a for a in line if a.get_visible()] for line in self.grid.lines]
        named = replace(self.grid, lines=[line for line in lines if line])
        named.name_x("optimizer step")
        named.name_y(name)
        line_legend(
            self.grid.figure, self.legend, note="; ".join(filter(None, (spread(self.seeds), marks)))
        )
        return self.grid.figure


def spread(seeds: int) -> str:
    """What the bands of pictures of curves are, in words; nothing where there are none."""
    return f"lines: mean, bands: lowest to highest of {seeds} seeds" if seeds > 1 else ""


def _mark_knees(axes: Axes, table: pd.DataFrame, column: str) -> Artist:
    """Marks with their steps where a norm bends most: medians over seeds, on the mean's line."""
    table = table[np.isfinite(table[column])]
    steps = knees(table, column).median().dropna()
    mean = table.groupby("step")[column].mean()
    heights = np.interp(steps, mean.index, mean)
    (marks,) = axes.plot(steps, heights, "v", color="#000000", markersize=4)
    for number, (step, height) in enumerate(zip(steps, heights, strict=True)):
        # The first above and the second below: however near they are, their numbers do not meet.
        step_label(axes, f"{step:.0f}", step, height, above=number == 0)
    return marks
