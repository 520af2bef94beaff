"""Panels by row and column, which wrap where they would make a sheet too wide to read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasegrok.figures import canvas

__all__ = ["PANELS_ACROSS", "Grid", "grid"]

PANELS_ACROSS: Final = 4
TITLE_LINE_INCHES: Final = canvas.TITLE_POINTS * 1.2 / 72


@dataclass(frozen=True)
class Grid:
    """A figure's panels.

    Attributes:
        figure: the sheet.
        rows: the panels as ``[row][column]``, as they were asked for.
        lines: the panels that are used as ``[line][place]``, as they lie on the sheet.
    """

    figure: Figure
    rows: list[list[Axes]]
    lines: list[list[Axes]]

    def __iter__(self) -> Iterator[list[Axes]]:
        return iter(self.rows)

    def name_x(self, text: str) -> None:
        """Name what runs across, under the lowest panel of every column of the sheet."""
        for number, line in enumerate(self.lines):
            covered = max((len(below) for below in self.lines[number + 1 :]), default=0)
            for axes in line[covered:]:
                axes.set_xlabel(text, fontsize=canvas.LABEL_POINTS)

    def name_y(self, text: str) -> None:
        """Name what runs up, at the left of every line of the sheet."""
        for line in self.lines:
            line[0].set_ylabel(text, fontsize=canvas.LABEL_POINTS)


def grid(
    rows: int,
    columns: int,
    width: float = canvas.PANEL_INCHES,
    height: float = 1.7,
    together: bool = False,
    title_lines: int = 2,
) -> Grid:
    """A sheet of equal panels.

    Args:
        rows: that are asked for.
        columns: that are asked for; more than :data:`PANELS_ACROSS` of :data:`PANEL_INCHES` wrap.
        width, height: of a panel, in inches.
        together: whether the pieces of all rows that stand above each other stay so, piece by
            piece; else a row's own pieces follow each other.
        title_lines: over every panel; for more than two the sheet is higher.
    """
    most = max(1, int(PANELS_ACROSS * canvas.PANEL_INCHES / width + 0.25))
    pieces = math.ceil(columns / most)
    across = math.ceil(columns / pieces)
    figure, sheet = canvas.panels(
        rows * pieces, across, width, height + max(0, title_lines - 2) * TITLE_LINE_INCHES
    )
    for axes in (axes for line in sheet for axes in line):
        axes.set_visible(False)

    def line_of(row: int, piece: int) -> int:
        return piece * rows + row if together else row * pieces + piece

    found = [
        [sheet[line_of(row, place // across)][place % across] for place in range(columns)]
        for row in range(rows)
    ]
    for axes in (axes for row in found for axes in row):
        axes.set_visible(True)
    return Grid(figure, found, [[a for a in line if a.get_visible()] for line in sheet])
