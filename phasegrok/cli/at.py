"""``--at AXIS=VALUE``: the cells that pictures show one by one, and how they are forgotten."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from phasegrok.config import PATHS, column
from phasegrok.errors import Refusal
from phasegrok.results.folder import CLOSEUP, Folder

__all__ = ["FORGET", "choose_cells", "chosen_values", "remembered"]

FORGET: Final = "none"


def choose_cells(results: Folder, at: Sequence[str]) -> None:
    """Remember the cells at these values in ``closeup.json``, in place of those before; with
    ``none`` forget them.

    Raises:
        Refusal: no such cells are there, or more than can be shown.
    """
    if FORGET in at:
        if len(at) > 1:
            raise Refusal(f"--at {FORGET}: found other cells beside it; allowed: {FORGET} alone")
        (results.path / CLOSEUP).unlink(missing_ok=True)
        return
    from phasegrok.figures.cells import closeup

    chosen = chosen_values(at)
    closeup(results.cells(), results.head().crossed, chosen)
    results.write_text(CLOSEUP, json.dumps(chosen) + "\n")


def remembered(results: Folder) -> str:
    """The values that ``closeup.json`` names, as ``--at`` has them; empty where there are none."""
    found = results.closeup() or {}
    every = {axis: [v] if isinstance(v, str) else v for axis, v in found.items()}
    return ", ".join(f"{axis}={value}" for axis, values in every.items() for value in values)


def chosen_values(at: Sequence[str]) -> dict[str, str | list[str]]:
    """By column the value asked for, or all of several."""
    found: dict[str, list[str]] = {}
    for axis, value in map(_point, at):
        values = found.setdefault(axis, [])
        if value not in values:
            values.append(value)
    return {axis: values if len(values) > 1 else values[0] for axis, values in found.items()}


def _point(text: str) -> tuple[str, str]:
    """AXIS=VALUE; a config path stands for the column that it names."""
    axis, equals, value = text.partition("=")
    if not equals:
        raise Refusal(
            f"--at {text}: missing `=`; required: AXIS=VALUE, or {FORGET} to forget the cells"
        )
    axis = axis.strip()
    return column(axis) if axis in PATHS else axis.rpartition(".")[2], value.strip()
