"""The command that trains one cell of a sweep, and nothing else."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from phasegrok.analysis.inferred import VARIANT
from phasegrok.config import column

__all__ = ["command", "set_of"]


def command(path: Path, name: str, sweep: Mapping[str, Any]) -> dict[str, str]:
    """How a cell's command begins and ends; between them stands a ``--set`` for every axis.

    Args:
        path: of the result folder, which holds its own sweep file.
        name: of the sweep.
        sweep: the resolved sweep.
    """
    refined = (sweep.get("refine") or {}).get("levels")
    return {
        "begin": f"phasegrok sweep {shlex.quote(str(path / 'sweep.yaml'))}",
        "end": "--set refine.levels=0" if refined else "",
        "output": str(path.parent / f"{name}-cell"),
    }


def set_of(axis: str, values: Sequence[Any], sweep: Mapping[str, Any]) -> list[str | None]:
    """The ``--set`` that keeps one value of an axis, for each of its values, as a shell reads it.

    Args:
        axis: a swept column.
        values: of it, as tables have them.
        sweep: the resolved sweep, which has them as its file does.

    Returns:
        A text for each value; None for one that no ``--set`` can choose.
    """
    if axis == VARIANT:
        return [None if v is None else f"--set {shlex.quote(f'{VARIANT}={v}')}" for v in values]
    path = next((p for p in sweep.get("axes", {}) if column(p) == axis), None)
    if path is None:
        return [None] * len(values)
    return [_set(path, _written(value, sweep["axes"][path])) for value in values]


def _set(path: str, value: Any) -> str | None:
    if value is None:
        return None
    return f"--set {shlex.quote(f'{path}={json.dumps(value)}')}"


def _written(value: Any, written: Sequence[Any]) -> Any:
    """The value of the file that a table's value is: 2.0 may be 2 there."""
    for each in written:
        if each == value and isinstance(each, bool) == isinstance(value, bool | np.bool_):
            return each
        if isinstance(each, bool) and isinstance(value, str) and str(each) == value:
            return each  # tables of the first versions have booleans as text
    return None
