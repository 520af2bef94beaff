"""The explorer: one or two result folders as one HTML file, to look at in any browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from phasegrok import __version__
from phasegrok.analysis.boundaries import GENERALIZING
from phasegrok.analysis.compare import compare, shared_axes
from phasegrok.errors import Refusal, no_runs
from phasegrok.explore.axes import Spread
from phasegrok.explore.curves import NAMES
from phasegrok.explore.folder import Shown, read
from phasegrok.explore.pack import pack_folder
from phasegrok.explore.page import page_text
from phasegrok.figures.palette import PALETTE, QUANTITIES
from phasegrok.files.atomic import write_whole

__all__ = ["FILE", "Written", "explore"]

FILE: Final = "explore.html"
MOST: Final = 4_700_000  # characters of data in a page; with styles and scripts it stays below 5 MB
MERGED: Final = "Inversion"  # of both kinds, in the column `phase`
STOPS: Final = 32  # colours of a scale that are written down; the page blends between them


@dataclass(frozen=True)
class Written:
    """A page that was written.

    Attributes:
        path: of the file.
        size: in bytes.
        cells: that it shows, of each folder.
        notes: what it says of cells that are missing, and of what was left out, by folder.
    """

    path: Path
    size: int
    cells: tuple[int, ...]
    notes: tuple[tuple[str, ...], ...]


def explore(folders: Sequence[str | Path], output: str | Path | None = None) -> Written:
    """Write one or two result folders as a page of their own.

    Args:
        folders: one, or two over the same axes.
        output: the file; by default ``explore.html`` in the first folder.

    Raises:
        Refusal: a folder holds no results, or none yet, or the two cannot be compared.
    """
    paths = [Path(each) for each in folders]
    if len(paths) not in (1, 2):
        raise Refusal(f"explore: found {len(paths)} folders; allowed: one, or two to compare")
    shown = [read(path) for path in paths]
    for each in shown:
        if each.cells.empty:
            raise no_runs(each.path)
    data = _data(shown)
    target = Path(output) if output is not None else paths[0] / FILE
    if target.is_dir():
        raise Refusal(f"--output {target}: found a folder; allowed: the name of an HTML file")
    text = page_text(data, " and ".join(each.name for each in shown)).encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, text)
    notes = tuple(tuple(source["notes"]) for source in data["sources"])
    return Written(target, len(text), tuple(len(each.cells) for each in shown), notes)


def _data(shown: Sequence[Shown]) -> dict[str, Any]:
    """The JSON values of a page."""
    names, counts = list(shown[0].axes), None
    if len(shown) == 2:
        names, counts = _compared(*shown)
    spread = Spread(names, [each.cells for each in shown])
    packed = [pack_folder(each, spread, MOST // len(shown)) for each in shown]
    return {
        "version": __version__,
        "axes": spread.described([each.sweep for each in shown]),
        "first": spread.first,
        "labels": [_label(name) for name in NAMES],
        "generalizing": [NAMES.index(name) for name in GENERALIZING],
        "quantities": {
            name: {"name": label, "colour": style["color"], "line": style.get("linestyle", "-")}
            for name, (label, style) in QUANTITIES.items()
        },
        "colours": {"value": _colours("viridis"), "difference": _colours("RdBu_r")},
        "compared": counts,
        "sources": [{**each.about, "data": each.text} for each in packed],
    }


def _compared(a: Shown, b: Shown) -> tuple[list[str], dict[str, int]]:
    """The axes that two folders share, and in how many cells they agree."""
    names = shared_axes(a.cells, b.cells, a.axes, b.axes)
    try:
        found = compare(a.cells, b.cells, names)
    except Refusal as refusal:
        raise Refusal(f"{a.path} and {b.path}: {refusal}") from None
    counts = {"both": len(found.cells), "differ": len(found.differ)}
    return names, counts | {"only_a": found.only_a, "only_b": found.only_b}


def _label(name: str) -> dict[str, str]:
    style = PALETTE["Full Inversion" if name == MERGED else name]
    return {"name": name, "letter": style.letter, "colour": style.colour, "ink": style.ink}


def _colours(name: str) -> list[list[int]]:
    """Red, green and blue along one of Matplotlib's scales, which read in grey and without red or
    green."""
    import matplotlib

    found = matplotlib.colormaps[name](np.linspace(0, 1, STOPS))
    return [[round(255 * part) for part in colour[:3]] for colour in found.tolist()]
