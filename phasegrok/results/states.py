"""The state of a chunk in training, on disk: one ``.npz`` whose ``header`` is JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from phasegrok.errors import Damaged
from phasegrok.files.atomic import replacing
from phasegrok.files.npz import BadArchive, read_npz, write_npz

__all__ = ["load_state", "save_state"]


def save_state(path: Path, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write a state, whole or not at all."""
    with replacing(path) as file:
        write_npz(file, {"header": np.array(json.dumps(header)), **arrays})


def load_state(
    path: Path, header: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """A state as it was saved, if one is there and ``header`` agrees with its own.

    Raises:
        Damaged: it cannot be read.
    """
    if not path.exists():
        return None
    try:
        arrays = read_npz(path, path.stat().st_size)
        found = json.loads(str(arrays.pop("header")))
    except (BadArchive, KeyError, ValueError, RecursionError) as error:
        raise Damaged(path, str(error)) from None
    if not isinstance(found, dict):
        raise Damaged(path, "its header is no object")
    if any(found.get(k) != v for k, v in header.items()):
        return None
    return found, arrays
