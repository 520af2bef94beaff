"""The boundaries of generalization of all slices in one picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasegrok.analysis.boundaries import GENERALIZES, boundaries
from phasegrok.analysis.plane import plane
from phasegrok.figures import canvas
from phasegrok.figures.context import Context
from phasegrok.figures.layout import SYMBOLS, groups, words
from phasegrok.figures.legends import line_legend
from phasegrok.figures.palette import line_styles
from phasegrok.figures.registry import picture

__all__ = ["generalization", "generalization_boundaries"]

MOST_LINES: Final = 12  # more cannot be told apart


def generalization(context: Context) -> pd.DataFrame:
    """Where networks begin to generalize along the axis that runs across, in every slice.

    Returns:
        Rows of :func:`~phasegrok.analysis.boundaries.boundaries` with a position.
    """
    found = boundaries(context.cells, None, context.axes)
    across = plane(context.cells, context.axes)[0]
    rows = found[(found["along"] == across) & (found["above"] == GENERALIZES)]
    return rows.dropna(subset=["position"])


def _slices(context: Context) -> list[str]:
    """The axes that tell slices apart."""
    spread = plane(context.cells, context.axes)
    return [name for name in context.axes if name not in spread]


def _applies(context: Context) -> bool:
    if context.cells.empty or len(plane(context.cells, context.axes)) < 2:
        return False
    slices = _slices(context)
    count = len(context.cells[slices].drop_duplicates()) if slices else 1
    return count <= MOST_LINES and not generalization(context).empty


@picture("boundaries", applies=_applies)
def generalization_boundaries(context: Context) -> Figure:
    """Figure with one panel: a line for every slice, with the distance to the next cell as bars."""
    across, up = plane(context.cells, context.axes)
    slices, rows = _slices(context), generalization(context)
    figure, ((axes,),) = canvas.panels(1, 1, 3.6, 3.0)
    entries: dict[str, Any] = {}
    for (name, group), style in zip(groups(rows, slices), line_styles(), strict=False):
        # Where a row is crossed more than once, the last crossing is the one beyond all islands.
        last = group.sort_values("position").groupby("at").tail(1).sort_values("at")
        entries[name or "generalization"] = _line(axes, last, style)
    axes.set_xlabel(f"{words(across)} {SYMBOLS.get(across, '')}", fontsize=canvas.LABEL_POINTS)
    axes.set_ylabel(f"{words(up)} {SYMBOLS.get(up, '')}", fontsize=canvas.LABEL_POINTS)
    canvas.title(axes, ("generalizes right of the line", "bars: to the next cells"))
    line_legend(figure, entries)
    return figure


def _line(axes: Axes, rows: pd.DataFrame, style: Mapping[str, Any]) -> Any:
    return axes.errorbar(
        rows["position"].to_numpy(float),
        rows["at"].to_numpy(float),
        xerr=rows["half_width"].to_numpy(float),
        linewidth=1.2,
        elinewidth=0.6,
        **style,
    )
