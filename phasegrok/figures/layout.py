"""How a table of cells becomes panels, whatever was swept; shared by figures and terminal.

Axis values are categories: a panel has one column and one row for each value that occurs, equally
wide, so uneven axes (weight decays 0, 0.1, 5) stay readable.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phasegrok.analysis.at import rows_at
from phasegrok.analysis.inferred import INFERRED
from phasegrok.analysis.plane import ALPHA, XI, across_and_up, is_number
from phasegrok.errors import Refusal
from phasegrok.figures.palette import PALETTE

__all__ = [
    "SCALES",
    "SYMBOLS",
    "Axis",
    "Layout",
    "Panel",
    "Scale",
    "arrange",
    "fold",
    "format_values",
    "groups",
    "phase_counts",
    "words",
]

Scale = Literal["category", "linear", "log"]
SCALES: Final[tuple[Scale, ...]] = ("category", "linear", "log")

VARIANT: Final = "variant"
MOST_ACROSS: Final = 5  # panels beside each other in a picture
SYMBOLS: Final = {ALPHA: "α", XI: "ξ"}


@dataclass(frozen=True)
class Axis:
    """One direction of every panel.

    Attributes:
        column: column of the cells table, or None where the table has nothing to spread out.
        values: what occurs in that column, numbers ascending, names from the last to the first,
            which so stands on top; a single None without a column.
    """

    column: str | None
    values: tuple[Any, ...]
    scale: Scale = "category"

    @property
    def edges(self) -> NDArray[np.float64]:
        """Where categories begin and end, in equal widths or to scale: midway between neighbours.

        On a logarithmic scale 0 stands as far below the smallest value above it as the next one
        stands above that.
        """
        count = len(self.values)
        if self.scale == "category" or count < 2 or not _are_numbers(self.values):
            return np.arange(count + 1, dtype=np.float64) - 0.5
        places = np.asarray(self.values, np.float64)
        if self.scale == "log":
            above = np.log10(np.where(places > 0, places, np.nan))
            first = above[places > 0]
            step = first[1] - first[0] if len(first) > 1 else 1.0
            places = np.where(places > 0, above, first[0] - step)
        middle = (places[1:] + places[:-1]) / 2
        ends = 2 * places[0] - middle[0], 2 * places[-1] - middle[-1]
        return np.array([ends[0], *middle, ends[1]], np.float64)

    @property
    def name(self) -> str:
        """Name for people, in words."""
        return "" if self.column is None else words(self.column)

    @property
    def named(self) -> bool:
        """Whether the values are names, which nobody can read between two others."""
        return self.column == VARIANT

    @property
    def labels(self) -> list[str]:
        """The values as text, one for each category."""
        return [""] if self.column is None else format_values(self.values)

    def positions(self, cells: pd.DataFrame) -> NDArray[np.int64]:
        """Category of every row of a table, -1 where the value is null."""
        if self.column is None:
            return np.zeros(len(cells), dtype=np.int64)
        found = pd.Index(self.values).get_indexer(pd.Index(cells[self.column]))
        return np.asarray(found, dtype=np.int64)


@dataclass(frozen=True)
class Panel:
    """One diagram: its place among the panels, a title line for each setting, and its cells."""

    row: int
    column: int
    titles: tuple[str, ...]
    cells: pd.DataFrame


@dataclass(frozen=True)
class Layout:
    """All panels of a sweep, which share their two axes."""

    x: Axis
    y: Axis
    panels: tuple[Panel, ...]
    rows: int
    columns: int

    def grid(self, panel: Panel, column: str) -> NDArray[Any]:
        """Values of a column as ``[y, x]``, y ascending; None where the cell is missing."""
        grid = np.full((len(self.y.values), len(self.x.values)), None, dtype=object)
        across, up = self.x.positions(panel.cells), self.y.positions(panel.cells)
        inside = (across >= 0) & (up >= 0)
        values = panel.cells[column].to_numpy(dtype=object)
        grid[up[inside], across[inside]] = values[inside]
        return grid

    def inferred(self, panel: Panel) -> NDArray[np.bool_]:
        """[y, x] which cells were not trained."""
        if INFERRED not in panel.cells:
            return np.zeros((len(self.y.values), len(self.x.values)), dtype=bool)
        found: NDArray[np.bool_] = self.grid(panel, INFERRED) == True  # noqa: E712 - None: missing
        return found


def arrange(cells: pd.DataFrame, axes: Sequence[str], scale: Scale = "category") -> Layout:
    """Choose what runs across, what runs up, and what tells the panels apart.

    Across goes the data fraction if swept, else the first other swept number; up the corruption
    fraction if swept, else the next number, else the variants. A direction without any of them
    shows the constant fraction. One column left over makes a row of panels; two make a grid, the
    first going down; more make a nearly square arrangement of the combinations that occur.

    Args:
        cells: table of cells with the swept columns.
        axes: the swept columns, in the sweep's order.
        scale: whether values stand as categories, or to scale.

    Raises:
        ValueError: if there are no cells.
        Refusal: negative values on a logarithmic scale.
    """
    if cells.empty:
        raise ValueError("there are no cells to draw")
    x, y = across_and_up(cells, axes)
    if y is None and VARIANT in axes:
        y = VARIANT  # a list of names reads better than a row of slivers with titles
    remaining = [name for name in axes if name not in (x, y)]
    if x is None and ALPHA in cells and ALPHA not in remaining:
        x = ALPHA
    if y is None and XI in cells and XI not in remaining:
        y = XI
    panels, rows, columns = _panels(cells, remaining)
    across, up = (replace(_axis(cells, name), scale=scale) for name in (x, y))
    for axis in (across, up):
        if scale == "log" and _are_numbers(axis.values) and _cannot_be_log(axis.values):
            least = format_values(axis.values)[0]
            raise Refusal(
                f"--scale log: found {axis.column} = {least}; allowed: numbers of at least 0, not"
                " all 0"
            )
    return Layout(across, up, panels, rows, columns)


def fold(layout: Layout) -> Layout:
    """A single row of many panels as several rows: a sheet of twelve would be too wide to read."""
    if layout.rows > 1 or layout.columns <= MOST_ACROSS:
        return layout
    columns = math.ceil(layout.columns / math.ceil(layout.columns / MOST_ACROSS))
    panels = tuple(
        replace(panel, row=number // columns, column=number % columns)
        for number, panel in enumerate(layout.panels)
    )
    return replace(layout, panels=panels, rows=math.ceil(len(panels) / columns), columns=columns)


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _cannot_be_log(values: Sequence[float]) -> bool:
    return min(values) < 0 or max(values) <= 0


def words(column: str) -> str:
    """Column name as people say it: ``weight_decay`` is "weight decay"."""
    return column.replace("_", " ")


def format_values(values: Sequence[Any]) -> list[str]:
    """Shortest texts, from four digits on, that still tell all values of an axis apart."""
    for digits in (4, 6, 12, 17):
        texts = [_format(value, digits) for value in values]
        if len(set(texts)) == len(set(values)):
            break
    return texts


def groups(runs: pd.DataFrame, by: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """The runs of every combination of some axes, with its name in words."""
    if not by:
        yield "", runs
        return
    for values, group in runs.groupby(list(by), sort=True):
        named = zip(by, values, strict=True)
        yield ", ".join(f"{words(axis)} {format_values([v])[0]}" for axis, v in named), group


def phase_counts(cells: pd.DataFrame) -> dict[str, int]:
    """Count the cells of each subphase that occurs, in the palette's order."""
    counts = cells["subphase"].value_counts()
    return {name: int(counts[name]) for name in PALETTE if name in counts}


def _format(value: Any, digits: int) -> str:
    if value is None or isinstance(value, str | bool | np.bool_):
        return "none" if value is None else str(value)
    number = float(value)
    if number.is_integer() and abs(number) < 1e6:
        return str(int(number))  # %g would write 20000 as 2e+04.
    return f"{number:.{digits}g}"


def _axis(cells: pd.DataFrame, column: str | None) -> Axis:
    values = () if column is None else _values(cells, column)
    axis = Axis(column, values) if values else Axis(None, (None,))
    return Axis(column, values[::-1]) if axis.named else axis


def _values(cells: pd.DataFrame, column: str) -> tuple[Any, ...]:
    """Distinct values that are not null: numbers ascending, names in the table's order."""
    values = cells[column].dropna().unique().tolist()
    return tuple(sorted(values) if is_number(cells[column]) else values)


def _panels(cells: pd.DataFrame, remaining: list[str]) -> tuple[tuple[Panel, ...], int, int]:
    # A setting that only some variants have is null in the others, which are panels all the same.
    values = [
        (*_values(cells, name), *([None] if cells[name].isna().any() else [])) for name in remaining
    ]
    texts = [dict(zip(v, format_values(v), strict=True)) for v in values]
    chosen: list[tuple[tuple[str, ...], pd.DataFrame]] = []
    for combination in product(*values):
        titles = tuple(
            f"{words(name)} = {text[value]}"
            for name, text, value in zip(remaining, texts, combination, strict=True)
        )
        chosen.append((titles, rows_at(cells, dict(zip(remaining, combination, strict=True)))))
    if len(remaining) > 2:
        # A full product of many axes is mostly empty when they come from variants.
        chosen = [(titles, part) for titles, part in chosen if not part.empty]
        columns = math.ceil(math.sqrt(len(chosen)))
    elif len(remaining) == 2:
        columns = len(values[1])
    else:
        columns = len(chosen)
    panels = tuple(
        Panel(number // columns, number % columns, titles, part)
        for number, (titles, part) in enumerate(chosen)
    )
    return panels, math.ceil(len(chosen) / columns), columns
