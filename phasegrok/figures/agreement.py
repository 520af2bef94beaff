"""Marks on cells whose seeds do not agree on a label."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from phasegrok.figures.layout import Layout, Panel

__all__ = ["DISAGREE", "disagree", "mark_disagreement", "stroke"]

DISAGREE: Final = "seeds disagree"
COLUMN: Final = "seed_agreement"
AGREE: Final = 1 - 1e-9  # shares of seeds


def disagree(layout: Layout, panel: Panel) -> NDArray[np.bool_]:
    """[y, x] which cells have seeds of another label than the cell's. There are none with one seed,
    nor where a table has no such column."""
    if COLUMN not in panel.cells:
        return np.zeros((len(layout.y.values), len(layout.x.values)), dtype=bool)
    shares = layout.grid(panel, COLUMN)
    known = np.frompyfunc(lambda share: 1.0 if share is None else float(share), 1, 1)(shares)
    found: NDArray[np.bool_] = known.astype(np.float64) < AGREE
    return found


def mark_disagreement(axes: Axes, layout: Layout, panel: Panel) -> None:
    """A thin stroke across every cell whose seeds disagree: dark on light, with a light rim, so
    that it is seen on every colour and in grey."""
    places = list(zip(*disagree(layout, panel).nonzero(), strict=True))
    lines = [[(x - 0.4, y - 0.4), (x + 0.4, y + 0.4)] for y, x in places]
    for colour, width in (("#ffffff", 1.6), ("#000000", 0.7)):
        axes.add_collection(
            LineCollection(lines, colors=colour, linewidths=width, capstyle="butt", zorder=2.5)
        )


def stroke() -> Line2D:
    """The sign of disagreement in a legend."""
    return Line2D([], [], linestyle="none", marker="$/$", markersize=9, color="#000000")
