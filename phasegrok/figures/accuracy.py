"""Training and test accuracy over the phase diagram they are classified into.

Laid out as Figures 24 and 25 of Doshi et al., "To grok or not to grok".
"""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from phasegrok.analysis.phases import DIVERGED
from phasegrok.figures import canvas
from phasegrok.figures.context import Context
from phasegrok.figures.diagram import draw_letters, draw_phases, known_phases, phase_notes
from phasegrok.figures.layout import Layout, Panel
from phasegrok.figures.legends import legend
from phasegrok.figures.palette import PALETTE
from phasegrok.figures.registry import picture

__all__ = ["accuracy"]

COLOURS: Final = "viridis"
SCALE: Final = Normalize(0.0, 1.0)
HEAT_MAPS: Final = {"train_accuracy": "train accuracy", "test_accuracy": "test accuracy"}


@picture("accuracy", applies=lambda context: not context.cells.empty)
def accuracy(context: Context) -> Figure:
    """Figure with three rows for every row of panels: train accuracy, test accuracy, phases."""
    layout = context.layout
    height = len(HEAT_MAPS) + 1
    figure, sheet = canvas.sheet(layout, layout.rows * height)
    for panel in layout.panels:
        top = panel.row * height
        for offset, (column, name) in enumerate(HEAT_MAPS.items()):
            axes = _show(sheet[top + offset][panel.column], layout, panel)
            canvas.title(axes, (name, *panel.titles))
            _draw_heat(axes, layout, panel, column)
        axes = _show(sheet[top + height - 1][panel.column], layout, panel, bottom=True)
        canvas.title(axes, ("phase", *panel.titles))
        draw_phases(axes, layout, panel)
    heat_rows = [
        axes for row, line in enumerate(sheet) if row % height < len(HEAT_MAPS) for axes in line
    ]
    canvas.colour_bar(figure, heat_rows, COLOURS, SCALE, "accuracy")
    legend(figure, known_phases(layout), phase_notes(layout))
    return figure


def _show(axes: Axes, layout: Layout, panel: Panel, bottom: bool = False) -> Axes:
    canvas.label_axes(axes, layout, left=panel.column == 0, bottom=bottom)
    return axes


def _draw_heat(axes: Axes, layout: Layout, panel: Panel, column: str) -> None:
    """Colour the cells by an accuracy; missing ones are blank, diverged ones lettered."""
    values = layout.grid(panel, column).astype(np.float64)
    canvas.heat(axes, values, COLOURS, SCALE)
    gone = layout.grid(panel, "subphase") == DIVERGED
    places = [(x, y) for y, x in zip(*gone.nonzero(), strict=True)]
    draw_letters(axes, layout, places, PALETTE[DIVERGED].letter, "#000000")
