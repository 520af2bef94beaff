"""One legend under all panels of a figure: of phases, or of lines, marks and bands."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from phasegrok.figures.palette import PALETTE
from phasegrok.figures.text import MOST_CHARACTERS, drawable

__all__ = ["NOT_RUN", "hatched", "legend", "line_legend", "phase_letter"]

POINTS: Final = 8
CHARACTER_INCHES: Final = POINTS * 0.58 / 72  # mean width in DejaVu Sans
HANDLE_INCHES: Final = 0.5  # what stands before an entry's words, and the gap after them
NOT_RUN: Final = "not run"
LINE_INCHES: Final = POINTS * 1.5 / 72


def phase_letter(name: str) -> str:
    """A phase's letter as mathematics: with serifs, or an I would be a bar."""
    return rf"$\mathtt{{{PALETTE[name].letter}}}$"


def hatched() -> Patch:
    """The sign of what is not there: thin grey strokes."""
    return Patch(facecolor="#ffffff", edgecolor="#bbbbbb", hatch="////", linewidth=0.5)


def legend(figure: Figure, phases: Sequence[str], notes: Mapping[str, Artist] = {}) -> None:
    """One legend of phases under all panels, with notes at its end."""
    patches: dict[str, Artist] = {
        f"{phase_letter(name)}  {name}": Patch(
            facecolor=PALETTE[name].colour, edgecolor="#000000", linewidth=0.5
        )
        for name in phases
    }
    _below(figure, patches | {drawable(name): note for name, note in notes.items()}, handle=1.2)


def line_legend(figure: Figure, entries: Mapping[str, Any], note: str = "") -> None:
    """One legend of lines and marks under all panels; a note over it says what bands or bars
    are."""
    named = {drawable(label): entry for label, entry in entries.items()}
    _below(figure, named, handle=2.4, note=note)


def _below(figure: Figure, entries: Mapping[str, Any], handle: float, note: str = "") -> None:
    """Entries by label, in as many columns as the figure is wide enough for. The figure grows by
    what the panels would lose."""
    if not entries:  # nothing was drawn: a run that diverged at once
        return
    words = [label.partition("$  ")[2] or label for label in entries]
    inches = max(map(len, words)) * CHARACTER_INCHES + HANDLE_INCHES
    columns = max(1, min(len(entries), int(figure.get_figwidth() / inches)))
    rows = -(-len(entries) // columns)
    # Full rows: six entries are three and three, not five and one.
    columns = -(-len(entries) // rows)
    room = max(24, int(figure.get_figwidth() / CHARACTER_INCHES))
    above = textwrap.wrap(note, min(room, MOST_CHARACTERS))
    lines = rows - 1 + len(above)
    figure.set_figheight(figure.get_figheight() + lines * LINE_INCHES)
    figure.legend(
        handles=list(entries.values()),
        labels=list(entries),
        title="\n".join(map(drawable, above)) or None,
        title_fontsize=POINTS - 1,
        loc="outside lower center",
        ncols=columns,
        fontsize=POINTS,
        frameon=False,
        handlelength=handle,
        columnspacing=1.5,
    )
