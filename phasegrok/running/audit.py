"""Is a folder what it says? Every file is verified, and some runs are trained again to compare."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from phasegrok.analysis.phases import LABELS
from phasegrok.config.engine import ANY_DEVICE
from phasegrok.errors import Refusal, no_results
from phasegrok.machine import processor
from phasegrok.plugins import check_loaded
from phasegrok.results.folder import CHUNK, Folder
from phasegrok.results.parts import read_table
from phasegrok.running.chunk import Reporter, Silent, train_chunk
from phasegrok.running.columns import tables_of
from phasegrok.running.follow import Chunk
from phasegrok.running.prepared import Prepared
from phasegrok.running.preparing import prepare
from phasegrok.running.recover import SWEEP_FILE
from phasegrok.running.session import Session
from phasegrok.running.verify import Found
from phasegrok.sweep.load import load

__all__ = ["Audit", "audit"]


@dataclass
class Audit:
    """What was found.

    Attributes:
        found: which files are whole.
        notes: what a resume would say.
        trained: runs that were trained again.
        done: runs that the folder holds.
        differ: the largest absolute difference of a column, by ``TABLE.COLUMN``; infinite where
            one of two values is null.
        labels: runs whose labels differ.
        alike: whether this machine and JAX are of the kind that began the folder.
    """

    found: Found
    notes: list[str]
    done: int = 0
    trained: int = 0
    differ: dict[str, float] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    alike: bool = True

    @property
    def same(self) -> bool:
        """Whether everything that was trained again came out the same."""
        return not self.differ and not self.labels

    @property
    def sound(self) -> bool:
        """Whether nothing is damaged, and nothing differs that should not."""
        return not self.found.damage and (self.same or not self.alike)


def audit(path: Path, retrain: int = 0, seed: int | None = None) -> Audit:
    """Verify a folder; it is not written to.

    Args:
        path: the folder.
        retrain: how many runs to train again, at least; whole chunks are, since only then every
            bit can be compared.
        seed: chooses them; None for another choice each time.

    Raises:
        Refusal: its sweep cannot be prepared.
    """
    file = path / SWEEP_FILE
    if not file.exists():
        raise Refusal(f"{file}: found no such file; allowed: a folder that a sweep wrote")
    check_loaded(Folder(path).head().plugins, str(path))
    notes: list[str] = []
    prepared = prepare(load(file, [ANY_DEVICE]), path, fresh=False, note=notes.append)
    if prepared.found is None:
        raise no_results(path)
    result = Audit(prepared.found, notes, sum(map(len, prepared.found.parts.values())))
    begun = prepared.begun
    result.alike = begun is not None and (
        begun.platform == prepared.machine.platform
        and begun.processor == processor()
        and all(begun.versions.get(name) == version(name) for name in ("jax", "jaxlib"))
    )
    for chunk in _chosen(prepared, prepared.found, retrain, random.Random(seed)):
        _compare(prepared, chunk, result, Silent())
    return result


def _chosen(prepared: Prepared, found: Found, runs: int, chance: random.Random) -> Iterator[Chunk]:
    """Random chunks that are done, until they have so many runs."""
    held = {run for name, runs in found.parts.items() if CHUNK.match(name) for run in runs}
    ids = prepared.plan.table.frame["run"].to_numpy()
    done = [chunk for chunk in prepared.chunks if ids[chunk.runs[0]] in held]
    chance.shuffle(done)
    for chunk in done:
        if runs <= 0:
            return
        runs -= len(chunk.runs)
        yield chunk


def _compare(prepared: Prepared, chunk: Chunk, result: Audit, reporter: Reporter) -> None:
    """Train a chunk once more, elsewhere, and hold its rows against the published ones."""
    with tempfile.TemporaryDirectory() as home:
        elsewhere = replace(prepared, folder=Folder(Path(home)))
        train_chunk(elsewhere, chunk, Session(), reporter)
        for table in tables_of(prepared.columns):
            old = _published(prepared, chunk, table, result.found)
            if old is not None:
                _compare_rows(table, old, elsewhere.folder.read(table), result)
    result.trained += len(chunk.runs)


def _published(prepared: Prepared, chunk: Chunk, table: str, found: Found) -> pd.DataFrame | None:
    """A chunk's rows of a table, from its own part or from a merged one; None where there is no
    such part."""
    ids = prepared.plan.table.frame["run"].to_numpy()[chunk.runs]
    part = next(name for name, runs in found.parts.items() if ids[0] in runs)
    path = prepared.folder.part_path(table, part)
    if not path.exists():
        return None
    rows = read_table(path)
    return rows if part == chunk.id else rows[rows["run"].isin(ids)].reset_index(drop=True)


def _compare_rows(table: str, old: pd.DataFrame, new: pd.DataFrame, result: Audit) -> None:
    if len(old) != len(new):
        result.differ[f"{table} (rows)"] = abs(len(old) - len(new))
        return
    for name in old.columns.intersection(new.columns):
        if name in LABELS:
            result.labels |= set(old["run"][old[name].to_numpy() != new[name].to_numpy()])
        elif largest := _difference(old[name], new[name]):
            key = f"{table}.{name}"
            result.differ[key] = max(result.differ.get(key, 0.0), largest)


def _difference(old: pd.Series[Any], new: pd.Series[Any]) -> float:
    """The largest difference of two columns; 0 where they are the same, bit for bit."""
    if not (pd.api.types.is_numeric_dtype(old) and pd.api.types.is_numeric_dtype(new)):
        return 0.0 if old.astype(str).equals(new.astype(str)) else np.inf
    a, b = (column.astype("float64").to_numpy() for column in (old, new))
    both = np.isnan(a) & np.isnan(b)
    with np.errstate(invalid="ignore"):
        apart = np.where(both | (a == b), 0.0, np.abs(a - b))
    return float(np.nan_to_num(apart, nan=np.inf).max(initial=0.0))
