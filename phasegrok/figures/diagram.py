"""The phase diagram: data fraction across, corruption up, one panel for each regularization.

Laid out as Figure 3 of Doshi et al., "To grok or not to grok".
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from matplotlib.patches import Patch, PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from phasegrok.analysis.boundaries import GENERALIZING
from phasegrok.analysis.inferred import INFERRED
from phasegrok.figures import canvas
from phasegrok.figures.agreement import DISAGREE, disagree, mark_disagreement, stroke
from phasegrok.figures.context import Context
from phasegrok.figures.layout import Layout, Panel, phase_counts
from phasegrok.figures.legends import NOT_RUN, hatched, legend
from phasegrok.figures.palette import PALETTE
from phasegrok.figures.registry import picture

__all__ = ["draw_letters", "draw_phases", "known_phases", "phase_diagram", "phase_notes"]

# Smaller letters are specks in print; the colours' lightness then has to do alone.
LEAST_LETTER_POINTS: Final = 3.0
LETTER_SHARE: Final = 0.5  # of the cell's side
MOST_SHAPES: Final = 2000  # cells of a panel that are drawn one by one


@picture("phase_diagram", applies=lambda context: not context.cells.empty)
def phase_diagram(context: Context) -> Figure:
    """Figure with every panel of a sweep and one legend of the phases that occur in it."""
    layout = context.layout
    figure, sheet = canvas.sheet(layout, layout.rows)
    used = {(panel.row, panel.column) for panel in layout.panels}
    for panel in layout.panels:
        axes = sheet[panel.row][panel.column]
        canvas.title(axes, panel.titles)
        draw_phases(axes, layout, panel)
        mark_disagreement(axes, layout, panel)
        # The lowest panel of a column may stand above a gap in an unfilled last row.
        lowest = (panel.row + 1, panel.column) not in used
        canvas.label_axes(axes, layout, left=panel.column == 0, bottom=lowest)
    notes = phase_notes(layout)
    if any(disagree(layout, panel).any() for panel in layout.panels):
        notes[DISAGREE] = stroke()
    legend(figure, known_phases(layout), notes)
    return figure


def phase_notes(layout: Layout) -> dict[str, Artist]:
    """What stands in a legend beside the phases: the signs of cells that were not trained."""
    notes: dict[str, Artist] = {}
    if any(INFERRED in panel.cells for panel in layout.panels):
        notes["without a letter: inferred"] = Patch(facecolor="#ffffff", edgecolor="#000000")
    if any(_missing(layout, panel).any() for panel in layout.panels):
        notes[NOT_RUN] = hatched()
    return notes


def _missing(layout: Layout, panel: Panel) -> NDArray[np.bool_]:
    """[y, x] which cells are not there."""
    return np.asarray(layout.grid(panel, "subphase") == None, dtype=bool)  # noqa: E711 - by element


def draw_phases(axes: Axes, layout: Layout, panel: Panel) -> None:
    """Fill one panel's cells with their phases' colours and letters; missing cells are hatched."""
    _hatch(axes, _missing(layout, panel))
    grid, inferred = layout.grid(panel, "subphase"), layout.inferred(panel)
    _draw_boundary(axes, np.isin(grid, GENERALIZING), grid != None)  # noqa: E711 - elementwise
    if grid.size > MOST_SHAPES:
        _draw_image(axes, grid)
        return
    for name, style in PALETTE.items():
        places = [(x, y) for y, x in zip(*(grid == name).nonzero(), strict=True)]
        squares = [Rectangle((x - 0.5, y - 0.5), 1, 1) for x, y in places]
        # Smoothed edges would let the background through as hairlines between neighbours.
        axes.add_collection(
            PatchCollection(squares, facecolor=style.colour, linewidth=0, antialiased=False)
        )
        certain = [(x, y) for x, y in places if not inferred[y, x]]
        draw_letters(axes, layout, certain, style.letter, style.ink)


def _draw_boundary(axes: Axes, inside: NDArray[np.bool_], there: NDArray[np.bool_]) -> None:
    """A line along the cells' edges around those that generalize; none beside missing cells."""
    lines = []
    for y, x in zip(
        *np.nonzero((inside[:, 1:] != inside[:, :-1]) & there[:, 1:] & there[:, :-1]), strict=True
    ):
        lines.append([(x + 0.5, y - 0.5), (x + 0.5, y + 0.5)])
    for y, x in zip(*np.nonzero((inside[1:] != inside[:-1]) & there[1:] & there[:-1]), strict=True):
        lines.append([(x - 0.5, y + 0.5), (x + 0.5, y + 0.5)])
    axes.add_collection(
        LineCollection(lines, colors="#000000", linewidths=1.0, capstyle="round", zorder=3)
    )


def _hatch(axes: Axes, missing: NDArray[np.bool_]) -> None:
    """Thin strokes over cells that were not run, in one piece for any number of them."""
    if not missing.any():
        return
    corners = [(x - 0.5, y - 0.5) for y, x in zip(*missing.nonzero(), strict=True)]
    squares = [Path([(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1), (x, y)]) for x, y in corners]
    every = hatched()
    axes.add_patch(
        PathPatch(
            Path.make_compound_path(*squares),
            facecolor=every.get_facecolor(),
            edgecolor=every.get_edgecolor(),
            hatch=every.get_hatch(),
            linewidth=0,
        )
    )


def _draw_image(axes: Axes, grid: NDArray[Any]) -> None:
    """The colours alone, as one image: thousands of shapes are slow to draw and large to keep."""
    colours = ListedColormap([style.colour for style in PALETTE.values()])
    numbers = np.full(grid.shape, np.nan)
    for number, name in enumerate(PALETTE):
        numbers[grid == name] = number
    canvas.heat(axes, numbers, colours, Normalize(-0.5, len(PALETTE) - 0.5))


def draw_letters(
    axes: Axes, layout: Layout, places: list[tuple[int, int]], letter: str, ink: str
) -> None:
    """Write a letter into cells, if cells are large enough for it to be read."""
    points = min(canvas.cell_inches(layout) * 72 * LETTER_SHARE, canvas.TITLE_POINTS)
    if points < LEAST_LETTER_POINTS or not places:
        return
    # Markers, not texts: a thousand texts take seconds to set. Turned by a hair, because Matplotlib
    # moves upright strokes to whole pixels, where those of a small I vanish.
    upright = MarkerStyle(rf"$\mathtt{{{letter}}}$", transform=Affine2D().rotate_deg(0.2))
    axes.plot(
        [x for x, _ in places],
        [y for _, y in places],
        linestyle="none",
        marker=upright,
        markersize=points,
        markerfacecolor=ink,
        markeredgewidth=0,
        alpha=0.55,
    )


def known_phases(layout: Layout) -> list[str]:
    """Phases that occur in any panel, in the palette's order, Diverged last."""
    return list(phase_counts(pd.concat([panel.cells for panel in layout.panels])))
