"""Trained networks in files: the names of their arrays, and how they and the run's record are read.

Only :mod:`phasegrok.run.chunk` writes them.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from pydantic import ValidationError

from phasegrok.config.identity import without_defaults
from phasegrok.config.run_record import RUN_RECORD_FILE, RunRecord
from phasegrok.errors import Refusal
from phasegrok.files.seal import verify
from phasegrok.models.base import ModelState, Params

__all__ = ["Saved", "load", "named", "restored"]


class Saved(NamedTuple):
    """A network as it was saved."""

    record: RunRecord
    arrays: dict[str, np.ndarray]

    def fingerprint(self) -> str:
        """Hash of the network itself: its architecture and its arrays, bit for bit."""
        architecture = without_defaults(self.record.experiment.model_dump())["model"]
        digest = hashlib.sha256(json.dumps(architecture, sort_keys=True).encode())
        for name in sorted(self.arrays):
            array = self.arrays[name]
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()[:16]


def named(params: Params, model_state: ModelState) -> dict[str, Any]:
    """The leaves of a network by the names that saved files use: ``u``, ``hidden.0``. The model
    state is ``rest.NAME``."""
    found = {}
    for prefix, tree in (("", params), ("rest.", model_state)):
        for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
            keys = (getattr(k, "key", getattr(k, "idx", getattr(k, "name", ""))) for k in path)
            # Flax wraps every array in a variable, whose own level is called "value".
            found[prefix + ".".join(str(key) for key in keys if key != "value")] = leaf
    return found


def restored(
    shapes: tuple[Params, ModelState], arrays: Mapping[str, np.ndarray]
) -> tuple[Params, ModelState]:
    """The network whose leaves :func:`named` gave.

    Args:
        shapes: weights and model state as ``jax.eval_shape`` gives them.
        arrays: by name.

    Raises:
        Refusal: they are not the leaves of such a network; the message says which is not.
    """
    leaves = named(*shapes)
    wanted = {name: (leaf.shape, leaf.dtype.name) for name, leaf in leaves.items()}
    found = {name: (array.shape, array.dtype.name) for name, array in arrays.items()}
    for name in [*wanted, *found]:
        if wanted.get(name) != found.get(name):
            raise Refusal(
                f"found {_arrays_text(name, found)}; allowed: {_arrays_text(name, wanted)}, as the"
                f" architecture in {RUN_RECORD_FILE} has"
            )
        if not np.isfinite(arrays[name]).all():
            raise Refusal(f"found numbers in {name} that are not finite; allowed: finite weights")
    structure = jax.tree.structure(shapes)
    return jax.tree.unflatten(structure, [arrays[name] for name in leaves])


def _arrays_text(name: str, arrays: Mapping[str, tuple[tuple[int, ...], str]]) -> str:
    if name not in arrays:
        return f"no array {name}"
    shape, kind = arrays[name]
    return f"{name} {kind} ({', '.join(map(str, shape))})"


@lru_cache(maxsize=16)
def load(path: str) -> Saved:
    """The network in ``weights/RUN/STEP.npz``, and the record of its run; both are read once.

    Raises:
        Refusal: a file is missing or damaged; the message says which and how.
    """
    file = Path(path)
    arrays = _arrays(file)
    return Saved(_record(file.with_name(RUN_RECORD_FILE)), arrays)


def _arrays(file: Path) -> dict[str, np.ndarray]:
    content = io.BytesIO(_content(file))
    if not zipfile.is_zipfile(content):
        raise Refusal(f"{file}: damaged: found no .npz archive; allowed: weights/RUN/STEP.npz")
    content.seek(0)
    try:
        with np.load(content) as archive:
            return {name: np.asarray(archive[name]) for name in archive.files}
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        reason = str(error).partition("\n")[0]
        raise Refusal(f"{file}: damaged: {reason}; allowed: weights/RUN/STEP.npz") from None


def _record(file: Path) -> RunRecord:
    try:
        record = RunRecord.model_validate_json(_content(file))
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"])) or "its text"
        raise Refusal(
            f"{file}: damaged: {at}: {first['msg']}; allowed: the file as a sweep wrote it"
        ) from None
    verify(file)
    return record


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Refusal(
            f"{file}: {reason}; allowed: weights/RUN/STEP.npz, with {RUN_RECORD_FILE} beside it, of"
            " a sweep with measure.weights"
        ) from None
