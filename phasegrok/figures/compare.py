"""The difference of two sweeps over the phase diagram."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from phasegrok.analysis.compare import ACCURACIES, Comparison
from phasegrok.figures import canvas
from phasegrok.figures.diagram import draw_letters
from phasegrok.figures.layout import Layout, Panel, arrange
from phasegrok.figures.legends import legend
from phasegrok.figures.palette import PALETTE

__all__ = ["difference"]

COLOURS: Final = "RdBu_r"
SCALE: Final = Normalize(-1.0, 1.0)
SAME: Final = "#eeeeee"
SIGN_FROM: Final = 0.1  # of an accuracy; a smaller difference is nearly white
LETTERS_FROM: Final = 0.17  # inches a cell needs for two letters


def difference(comparison: Comparison) -> Figure:
    """Figure with three rows for every row of panels: where labels differ (A's phase above the
    diagonal of a cell, B's below it), and B's train and test accuracy minus A's."""
    cells = comparison.cells.rename(columns={f"{comparison.label}_b": "subphase"})
    layout = arrange(cells, comparison.axes)
    height = 1 + len(ACCURACIES)
    figure, sheet = canvas.sheet(layout, layout.rows * height)
    for panel in layout.panels:
        top = panel.row * height
        for offset, name in enumerate(("labels, A to B", *(f"{n} B - A" for n in ACCURACIES))):
            axes = sheet[top + offset][panel.column]
            canvas.label_axes(axes, layout, left=panel.column == 0, bottom=offset == height - 1)
            canvas.title(axes, (name.replace("_", " "), *panel.titles))
            if offset == 0:
                _draw_labels(axes, layout, panel, f"{comparison.label}_a")
            else:
                values = layout.grid(panel, ACCURACIES[offset - 1]).astype(np.float64)
                canvas.heat(axes, values, COLOURS, SCALE)
                _draw_signs(axes, layout, values)
    heats = [axes for row, line in enumerate(sheet) if row % height for axes in line]
    canvas.colour_bar(figure, heats, COLOURS, SCALE, "difference of accuracy")
    differ = comparison.differ
    named = {*differ[f"{comparison.label}_a"], *differ[f"{comparison.label}_b"]}
    same = Patch(facecolor=SAME, edgecolor="#000000", linewidth=0.5)
    legend(figure, [name for name in PALETTE if name in named], {"the same label": same})
    return figure


def _draw_signs(axes: Axes, layout: Layout, values: NDArray[np.float64]) -> None:
    """A plus or a minus where accuracies differ clearly: in grey both ends of the colours are
    alike."""
    for sign, there in (("+", values > SIGN_FROM), ("-", values < -SIGN_FROM)):
        places = [(x, y) for y, x in zip(*there.nonzero(), strict=True)]
        draw_letters(axes, layout, places, sign, "#000000")


def _draw_labels(axes: Axes, layout: Layout, panel: Panel, before: str) -> None:
    """Grey where labels agree; two triangles where they differ."""
    old, new = layout.grid(panel, before), layout.grid(panel, "subphase")
    large = canvas.cell_inches(layout) >= LETTERS_FROM
    for y, x in zip(*(new != None).nonzero(), strict=True):  # noqa: E711 - by element
        a, b = old[y, x], new[y, x]
        corner = (x - 0.5, y - 0.5)
        if a == b:
            axes.add_patch(Rectangle(corner, 1, 1, facecolor=SAME, linewidth=0))
            continue
        for name, third, place in ((a, (-0.5, 0.5), -0.2), (b, (0.5, -0.5), 0.2)):
            points = [(x - 0.5, y - 0.5), (x + 0.5, y + 0.5), (x + third[0], y + third[1])]
            axes.fill(*zip(*points, strict=True), facecolor=PALETTE[name].colour, linewidth=0)
            if large:
                axes.text(
                    x + place,
                    y - place,
                    PALETTE[name].letter,
                    ha="center",
                    va="center",
                    fontsize=canvas.TICK_POINTS - 1,
                    color=PALETTE[name].ink,
                )
