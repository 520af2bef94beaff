"""The result folder: tables, atomic parts, checkpoints, the manifest and the lock.

A part is one chunk's share of one table. It is written under a name that begins with a dot,
synced, and renamed. Its ``runs`` part is published last: a chunk is done when that has its runs.
So whatever is visible is complete, and a crash costs what the newest checkpoint does not hold.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from phasegrok.analysis.boundaries import boundaries
from phasegrok.analysis.inferred import grid_of, with_inferred
from phasegrok.analysis.phases import LABELS, NEEDED, classify, label_cells
from phasegrok.config.run_record import RUN_RECORD_FILE
from phasegrok.errors import Locked, Refusal
from phasegrok.files.atomic import replacing
from phasegrok.results.arrow import as_table

BOUNDARIES = "boundaries.parquet"


class Folder:
    """A result folder on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def lock(self, holder: str) -> Iterator[None]:
        """Hold the folder; the kernel lets go of it however the process ends.

        Raises:
            Locked: another process holds it; the message says which.
        """
        file = open(self.path / ".lock", "a+")  # noqa: SIM115 - closed below, held meanwhile
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.seek(0)
                who = file.read().strip() or "another process"
                raise Locked(f"{self.path}: in use by {who}") from None
            file.truncate(0)
            file.write(holder)
            file.flush()
            yield
            file.truncate(0)
        finally:
            file.close()

    def published(self) -> dict[str, tuple[str, ...]]:
        """Ids of the runs whose results are complete, by the part that holds them.

        Raises:
            Refusal: a part cannot be read.
        """
        parts = _parts(self.path / "runs")
        return {path.stem: _run_ids(path) for path in parts}

    def publish(self, chunk_id: str, tables: Mapping[str, pa.Table]) -> None:
        """Write a chunk's parts, the ``runs`` part last: it says that the chunk is done."""
        for name in sorted(tables, key=lambda n: n == "runs"):
            folder = self.path / name
            folder.mkdir(exist_ok=True)
            begun = _parts(folder)
            table = _alike(tables[name], pq.read_schema(begun[0])) if begun else tables[name]
            with replacing(folder / f"{chunk_id}.parquet") as file:
                pq.write_table(table, file, compression="zstd")
        self.checkpoint_path(chunk_id).unlink(missing_ok=True)

    def part_path(self, table: str, part: str) -> Path:
        return self.path / table / f"{part}.parquet"

    def parts(self, table: str) -> list[Path]:
        """The published parts of a table, in order."""
        return _parts(self.path / table)

    def read(self, table: str) -> pd.DataFrame:
        """A whole table, its parts in order."""
        return read_table(self.path / table)

    def checkpoint_path(self, chunk_id: str) -> Path:
        return self.path / f".checkpoint-{chunk_id}.npz"

    def save_checkpoint(
        self, chunk_id: str, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> None:
        """Save a chunk's state: one ``.npz`` whose ``header`` is JSON text."""
        with replacing(self.checkpoint_path(chunk_id)) as file:
            everything: dict[str, Any] = {"header": np.array(json.dumps(header)), **arrays}
            np.savez(file, **everything)

    def load_checkpoint(
        self, chunk_id: str, header: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
        """The saved state of a chunk, if one is there and ``header`` agrees with its own."""
        path = self.checkpoint_path(chunk_id)
        if not path.exists():
            return None
        with np.load(path) as file:
            found = json.loads(str(file["header"]))
            if any(found.get(k) != v for k, v in header.items()):
                return None
            return found, {k: file[k] for k in file.files if k != "header"}

    def weights_path(self, run: str, step: int) -> Path:
        return self.path / "weights" / run / f"{step}.npz"

    def run_record_path(self, run: str) -> Path:
        return self.path / "weights" / run / RUN_RECORD_FILE

    def save_run_record(self, run: str, text: str) -> None:
        """Say beside a run's weights what they are of."""
        path = self.run_record_path(run)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.write_text(str(path.relative_to(self.path)), text)

    def save_weights(self, run: str, step: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Save one network: an ``.npz`` with one float32 array a weight matrix, by its name."""
        path = self.weights_path(run, step)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            everything: dict[str, Any] = dict(arrays)
            np.savez(file, **everything)

    def write_text(self, name: str, text: str) -> None:
        with replacing(self.path / name) as file:
            file.write(text.encode())

    @property
    def manifest_path(self) -> Path:
        return self.path / "manifest.json"

    def manifest(self) -> dict[str, Any] | None:
        """The JSON values of ``manifest.json``, if there is one.

        Raises:
            Refusal: the file holds something else.
        """
        path = self.manifest_path
        if not path.exists():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:  # of JSON and of UTF-8
            found = None
        if not isinstance(found, dict):
            raise Refusal(
                f"{path}: found no JSON object; the tables beside it are safe; allowed: the file"
                " as it was written"
            )
        return found

    def require_manifest(self, *keys: str) -> dict[str, Any]:
        """The manifest, with ``axes`` and ``keys`` in it.

        Raises:
            Refusal: there is none, or it lacks one of them.
        """
        manifest = self.manifest() if self.path.is_dir() else None
        if manifest is None:
            raise Refusal(f"{self.path}: no results here; allowed: a folder that a sweep wrote")
        for key in ("axes", *keys):
            if key not in manifest:
                raise Refusal(
                    f"{self.manifest_path}: {key}: missing; the tables beside it are safe; allowed:"
                    " the file as it was written"
                )
        return manifest

    def label(self) -> pd.DataFrame:
        """The cells of all published runs, labelled; nothing is written.

        Where there is no table of runs, or a shortened one that cannot be labelled, the cells are
        those of ``cells.parquet``.

        Raises:
            Refusal: there are neither runs nor cells.
        """
        if self._follow_from_runs():
            return self._labelled(self.read("runs"))
        if not self.cells_path.exists():
            raise Refusal(f"{self.path}: no finished runs yet; run the sweep first")
        return read_table(self.cells_path)

    def cells(self) -> pd.DataFrame:
        """The cells, from :meth:`label`.

        ``cells.parquet``, and the labels of runs that the rules of an earlier version named, are
        written anew where they differ.
        """
        if not self._follow_from_runs():
            return self.label()
        runs = self.read("runs")
        cells = self._labelled(runs)
        if not _is_labelled(runs):
            self._label_runs()
        if not _holds(self.cells_path, as_table(cells)):
            self.write_cells(cells)
        return read_table(self.cells_path)

    def _labelled(self, runs: pd.DataFrame) -> pd.DataFrame:
        """The cells of runs, with those that refinement infers."""
        manifest = self.require_manifest()
        cells = label_cells(runs, manifest["axes"])
        grid = grid_of(manifest.get("sweep", {}))
        return cells if grid is None else with_inferred(cells, grid)[0]

    def _label_runs(self) -> None:
        """Write those parts of ``runs`` anew whose labels are not :func:`classify`'s."""
        for path in _parts(self.path / "runs"):
            table = pq.ParquetFile(path).read()
            runs = table.to_pandas()
            if not _is_labelled(runs):
                for name, labels in classify(runs).items():
                    place = table.schema.get_field_index(str(name))
                    column = pa.array(labels, table.schema.field(place).type)
                    table = table.set_column(place, table.schema.field(place), column)
                with replacing(path) as file:
                    pq.write_table(table, file, compression="zstd")

    def boundaries(self, label: str = "subphase") -> pd.DataFrame:
        """The lines between phases, see :func:`phasegrok.analysis.boundaries.boundaries`.

        Raises:
            Refusal: there are no runs that can be labelled, or no such label.
        """
        if label not in LABELS:
            raise Refusal(f"--label {label}: found no such label; allowed: {', '.join(LABELS)}")
        axes = self.require_manifest()["axes"]
        if not self._follow_from_runs():
            raise Refusal(f"{self.path}: no finished runs yet; run the sweep first")
        runs = self.read("runs")
        return boundaries(self._labelled(runs), runs, axes, label)

    @property
    def cells_path(self) -> Path:
        return self.path / "cells.parquet"

    def _follow_from_runs(self) -> bool:
        """Whether there are runs that can be labelled: of a shortened table they cannot."""
        parts = _parts(self.path / "runs")
        return bool(parts) and set(NEEDED) <= set(pq.read_schema(parts[0]).names)

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        self.write_text(self.manifest_path.name, json.dumps(manifest, indent=2) + "\n")

    def write_cells(self, cells: pd.DataFrame) -> None:
        self.write_table(self.cells_path.name, cells)

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a table of one file."""
        with replacing(self.path / name) as file:
            pq.write_table(as_table(table), file, compression="zstd")

    def set_aside(self) -> Path:
        """Move the folder to ``DIR.old-N`` with the first free N; nothing is deleted."""
        # A path that ends in dots has no name of its own.
        path = self.path if self.path.name not in ("", "..") else self.path.resolve()
        n = 1
        while (aside := path.with_name(f"{path.name}.old-{n}")).exists():
            n += 1
        path.rename(aside)
        return aside


def read_table(path: Path) -> pd.DataFrame:
    """A table, of one file or of parts in order. Columns of booleans with nulls are nullable
    booleans, also where no value is there."""
    frame = pd.read_parquet(path)
    files = _parts(path) if path.is_dir() else [path]
    booleans = [field.name for field in pq.read_schema(files[0]) if field.type == pa.bool_()]
    objects = [name for name in booleans if frame[name].dtype != bool]
    return frame.astype(dict.fromkeys(objects, "boolean"))


def _parts(table: Path) -> list[Path]:
    """The published parts of a table, in order; names of unpublished ones begin with a dot."""
    return sorted(table.glob("[!.]*.parquet"))


def _is_labelled(runs: pd.DataFrame) -> bool:
    """Whether the labels that runs carry, if any, are those of today's rules."""
    held = [name for name in LABELS if name in runs]
    return bool(classify(runs)[held].eq(runs[held]).all(axis=None))


def _run_ids(path: Path) -> tuple[str, ...]:
    """The runs of a part, in order."""
    try:
        return tuple(pq.read_table(path, columns=["run"]).column("run").to_pylist())
    except (pa.ArrowException, KeyError):
        raise Refusal(
            f"{path}: found no table of runs; allowed: the file as a sweep wrote it"
        ) from None


def _alike(table: pa.Table, begun: pa.Schema) -> pa.Table:
    """A part like those before it, for a folder that an earlier version began.

    It had fewer columns; what is new is left out, or a table would have it in some rows only, as
    chance has it: readers go by the first part. It wrote booleans as the texts True and False.
    """
    table = table.select([name for name in table.column_names if name in begun.names])
    for place, field in enumerate(table.schema):
        if field.type == pa.bool_() and begun.field(field.name).type == pa.string():
            column = pc.if_else(table.column(place), "True", "False")
            table = table.set_column(place, field.name, column)
    return table


def _holds(path: Path, table: pa.Table) -> bool:
    """Whether a file holds this very table."""
    try:
        return bool(pq.read_table(path).equals(table))
    except (FileNotFoundError, pa.ArrowInvalid):
        return False
