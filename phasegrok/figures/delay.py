"""The delay of grokking over the phase diagram: steps to memorize, to generalize, and between."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from phasegrok.config import SOLVED
from phasegrok.figures import canvas
from phasegrok.figures.context import Context
from phasegrok.figures.layout import Layout, Panel, arrange, fold
from phasegrok.figures.registry import picture

__all__ = ["delay"]

COLOURS: Final = "viridis_r"  # dark is long
STEPS: Final = {
    "memorization_step": "steps to memorize",
    "generalization_step": "steps to generalize",
    "delay": "delay of generalization",
}
NONE: Final = "#e4e4e4"  # of a network that generalized no later than it memorized
FLAT: Final = Normalize(0, 1)
NEEDED: Final = ("memorization_step", "generalization_step")


def delays(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells with ``delay``, the steps from memorization to generalization, and ``no_delay``.

    Both are means over the seeds that got there, so it is null where no seed did. A network that
    generalizes no later than it memorizes has no delay: it is null there too.
    """
    memorized, generalized = (cells[name].astype("float64") for name in NEEDED)
    between = generalized - memorized
    return cells.assign(delay=between.where(between > 0), no_delay=between <= 0)


def _applies(context: Context) -> bool:
    cells = context.cells
    return not cells.empty and set(NEEDED) <= set(cells) and bool(cells[NEEDED[1]].gt(0).any())


@picture("delay", applies=_applies)
def delay(context: Context) -> Figure:
    """Figure with three rows for every row of panels, one for each of :data:`STEPS`; cells that
    never got there are blank."""
    cells = delays(context.cells)
    layout = fold(arrange(cells, context.axes, context.scale))
    steps = cells[list(STEPS)].to_numpy(np.float64)
    known = steps[np.isfinite(steps) & (steps > 0)]
    scale = LogNorm(known.min(), max(known.max(), known.min() * 1.01))
    figure, sheet = canvas.sheet(layout, layout.rows * len(STEPS))
    for panel in layout.panels:
        for offset, (column, name) in enumerate(STEPS.items()):
            axes = sheet[panel.row * len(STEPS) + offset][panel.column]
            canvas.label_axes(axes, layout, left=panel.column == 0, bottom=offset == len(STEPS) - 1)
            canvas.title(axes, (name, *panel.titles))
            if column == "delay":
                none = layout.grid(panel, "no_delay").astype(np.float64)
                canvas.heat(axes, np.where(none > 0, 1.0, np.nan), ListedColormap([NONE]), FLAT)
            _draw(axes, layout, panel, column, scale)
    every = [axes for line in sheet for axes in line]
    name = f"steps to an accuracy above {SOLVED:g} (blank: never; grey: no delay)"
    bar = canvas.colour_bar(figure, every, COLOURS, scale, name)
    bar.ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    bar.ax.yaxis.set_major_formatter("{x:g}")
    bar.ax.yaxis.set_minor_locator(NullLocator())
    return figure


def _draw(axes: Axes, layout: Layout, panel: Panel, column: str, scale: LogNorm) -> None:
    values = layout.grid(panel, column).astype(np.float64)
    # At step 0 nothing was trained; a logarithm has no place for it.
    values = np.where(values > 0, values, np.nan)
    canvas.heat(axes, values, COLOURS, scale)
