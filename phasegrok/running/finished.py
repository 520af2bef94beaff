"""A sweep that is finished is recognized without JAX, and so at once; its files are verified.

At its end a sweep leaves a note in its folder: what was asked for, by which code, what every file
holds. The same command then has nothing to plan. It verifies all files against the note. Where
anything is otherwise, or there is no note, it plans and looks as ever; so a note only saves time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import phasegrok
from phasegrok import plugins
from phasegrok.config.identity import names_files
from phasegrok.config.paths import block_classes, kind_of
from phasegrok.errors import Damaged
from phasegrok.files.atomic import TEMPORARY
from phasegrok.files.seal import BLANK, read_object, sealing
from phasegrok.results.folder import BOUNDARIES, Folder
from phasegrok.running.verify import Expected, verify
from phasegrok.sweep.load import Sweep

__all__ = ["finished_runs", "note_finished"]

NOTE: Final = ".finished.json"
# Beside the tables, whose parts have seals of their own. What else is there follows from them.
FILES: Final = ("manifest.json", "sweep.yaml", "cells.parquet", BOUNDARIES)
LIBRARIES: Final = ("jax", "jaxlib", "flax", "optax", "numpy", "pandas", "pyarrow", "scipy")


def note_finished(folder: Folder, sweep: Sweep, expected: Expected) -> None:
    """Note that a folder holds all of a sweep, labelled; nothing where that can change unseen.

    Args:
        folder: held by this process.
        sweep: that it holds.
        expected: what verifies it.
    """
    if _names_files(sweep) or plugins.added():
        return
    note = {
        "seal": BLANK,
        "asked": _asked(sweep),
        "code": _code(),
        "files": _digests(folder),
        "expected": _values(expected),
    }
    if _held(folder.path / NOTE) != note | {"seal": ""}:
        with sealing(folder.path / NOTE) as file:
            file.write(json.dumps(note).encode())


def finished_runs(folder: Folder, sweep: Sweep) -> int:
    """How many runs a folder holds, where they are all of a sweep, labelled, and every file is as
    it was written.

    0 also where that is not known: then the sweep is planned, and says what is missing.
    """
    if plugins.added():
        return 0
    note = _held(folder.path / NOTE)
    if note is None or note.get("asked") != _asked(sweep) or note.get("code") != _code():
        return 0
    try:
        expected = _expected(note["expected"])
        if note["files"] != _digests(folder) or _leftovers(folder):
            return 0
        found = verify(folder, expected)
        folder.closeup()
    except (Damaged, OSError, KeyError, TypeError, AttributeError):
        return 0
    held = {run for runs in found.parts.values() for run in runs}
    whole = not (found.damage or found.undone or found.odd) and held == expected.runs
    return len(held) if whole and found.lacking == expected.lacking else 0


def _held(path: Path) -> dict[str, Any] | None:
    """The note that is there, without its seal; None where there is none that is whole."""
    with suppress(Damaged, OSError):
        return read_object(path) | {"seal": ""}
    return None


def _values(expected: Expected) -> dict[str, Any]:
    """As it reads back from JSON."""
    values: dict[str, Any] = {
        "parts": {name: [*runs] for name, runs in expected.parts.items()},
        "tables": [*expected.tables],
        "networks": {name: [*steps] for name, steps in expected.networks.items()},
        "lacking": {table: [*names] for table, names in expected.lacking.items()},
        "columns": {table: {**columns} for table, columns in expected.columns.items()},
    }
    return values


def _expected(values: dict[str, Any]) -> Expected:
    parts = {name: tuple(runs) for name, runs in values["parts"].items()}
    lacking = {table: tuple(names) for table, names in values["lacking"].items()}
    return Expected(parts, values["tables"], values["networks"], lacking, values["columns"])


def _asked(sweep: Sweep) -> str:
    """Every setting of a sweep, those that do not decide its numbers too."""
    return _hash(json.dumps(sweep.resolved(), sort_keys=True).encode())


def _code() -> str:
    """This very state of the package and of the libraries that decide numbers and labels."""
    found = hashlib.sha256()
    home = Path(phasegrok.__file__).parent
    for path in sorted(home.rglob("*.py")):
        now = path.stat()
        found.update(f"{path.relative_to(home)} {now.st_size} {now.st_mtime_ns}\n".encode())
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found.update(f"{name} {version(name)}\n".encode())
    return found.hexdigest()


def _digests(folder: Folder) -> dict[str, str]:
    return {
        name: _hash((folder.path / name).read_bytes())
        for name in FILES
        if (folder.path / name).exists()
    }


def _leftovers(folder: Folder) -> bool:
    """Whether there is anything of a process that was killed, to be cleaned."""
    checkpoints = folder.checkpoint_path("*").name
    return any(True for name in (TEMPORARY, checkpoints) for _ in folder.path.glob(name))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _names_files(sweep: Sweep) -> bool:
    """Whether a run reads files that may hold other data by now."""
    return any(
        kind_of(each) == kind and names_files(each)
        for block, kind in _kinds(sweep)
        for each in block_classes(block)
    )


def _kinds(sweep: Sweep) -> Iterator[tuple[str, Any]]:
    """The kinds of the blocks of all experiments of a sweep."""
    for block in ("task", "model", "optimizer"):
        path = f"{block}.kind"
        yield block, getattr(sweep.base, block).kind
        for variant in sweep.variants:
            yield block, dict(variant.settings).get(path)
        for axis in sweep.axes:
            if axis.path == path:
                yield from ((block, value) for value in axis.values)
