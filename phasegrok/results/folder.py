"""The result folder: tables, atomic parts, checkpoints, the manifest and the lock.

A part is one chunk's share of one table. It is written under a name that begins with a dot,
synced, and renamed. Its ``runs`` part is published last: a chunk is done when that has its runs.
So whatever is visible is complete, and a crash costs what the newest checkpoint does not hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from phasegrok.analysis.boundaries import boundaries
from phasegrok.analysis.inferred import grid_of, with_inferred
from phasegrok.analysis.phases import LABELS, NEEDED, check_label, classify, label_cells
from phasegrok.config.run_record import RUN_RECORD_FILE
from phasegrok.errors import Damaged, no_results, no_runs
from phasegrok.files.atomic import remove_temporaries, replacing, set_aside, write_whole
from phasegrok.files.npz import BadArchive, read_npz, write_npz
from phasegrok.files.seal import BLANK, read_object, sealing
from phasegrok.results.arrow import as_table
from phasegrok.results.head import Head, SessionHead, checked
from phasegrok.results.parts import (
    arrow_schema,
    holds,
    like,
    parts,
    read_part,
    read_schema,
    read_table,
    run_ids,
    write_part,
)
from phasegrok.results.sessions import read_sessions
from phasegrok.results.shared import Shared

BOUNDARIES = "boundaries.parquet"
FIGURES = "figures"
CLOSEUP = "closeup.json"
# The names of parts that this package gives. Merged by hand they have others.
JOINED = "--"  # between the first and the last of the parts that were merged into one
PIECE = "~"  # between a chunk's id and what tells its pieces apart
CHUNK = re.compile(r"(\d+-\d+|taken-\d+(-\d+)*)(--(\d+-\d+|taken-\d+(-\d+)*))?$")
Schemas = Mapping[str, Mapping[str, str]]  # type by column, by table


class Folder(Shared):
    """A result folder on disk."""

    def clean(self, unfinished: Collection[str]) -> None:
        """Remove what killed processes left half written. Only the holder may ask.

        Args:
            unfinished: ids of chunks whose checkpoints stay. One that is published needs none: a
                crash came between the two.
        """
        remove_temporaries(self.path)
        before, after = self.checkpoint_path("*").name.split("*")
        for path in self.path.glob(f"{before}*{after}"):
            chunk = path.name.removeprefix(before).removesuffix(after).partition(PIECE)[0]
            if chunk not in unfinished:
                path.unlink()
        for folder in (*self.path.glob("*/"), *self.path.glob("weights/*/")):
            if folder.name != FIGURES:  # are drawn without holding the folder
                remove_temporaries(folder)

    def published(self) -> dict[str, tuple[str, ...]]:
        """Ids of the runs that are published, by the part of ``runs`` that holds them.

        Raises:
            Damaged: a part cannot be read.
        """
        return {path.stem: run_ids(path) for path in self.parts("runs")}

    def publish(
        self, chunk_id: str, tables: Mapping[str, pa.Table], columns: Schemas = MappingProxyType({})
    ) -> None:
        """Write a chunk's parts, with the ``columns`` that the manifest has, the ``runs`` part
        last: it says that the chunk is done."""
        self.check_held()
        for name in sorted(tables, key=lambda n: n == "runs"):
            folder = self.path / name
            folder.mkdir(exist_ok=True)
            table = tables[name]
            if name in columns:
                table = like(table, arrow_schema(columns[name]))
            elif begun := self.parts(name):
                table = like(table, read_schema(begun[0]))
            write_part(folder / f"{chunk_id}.parquet", table)
        self.checkpoint_path(chunk_id).unlink(missing_ok=True)

    def columns(self, table: str) -> dict[str, str]:
        """The type of every column of a table; empty where the manifest does not say it."""
        return self.head().columns.get(table, {}) if self.manifest_path.exists() else {}

    def part_path(self, table: str, part: str) -> Path:
        return self.path / table / f"{part}.parquet"

    def parts(self, table: str) -> list[Path]:
        """The published parts of a table, in order."""
        return parts(self.path / table)

    def read(self, table: str) -> pd.DataFrame:
        """A whole table, its parts in order: the rows of runs that are done.

        Raises:
            Damaged: a part is not what was written, or is not there.
            Refusal: nothing is done yet.
        """
        path = self.path / table
        begun = self.parts("runs")
        if not begun and not self.cells_path.exists():
            raise no_runs(self.path)
        if table == "runs" or not path.is_dir() or not begun:  # or shortened to other tables
            return read_table(path, self.columns(table))
        done = {part.stem for part in begun if CHUNK.match(part.stem)}
        there = {part.stem for part in self.parts(table)}
        missing = done - there
        if missing and (missing := missing - set(self.head().lacking.get(table, ()))):
            raise Damaged(path / f"{min(missing)}.parquet", "is missing")
        frame = read_table(path, self.columns(table))
        if any(CHUNK.match(name) for name in there - done):
            # A part whose chunk is not published: a crash came between two renames. Or the parts
            # of runs were merged.
            frame = frame[frame["run"].isin(self.read("runs")["run"])].reset_index(drop=True)
        return frame

    def checkpoint_path(self, chunk_id: str) -> Path:
        return self.path / f".checkpoint-{chunk_id}.npz"

    def checkpoints(self, chunk_id: str) -> list[Path]:
        """The checkpoints that a chunk has by now, its own and those of its pieces."""
        pieces = self.checkpoint_path(f"{chunk_id}{PIECE}*").name
        own = self.checkpoint_path(chunk_id)
        return [*([own] if own.exists() else []), *sorted(self.path.glob(pieces))]

    def state_path(self, chunk_id: str) -> Path:
        """Where the state of a finished chunk is kept, if it is."""
        return self.path / "state" / f"{chunk_id}.npz"

    def set_file_aside(self, path: Path) -> Path:
        """Move a damaged file into ``damaged/``; nothing is deleted."""
        return set_aside(path, self.path)

    def weights_path(self, run: str, step: int) -> Path:
        return self.path / "weights" / run / f"{step}.npz"

    def saved_steps(self, run: str) -> list[int]:
        """Steps at which networks of a run are saved, in order."""
        files = self.weights_path(run, 0).parent.glob("*.npz")
        return sorted(int(path.stem) for path in files if path.stem.isdigit())

    def load_weights(self, run: str, step: int) -> dict[str, np.ndarray]:
        """A saved network, as :meth:`save_weights` was given it.

        Raises:
            Damaged: it is not what was written.
            FileNotFoundError: there is none.
        """
        path = self.weights_path(run, step)
        try:
            return read_npz(path, path.stat().st_size)
        except BadArchive as error:
            raise Damaged(path, str(error)) from None

    def run_record_path(self, run: str) -> Path:
        return self.path / "weights" / run / RUN_RECORD_FILE

    def save_run_record(self, run: str, text: str) -> None:
        """Say beside a run's weights what they are of."""
        self.check_held()
        path = self.run_record_path(run)
        path.parent.mkdir(parents=True, exist_ok=True)
        with sealing(path) as file:
            file.write(text.encode())

    def save_weights(self, run: str, step: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Save one network: an ``.npz`` with one float32 array a weight matrix, by its name."""
        self.check_held()
        path = self.weights_path(run, step)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            write_npz(file, arrays)

    def write_text(self, name: str, text: str) -> None:
        write_whole(self.path / name, text.encode())

    @property
    def manifest_path(self) -> Path:
        return self.path / "manifest.json"

    def manifest(self) -> dict[str, Any] | None:
        """The JSON values of ``manifest.json``, if there is one.

        Raises:
            Damaged: the file holds something else, or not what was written.
        """
        try:
            return read_object(self.manifest_path)
        except FileNotFoundError:
            return None

    def head(self) -> Head:
        """What the tables are of.

        Raises:
            Damaged: the manifest does not say it.
            Refusal: there is none.
        """
        values = self.manifest() if self.path.is_dir() else None
        if values is None:
            raise no_results(self.path)
        return checked(Head, values, self.manifest_path)

    def sessions(self) -> list[SessionHead]:
        """Every start of the sweep, in order."""
        return read_sessions(self.path, self.head().sessions)

    def closeup(self) -> dict[str, Any] | None:
        """The cells that pictures show one by one, as values of axes, if some were chosen: one
        value an axis, or a list of them.

        Raises:
            Damaged: the file that remembers them holds something else.
        """
        path = self.path / CLOSEUP
        try:
            found = read_object(path)
        except FileNotFoundError:
            return None
        values = [
            v for value in found.values() for v in (value if type(value) is list else [value])
        ]
        if any(isinstance(value, dict | list) for value in values):
            raise Damaged(path, "found no object of axes and values")
        return found

    def label(self) -> pd.DataFrame:
        """The cells of all published runs, labelled; nothing is written.

        Where there is no table of runs, or a shortened one that cannot be labelled, the cells are
        those of ``cells.parquet``.

        Raises:
            Refusal: there are neither runs nor cells.
        """
        if self.labels_follow:
            return self._labelled(self.read("runs"))
        if not self.cells_path.exists():
            raise no_runs(self.path)
        return read_table(self.cells_path)

    def cells(self) -> pd.DataFrame:
        """The cells, from :meth:`label`.

        ``cells.parquet``, and the labels of runs that the rules of an earlier version named, are
        written anew where they differ.
        """
        if not self.labels_follow:
            return self.label()
        self.write_labels()
        return read_table(self.cells_path)

    def write_labels(self) -> bool:
        """Bring ``cells.parquet`` and the labels of runs up to date, and say whether they were
        not."""
        if not self.labels_follow:
            return False
        runs = self.read("runs")
        cells, labelled = self._labelled(runs), _is_labelled(runs)
        if not labelled:
            self._label_runs()
        same = holds(self.cells_path, as_table(cells))
        if not same:
            self.write_cells(cells)
        return not (same and labelled)

    def read_file(self, name: str) -> pd.DataFrame:
        """A table of one file.

        Raises:
            Damaged: it is not what was written.
            FileNotFoundError: there is none.
        """
        return read_table(self.path / name)

    def _labelled(self, runs: pd.DataFrame) -> pd.DataFrame:
        """The cells of runs, with those that refinement infers."""
        head = self.head()
        cells = label_cells(runs, head.axes)
        grid = grid_of(head.sweep)
        return cells if grid is None else with_inferred(cells, grid)[0]

    def _label_runs(self) -> None:
        """Write those parts of ``runs`` anew whose labels are not :func:`classify`'s."""
        for path in self.parts("runs"):
            table = read_part(path)
            runs = table.to_pandas()
            if not _is_labelled(runs):
                for name, labels in classify(runs).items():
                    place = table.schema.get_field_index(str(name))
                    column = pa.array(labels, table.schema.field(place).type)
                    table = table.set_column(place, table.schema.field(place), column)
                write_part(path, table)

    def boundaries(self, label: str = "subphase") -> pd.DataFrame:
        """The lines between phases, see :func:`phasegrok.analysis.boundaries.boundaries`.

        Raises:
            Refusal: there are no runs that can be labelled, or no such label.
        """
        check_label(label)
        axes = self.head().crossed
        if not self.labels_follow:
            raise no_runs(self.path)
        return boundaries(self._labelled(runs := self.read("runs")), runs, axes, label)

    @property
    def cells_path(self) -> Path:
        return self.path / "cells.parquet"

    @property
    def labels_follow(self) -> bool:
        """Whether there are runs that can be labelled: of a shortened table they cannot."""
        return any(set(NEEDED) <= set(read_schema(each).names) for each in self.parts("runs")[:1])

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        self.check_held()
        with sealing(self.manifest_path) as file:
            file.write(json.dumps({"seal": BLANK, **manifest}, indent=2).encode() + b"\n")

    def write_cells(self, cells: pd.DataFrame) -> None:
        self.write_table(self.cells_path.name, cells)

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a table of one file."""
        write_part(self.path / name, as_table(table))

    def set_aside(self) -> Path:
        """Move the folder to ``DIR.old-N`` with the first free N; nothing is deleted."""
        # A path that ends in dots has no name of its own.
        path = self.path if self.path.name not in ("", "..") else self.path.resolve()
        n = 1
        while (aside := path.with_name(f"{path.name}.old-{n}")).exists():
            n += 1
        path.rename(aside)
        return aside


def _is_labelled(runs: pd.DataFrame) -> bool:
    """Whether the labels that runs carry, if any, are those of today's rules."""
    held = [name for name in LABELS if name in runs]
    return bool(classify(runs)[held].eq(runs[held]).all(axis=None))
