"""Trained networks in files: the names of their arrays, and how they and the run's record are read.

Only :mod:`phasegrok.running.chunk` writes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import jax
import numpy as np
from pydantic import ValidationError

from phasegrok import plugins
from phasegrok.config.identity import without_defaults
from phasegrok.config.run_record import RUN_RECORD_FILE, RunRecord
from phasegrok.errors import Refusal, short
from phasegrok.files.npz import BadArchive, read_npz
from phasegrok.files.seal import verify
from phasegrok.machine import memory_bytes
from phasegrok.models.base import ModelState, Params

__all__ = ["arrays", "fingerprint", "named", "record", "restored", "size_of"]

MOST_RECORD_BYTES: Final = 1_000_000


def fingerprint(record: RunRecord, arrays: Mapping[str, np.ndarray]) -> str:
    """Hash of a network itself: its architecture and its arrays, bit for bit."""
    architecture = without_defaults(record.experiment.model_dump())["model"]
    digest = hashlib.sha256(json.dumps(architecture, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
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


def size_of(shapes: tuple[Params, ModelState]) -> int:
    """The bytes of a network of these shapes, or an eighth of the memory if it has more."""
    leaves = jax.tree.leaves(shapes)
    return min(sum(leaf.size * leaf.dtype.itemsize for leaf in leaves), memory_bytes() // 8)


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
def arrays(path: str, most_bytes: int) -> dict[str, np.ndarray]:
    """The arrays in ``weights/RUN/STEP.npz``, read once.

    Args:
        path: of the file.
        most_bytes: that they may have.

    Raises:
        Refusal: the file is missing or damaged.
    """
    file = Path(path)
    try:
        return read_npz(file, most_bytes)
    except BadArchive as damage:
        raise Refusal(f"{file}: damaged: {damage}; allowed: weights/RUN/STEP.npz") from None
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from None


@lru_cache(maxsize=16)
def record(path: str) -> RunRecord:
    """What ``run.json`` beside a file of weights says of their run, read once.

    Raises:
        Refusal: it is missing or damaged.
    """
    file = Path(path)
    try:
        file.stat()  # it is the file that the sweep names; one that is not there is told first
        file = file.with_name(RUN_RECORD_FILE)
        with file.open("rb") as opened:
            content = opened.read(MOST_RECORD_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: of a path with a NUL
        raise _unreadable(file, error) from None
    if len(content) > MOST_RECORD_BYTES:
        raise Refusal(
            f"{file}: damaged: found more than {MOST_RECORD_BYTES} bytes; allowed: the file as a"
            " sweep wrote it"
        )
    _check_plugins(content, file)
    try:
        found = RunRecord.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        at = short(".".join(map(str, first["loc"]))) or "its text"
        raise Refusal(
            f"{file}: damaged: {at}: {first['msg']}; allowed: the file as a sweep wrote it"
        ) from None
    verify(file)
    return found


def _check_plugins(content: bytes, file: Path) -> None:
    """Refuse a network that code computed which is not there, or is another by now."""
    try:
        needed = dict(json.loads(content)["plugins"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return  # what is no record is refused as one
    plugins.check_loaded(needed, str(file))
    now = {plugin.module: plugin.code for plugin in plugins.added().values()}
    for module, code in needed.items():
        if now[module] != code:
            raise Refusal(
                f"{file}: the code of plugin {short(module)} is another one than that of this"
                f" network (hash {short(str(code))}, now {now[module]}); allowed: the plugin as it"
                " was"
            )


def _unreadable(file: Path, error: Exception) -> Refusal:
    reason = getattr(error, "strerror", None) or str(error)
    return Refusal(
        f"{file}: {reason}; allowed: weights/RUN/STEP.npz, with {RUN_RECORD_FILE} beside it, of"
        " a sweep with measure.weights"
    )
