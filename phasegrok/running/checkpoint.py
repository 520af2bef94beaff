"""Whether a checkpoint is one: everything that going on from it relies on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from phasegrok.errors import Damaged
from phasegrok.train.engine import Engine

__all__ = ["check_checkpoint"]


def check_checkpoint(
    path: Path,
    header: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    engine: Engine,
    records: Mapping[str, np.dtype[Any]],
) -> None:
    """Refuse a checkpoint that is none of this engine's chunks.

    Args:
        path: of the file, for the message.
        header: of the file.
        arrays: of the file.
        engine: that goes on.
        records: what is measured at every logging point, and its type.

    Raises:
        Damaged: something is missing, or has another type or shape.
    """
    try:
        _check(header, arrays, engine, records)
    except (KeyError, TypeError, ValueError, AssertionError) as error:
        raise Damaged(path, f"is no state of its chunk ({error})") from None


def _check(
    header: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    engine: Engine,
    records: Mapping[str, np.dtype[Any]],
) -> None:
    program, chunk = engine.program, engine.layout.chunk
    done = header["intervals"]
    if type(done) is not int or not 0 <= done <= program.intervals:
        raise ValueError(f"intervals: {done!r}")
    within, piece = header.get("within", 0), engine.layout.piece
    last = done == program.intervals or not piece
    if type(within) is not int or not 0 <= within < (1 if last else program.log_every):
        raise ValueError(f"within: {within!r}")
    if piece and within % piece:
        raise ValueError(f"within: {within!r}")
    leaves = jax.tree.leaves(engine.state_shapes)
    if header["leaves"] != len(leaves):
        raise ValueError(f"leaves: {header['leaves']!r}")
    for i, leaf in enumerate(leaves):
        _same(f"state_{i}", arrays[f"state_{i}"], leaf.shape, leaf.dtype)
    for name, dtype in records.items():
        # An earlier version may have measured less.
        if f"record_{name}" in arrays:
            _same(name, arrays[f"record_{name}"], (chunk, done + 1), dtype)
    for point in header["looks"]:
        if type(point) is not int or point not in program.snapshot_points:
            raise ValueError(f"looks: {point!r}")
        for name in header["findings"]:
            found = arrays[f"look_{point}_{name}"]
            if found.ndim < 1 or len(found) != chunk or found.dtype.kind not in "fiub":
                raise ValueError(f"{name} {found.dtype} {found.shape}")


def _same(name: str, array: np.ndarray, shape: tuple[int, ...], dtype: Any) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"{name} {array.dtype} {array.shape}, not {np.dtype(dtype)} {shape}")
