"""The result folder: tables, atomic parts, checkpoints, the lock, and what identifies a sweep.

A part is one chunk's share of one table. It is written under a name that begins with a dot,
synced, and renamed; a chunk is done when its ``runs`` part exists, which is published last. So
whatever is visible is complete, and a crash costs what the newest checkpoint does not hold.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from phasegrok.errors import Locked, Refusal
from phasegrok.phases import GENERALIZES, classify, label_cells

# A training or test set counts as solved above this accuracy (memorization, generalization).
SOLVED = 0.999
ACCURACIES = {  # which rows each is a share of
    "train_accuracy": "train",
    "test_accuracy": "test",
    "corrupted_accuracy": "corrupted",
    "restored_accuracy": "corrupted",
    "clean_accuracy": "clean",
}
COUNTED = ("n_train", "n_corrupted")


def exact_accuracies(records: Mapping[str, np.ndarray], total: int) -> dict[str, np.ndarray]:
    """Measurements as float64, accuracies exactly k / n.

    Devices count in float32, where 0.9 is less than 0.9: a cell on a phase boundary would get
    the wrong label. The count is recovered (it is exact below 2^23 rows) and divided again.
    """
    n_train = records["n_train"].astype(np.float64)
    n_corrupted = records["n_corrupted"].astype(np.float64)
    sizes = {
        "train": n_train,
        "test": total - n_train,
        "corrupted": n_corrupted,
        "clean": n_train - n_corrupted,
    }
    out = {}
    for name, values in records.items():
        values = values.astype(np.float64)
        if name in ACCURACIES:
            n = sizes[ACCURACIES[name]]
            with np.errstate(invalid="ignore", divide="ignore"):
                values = np.where(n > 0, np.round(values * n) / n, np.nan)
        out[name] = values
    return out


def chunk_tables(
    rows: pd.DataFrame, axes: list[str], steps: np.ndarray, records: Mapping[str, np.ndarray],
    total: int, norms: list[str],
) -> dict[str, pa.Table]:  # fmt: skip
    """The ``runs`` and ``curves`` tables of one chunk.

    Args:
        rows: the chunk's part of the table of runs.
        axes: swept columns.
        steps: (points,) optimizer steps at which the network was measured, from 0.
        records: float32 measurements by name, each (runs, points).
        total: number of examples of the task.
        norms: ``norm_*`` columns of the sweep, the union over its programs.
    """
    points = len(steps)
    metrics = exact_accuracies(records, total)
    for name in norms:
        metrics.setdefault(name, np.full((len(rows), points), np.nan))
    curve_names = [n for n in metrics if n not in COUNTED and n not in norms] + norms
    repeated = rows[["run", *axes, "seed"]].iloc[np.repeat(np.arange(len(rows)), points)]
    curves = repeated.reset_index(drop=True)
    curves["step"] = np.tile(steps.astype(np.int64), len(rows))
    for name in curve_names:
        curves[name] = metrics[name].reshape(-1)
    runs = run_rows(rows, steps, metrics, curve_names)
    return {"curves": as_table(curves), "runs": as_table(runs)}


def run_rows(
    rows: pd.DataFrame, steps: np.ndarray, metrics: Mapping[str, np.ndarray], names: list[str]
) -> pd.DataFrame:
    """One labelled row a run: its last measurement, and what the curve says of the way there."""
    runs = rows.reset_index(drop=True).copy()
    train, test = metrics["train_accuracy"], metrics["test_accuracy"]
    losses = np.stack([metrics["train_loss"], metrics["test_loss"]])
    runs["status"] = np.where(np.isfinite(losses).all(axis=(0, 2)), "ok", "diverged")
    for name in names:
        runs[name] = metrics[name][:, -1]
    peak = test.argmax(axis=1)
    runs["peak_test_accuracy"] = test.max(axis=1)
    runs["peak_step"] = steps[peak].astype(np.int64)
    runs["memorization_step"] = first_step(train > SOLVED, steps)
    runs["generalization_step"] = first_step(test > SOLVED, steps)
    # The norm that Forgetting is judged against: where the network last generalized.
    generalizes = test >= GENERALIZES
    last = test.shape[1] - 1 - generalizes[:, ::-1].argmax(axis=1)
    at = np.where(generalizes.any(axis=1), last, peak)
    runs["peak_weight_norm"] = metrics["weight_norm"][np.arange(len(runs)), at]
    return runs.join(classify(runs))


def first_step(reached: np.ndarray, steps: np.ndarray) -> pd.arrays.IntegerArray:
    """First logged step at which each row of ``reached`` is true; null if never."""
    values = steps[reached.argmax(axis=1)].astype(np.int64)
    return pd.arrays.IntegerArray(values, np.asarray(~reached.any(axis=1)))


def as_table(frame: pd.DataFrame) -> pa.Table:
    """Arrow table without an index and with NaN stored as null; one schema for every part."""
    arrays, fields = [], []
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_float_dtype(values):
            kind = pa.float64()
        elif pd.api.types.is_integer_dtype(values):
            kind = pa.int64()
        else:
            kind = pa.string()
        arrays.append(pa.Array.from_pandas(values, type=kind))
        fields.append(pa.field(name, kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


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

    def done(self) -> set[str]:
        """Names of the chunks whose results are complete."""
        return {p.stem for p in (self.path / "runs").glob("[!.]*.parquet")}

    def publish(self, part: str, tables: Mapping[str, pa.Table]) -> None:
        """Write a chunk's parts, the ``runs`` part last: it says that the chunk is done."""
        for name in sorted(tables, key=lambda n: n == "runs"):
            folder = self.path / name
            folder.mkdir(exist_ok=True)
            with replacing(folder / f"{part}.parquet") as file:
                pq.write_table(tables[name], file, compression="zstd")
        self.checkpoint_path(part).unlink(missing_ok=True)

    def read(self, table: str) -> pd.DataFrame:
        """A whole table, its parts in order."""
        return pd.read_parquet(self.path / table)

    def checkpoint_path(self, part: str) -> Path:
        return self.path / f".checkpoint-{part}.npz"

    def save_checkpoint(
        self, part: str, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> None:
        """Save a chunk's state: one ``.npz`` whose ``header`` is JSON text."""
        with replacing(self.checkpoint_path(part)) as file:
            everything: dict[str, Any] = {"header": np.array(json.dumps(header)), **arrays}
            np.savez(file, **everything)

    def load_checkpoint(
        self, part: str, header: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
        """The saved state of a chunk, if one is there and ``header`` agrees with its own."""
        path = self.checkpoint_path(part)
        if not path.exists():
            return None
        with np.load(path) as file:
            found = json.loads(str(file["header"]))
            if any(found.get(k) != v for k, v in header.items()):
                return None
            return found, {k: file[k] for k in file.files if k != "header"}

    def write_text(self, name: str, text: str) -> None:
        with replacing(self.path / name) as file:
            file.write(text.encode())

    def manifest(self) -> dict[str, Any] | None:
        """What an earlier start of this sweep wrote down, if there was one."""
        path = self.path / "manifest.json"
        return json.loads(path.read_text()) if path.exists() else None

    def require_manifest(self) -> dict[str, Any]:
        """The manifest.

        Raises:
            Refusal: there is none.
        """
        manifest = self.manifest() if self.path.is_dir() else None
        if manifest is None:
            raise Refusal(f"{self.path}: no results here; allowed: a folder that a sweep wrote")
        return manifest

    def label(self) -> pd.DataFrame:
        """The cells of all published runs, labelled."""
        return label_cells(self.read("runs"), self.require_manifest()["axes"])

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        self.write_text("manifest.json", json.dumps(manifest, indent=2) + "\n")

    def write_cells(self, cells: pd.DataFrame) -> None:
        with replacing(self.path / "cells.parquet") as file:
            pq.write_table(as_table(cells), file, compression="zstd")

    def set_aside(self) -> Path:
        """Move the folder to ``DIR.old-N`` with the first free N; nothing is deleted."""
        n = 1
        while (aside := self.path.with_name(f"{self.path.name}.old-{n}")).exists():
            n += 1
        self.path.rename(aside)
        return aside


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that appears whole or not at all, even across a power loss."""
    hidden = path.with_name(f".{path.name}.tmp")
    with open(hidden, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    hidden.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
