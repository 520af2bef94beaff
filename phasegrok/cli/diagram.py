"""The phase diagram in characters, for a terminal or a log."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import groupby
from typing import Final

import pandas as pd

from phasegrok.analysis.phases import for_display
from phasegrok.cli.streams import wants_colour
from phasegrok.figures.layout import SYMBOLS, Axis, Layout, Panel, arrange, phase_counts
from phasegrok.figures.palette import PALETTE, rgb
from phasegrok.results.folder import Folder

__all__ = ["diagram", "folder_diagram"]

GAP: Final = 2  # blank characters between panels
# Two characters are about as wide as one line is high; one is taken where it saves lines of panels.
CELL_WIDTHS: Final = (2, 1)
RESET: Final = "\x1b[0m"


def folder_diagram(results: Folder, cells: pd.DataFrame) -> str:
    """The diagram of a result folder, as wide as the terminal, coloured where it is one."""
    head = results.head()
    cells = for_display(cells, head.sweep)
    width = shutil.get_terminal_size((100, 40)).columns
    return diagram(cells, head.crossed, width=width, colour=wants_colour())


def diagram(cells: pd.DataFrame, axes: list[str], width: int, colour: bool) -> str:
    """Draw the phase diagram of a sweep as text.

    Panels stand side by side as far as ``width`` allows. A cell is its phase's letter, on its
    phase's colour if wanted; a cell that is missing is blank.

    Args:
        cells: table of cells with the swept columns and ``subphase``.
        axes: the swept columns, in the sweep's order.
        width: characters in a line; a single panel wider than this is not cut.
        colour: use ANSI colours and Greek letters; otherwise plain ASCII.

    Returns:
        Lines ended by newlines: the panels, what runs along them, and a legend with counts.
    """
    if cells.empty:
        return "no cells yet\n"
    layout = arrange(cells, axes)
    gutter = max(len(label) for label in layout.y.labels) + 1
    choices = [
        _rows_of_blocks(layout, cell_width, width - gutter, colour) for cell_width in CELL_WIDTHS
    ]

    def cost(rows: list[list[_Block]]) -> tuple[bool, int]:
        widest = max(block.width for blocks in rows for block in blocks)
        return widest > width - gutter, len(rows)

    lines: list[str] = []
    for blocks in min(choices, key=cost):
        lines += [*_beside(layout, blocks, gutter), ""]
    lines += _axis_lines(layout, width, colour)
    lines += _legend(phase_counts(cells), width, colour)
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    # Names of variants are the user's and may hold anything.
    return text if colour else text.encode("ascii", "replace").decode("ascii")


class _Block:
    """One panel as lines of text, each padded to the same visible width."""

    def __init__(self, layout: Layout, panel: Panel, cell_width: int, colour: bool) -> None:
        ticks = _ticks(layout.x.labels, cell_width)
        inner = len(layout.x.values) * cell_width
        self.width = max(inner, len(ticks), *map(len, ("", *panel.titles)))
        self.titles = [title.ljust(self.width) for title in panel.titles]
        self.ticks = ticks.ljust(self.width)
        padding = " " * (self.width - inner)
        # Text runs downwards, the axis upwards.
        grid = layout.grid(panel, "subphase")[::-1]
        small = layout.inferred(panel)[::-1]
        self.rows = [
            _cells(list(zip(row, inferred, strict=True)), cell_width, colour) + padding
            for row, inferred in zip(grid, small, strict=True)
        ]


def _cells(cells: Sequence[tuple[str | None, bool]], cell_width: int, colour: bool) -> str:
    """Write a row of cells, inferred ones in small letters; equal neighbours share one colour
    code."""
    text = ""
    for (name, inferred), run in groupby(cells):
        letter = PALETTE[name].letter if name else " "
        letters = (letter.lower() if inferred else letter).ljust(cell_width) * len(list(run))
        text += _paint(letters, name) if colour and name else letters
    return text


def _paint(text: str, name: str) -> str:
    style = PALETTE[name]
    back, ink = (";".join(map(str, rgb(hexadecimal))) for hexadecimal in (style.colour, style.ink))
    return f"\x1b[48;2;{back};38;2;{ink}m{text}{RESET}"


def _rows_of_blocks(layout: Layout, cell_width: int, room: int, colour: bool) -> list[list[_Block]]:
    """Panels as they share lines: a row of the layout fills one group of lines or several."""
    rows = []
    for _, panels in groupby(layout.panels, key=lambda panel: panel.row):
        blocks = [_Block(layout, panel, cell_width, colour) for panel in panels]
        groups = _wrap([block.width for block in blocks], room, GAP)
        rows += [[blocks[number] for number in group] for group in groups]
    return rows


def _wrap(widths: Sequence[int], room: int, gap: int) -> list[list[int]]:
    """Numbers of the pieces that share a line, in order; a line holds at least one."""
    groups: list[list[int]] = []
    used = 0
    for number, piece in enumerate(widths):
        if groups and used + gap + piece <= room:
            groups[-1].append(number)
            used += gap + piece
        else:
            groups.append([number])
            used = piece
    return groups


def _beside(layout: Layout, blocks: Sequence[_Block], gutter: int) -> list[str]:
    """Panels next to each other, with the upward axis numbered once, on the left."""
    gap, empty = " " * GAP, " " * gutter
    labels = [label.rjust(gutter - 1) + " " for label in reversed(layout.y.labels)]
    lines = [
        label + gap.join(block.rows[number] for block in blocks)
        for number, label in enumerate(labels)
    ]
    titles = [
        empty + gap.join(line) for line in zip(*(block.titles for block in blocks), strict=True)
    ]
    ticks = empty + gap.join(block.ticks for block in blocks)
    return [*titles, *lines, ticks]


def _ticks(labels: Sequence[str], cell_width: int) -> str:
    """Labels in one line, each starting under its cell; every n-th, so that a blank parts them."""
    for step in range(1, len(labels) + 1):
        if max(len(label) for label in labels[::step]) < step * cell_width:
            break
    return "".join(label.ljust(step * cell_width) for label in labels[::step]).rstrip()


def _axis_lines(layout: Layout, width: int, colour: bool) -> list[str]:
    named = [("across", layout.x), ("up", layout.y)]
    return _joined([f"{way}: {_name(axis, colour)}" for way, axis in named if axis.column], width)


def _name(axis: Axis, colour: bool) -> str:
    symbol = SYMBOLS.get(axis.column or "", "") if colour else ""
    return f"{axis.name} {symbol}".strip()


def _legend(counts: dict[str, int], width: int, colour: bool) -> list[str]:
    """Letter, name and number of cells of every phase that occurs, in lines of ``width``."""
    plain = [f" {PALETTE[name].letter}  {name} {count}" for name, count in counts.items()]
    if not colour:
        return _joined([item.strip() for item in plain], width)
    drawn = [_paint(item[:3], name) + item[3:] for item, name in zip(plain, counts, strict=True)]
    return _joined(drawn, width, [len(item) for item in plain])


def _joined(items: Sequence[str], width: int, lengths: Sequence[int] | None = None) -> list[str]:
    """Items in as few lines as hold them; ``lengths`` are the visible ones, if they differ."""
    groups = _wrap(lengths or [len(item) for item in items], width, GAP)
    return [(" " * GAP).join(items[number] for number in group) for group in groups]
