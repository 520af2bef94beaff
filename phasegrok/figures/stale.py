"""Pictures of an earlier drawing that the tables do not allow any longer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from phasegrok.figures.cells import MOST_CELLS
from phasegrok.figures.context import Context
from phasegrok.figures.registry import Picture

__all__ = ["remove_stale"]

KINDS: Final = ("png", "pdf")
# The tables that keys of ``measure:`` ask for, where a picture is drawn of them.
TABLES: Final = {
    "spectra": "neurons",
    "readout": "readout",
    "activations": "activations",
    "pruning": "pruning",
    "logits": "logits",
    "rows": "rows",
}


def remove_stale(
    context: Context, folder: Path, every: Iterable[Picture], written: Iterable[Path]
) -> None:
    """Remove pictures of single cells, drawn while there were few, and others of a smaller sweep.

    A picture whose table was removed on purpose is all that is left of it, and stays. So do files
    that no picture is called by, which are somebody's own.

    Args:
        context: what was drawn now.
        folder: of the pictures.
        every: all pictures that there are.
        written: the files that were drawn now.
    """
    new = {path.name for path in written}
    whole = _has_all_tables(context)
    # A few of the cells, as when the sweep had only begun: what applies to them has its tables.
    begun = replace(context, cells=context.cells.iloc[:MOST_CELLS], chosen=None)
    for picture in every:
        old = [folder / f"{picture.name}.{kind}" for kind in KINDS]
        old = [path for path in old if path.name not in new and path.exists()]
        if old and (whole or picture.applies(begun)):
            for path in old:
                path.unlink()


def _has_all_tables(context: Context) -> bool:
    measured = context.sweep.get("measure") or {}
    asked = {table for key, table in TABLES.items() if measured.get(key)} | {"runs", "curves"}
    return asked <= set(context.tables)
