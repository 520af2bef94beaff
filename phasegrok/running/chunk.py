"""Train one chunk, from its checkpoint or from the start, and publish its tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from phasegrok import plugins, tasks
from phasegrok.config import MEASURE_NOTHING
from phasegrok.config.run_record import run_record_text
from phasegrok.errors import Damaged
from phasegrok.measure import tables_wanted
from phasegrok.plan.layout import Job
from phasegrok.plan.plan import Plan
from phasegrok.plan.runs import data_of
from phasegrok.results.arrow import as_table
from phasegrok.results.folder import Folder
from phasegrok.results.states import load_state, save_state
from phasegrok.results.tables import ChunkRuns, chunk_tables, snapshot_tables
from phasegrok.running.checkpoint import check_checkpoint
from phasegrok.running.columns import Columns
from phasegrok.running.follow import Chunk
from phasegrok.running.halve import check_report
from phasegrok.running.kept import earlier_state
from phasegrok.running.manifest import Taken
from phasegrok.running.prepared import Prepared
from phasegrok.running.rates import job_work, undisturbed
from phasegrok.running.session import Session
from phasegrok.train.engine import Engine, compiled

Snapshots = dict[int, dict[str, np.ndarray]]  # arrays of a chunk's networks, by logging point


class Reporter(Protocol):
    """What a run tells whoever watches."""

    def note(self, line: str) -> None: ...

    def skip(self, work: float, runs: int) -> None:
        """``work``, in units of :func:`job_work`, and ``runs`` were done by earlier sessions."""

    def more(self, work: float, runs: int) -> None:
        """So much is to be done beyond what was planned at first."""

    def advanced(self, work: float, runs: int) -> None:
        """So much was done just now, finishing so many runs."""

    def compiling(self, number: int, of: int) -> None:
        """Training waits for a program to be compiled, which is the ``number``-th of so many."""

    def compiled(self) -> None:
        """It waits no longer."""

    def delivered(self, workers: int, chunks: int) -> None:
        """So many workers of a cluster have so many chunks of it in flight now."""


class Silent:
    """A reporter that says nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *error: object) -> None: ...

    def note(self, line: str) -> None: ...

    def skip(self, work: float, runs: int) -> None: ...

    def more(self, work: float, runs: int) -> None: ...

    def advanced(self, work: float, runs: int) -> None: ...

    def compiling(self, number: int, of: int) -> None: ...

    def compiled(self) -> None: ...

    def delivered(self, workers: int, chunks: int) -> None: ...


@dataclass
class ChunkProgress:
    """A chunk in training: its networks, and everything measured of them so far."""

    chunk: Chunk
    planned: Plan
    folder: Folder
    engine: Engine
    session: Session
    state: Any = None
    table: Any = None
    pieces: dict[str, list[np.ndarray]] = field(default_factory=dict)  # (runs, points) each
    snapshots: Snapshots = field(default_factory=dict)
    earlier: Taken | None = None  # its runs after fewer steps, in another folder
    done: int = 0  # logging intervals
    within: int = 0  # steps of the next one, where it is split

    @property
    def rows(self) -> pd.DataFrame:
        """The chunk's part of the table of runs."""
        return self.planned.runs.iloc[self.chunk.runs]

    @property
    def finished(self) -> bool:
        return self.done >= self.engine.program.intervals

    def begin(self, note: Callable[[str], object]) -> bool:
        """Start from the chunk's checkpoint, if it has one, or from new networks.

        Args:
            note: told of a checkpoint that is damaged, and is set aside.

        Returns:
            Whether there was a checkpoint.
        """
        # A short chunk is filled with repeats, so that every call has the one compiled shape.
        cells = self.planned.run_params(np.resize(self.chunk.runs, self.engine.layout.chunk))
        self.state, self.table, records = self.session.timed(self.engine.begin, cells)
        self.pieces = {name: [value[:, None]] for name, value in records.items()}
        saved = self._checkpoint(note) or self._earlier(note)
        if saved:
            self.restore(*saved)
        else:
            self._take_snapshot()
        return saved is not None

    def _checkpoint(
        self, note: Callable[[str], object]
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
        """The chunk's checkpoint, if there is one and it is whole."""
        path = self.folder.checkpoint_path(self.chunk.id)
        try:
            saved = load_state(path, self.header)
            if saved:
                self.check_state(path, *saved)
        except Damaged as damage:
            self.folder.set_file_aside(path)
            note(f"note: {path}: {damage.reason}; it is set aside, and its chunk begins anew")
            return None
        return saved

    def _earlier(
        self, note: Callable[[str], object]
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
        """The state of its runs after fewer steps, if there is one that is whole."""
        if self.earlier is None:
            return None
        try:
            return earlier_state(self, self.earlier)
        except (Damaged, FileNotFoundError) as damage:
            note(f"note: {damage}; chunk {self.chunk.id} begins anew")
            return None

    def check_state(
        self, path: Path, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> None:
        """Refuse what is no state of this chunk.

        Raises:
            Damaged: it is none.
        """
        kinds = {name: pieces[0].dtype for name, pieces in self.pieces.items()}
        check_checkpoint(path, header, arrays, self.engine, kinds)

    @property
    def takes_snapshots(self) -> bool:
        return bool(tables_wanted(self.engine.program.measure))

    def restore(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Go on from a checkpoint."""
        self.done, self.within = header["intervals"], header.get("within", 0)
        self.state = self.engine.from_host([arrays[f"state_{i}"] for i in range(header["leaves"])])
        saved = {name: arrays.get(f"record_{name}") for name in self.pieces}
        # An earlier version may have measured less; what it did not measure is null.
        none = np.full((self.engine.layout.chunk, self.done + 1), np.nan, np.float32)
        self.pieces = {n: [none if found is None else found] for n, found in saved.items()}
        self.snapshots = {
            point: {name: arrays[f"look_{point}_{name}"] for name in header["findings"]}
            for point in header["looks"]
        }

    def advance(self) -> float:
        """Train for one call, and say how many logging intervals that were."""
        engine, timed, every = self.engine, self.session.timed, self.engine.program.log_every
        before = self.done + self.within / every
        if 0 < engine.layout.piece < every - self.within:
            self.state, _ = timed(engine.piece, self.state, self.table)
            self.within += engine.layout.piece
        else:
            self.state, records = timed(engine.segment, self.state, self.table)
            for name, value in records.items():
                self.pieces[name].append(value)
            self.done, self.within = self.done + engine.layout.intervals, 0
            self._take_snapshot()
        return self.done + self.within / every - before

    def checkpoint(self) -> None:
        """Save everything that :meth:`restore` needs."""
        self._save(self.folder.checkpoint_path(self.chunk.id))

    def keep(self) -> None:
        """Save the same of a finished chunk, for more steps."""
        path = self.folder.state_path(self.chunk.id)
        path.parent.mkdir(exist_ok=True)
        self._save(path)

    def _save(self, path: Path) -> None:
        leaves = self.engine.to_host(self.state)
        arrays = {f"state_{i}": leaf for i, leaf in enumerate(leaves)}
        arrays |= {f"record_{name}": np.concatenate(p, axis=1) for name, p in self.pieces.items()}
        for at, found in self.snapshots.items():
            arrays |= {f"look_{at}_{name}": values for name, values in found.items()}
        findings = sorted({name for found in self.snapshots.values() for name in found})
        header = {
            "intervals": self.done,
            "within": self.within,
            "leaves": len(leaves),
            "looks": list(self.snapshots),
            "findings": findings,
        }
        self.folder.check_held()
        save_state(path, self.header | header, arrays)

    @property
    def header(self) -> dict[str, Any]:
        """What a checkpoint must say to be of this chunk."""
        runs, layout = list(self.rows["run"]), self.engine.layout
        # A state inside an interval is not for a version that knows of none: it begins anew.
        shape: Any = [layout.chunk, layout.piece] if layout.piece else layout.chunk
        return {"part": self.chunk.id, "runs": runs, "chunk": shape}

    def tables(self, columns: Columns) -> dict[str, pa.Table]:
        """The tables of a finished chunk."""
        program, rows, axes = self.engine.program, self.rows, self.planned.axes
        steps = np.arange(program.intervals + 1) * program.log_every
        curves = {name: np.concatenate(p, axis=1)[: len(rows)] for name, p in self.pieces.items()}
        task = tasks.of(program.experiment)
        chunk = ChunkRuns(
            self.planned.table.rows(self.chunk.runs), axes, task.size, task.input_names
        )
        tables = chunk_tables(chunk, steps, curves, columns.norms)
        seen = [
            snapshot_tables(chunk, int(steps[point]), found, columns.arrays)
            for point, found in self.snapshots.items()
        ]
        return tables | {
            name: as_table(pd.concat([frames[name] for frames in seen], ignore_index=True))
            for name in columns.arrays
        }

    def _take_snapshot(self) -> None:
        """Measure inside the networks and save their weights, if this logging point asks for it."""
        program = self.engine.program
        if self.takes_snapshots and self.done in program.snapshot_points:
            take = self.engine.snapshot
            (found,) = self.session.timed(lambda: (take(self.state, self.table),))
            self.snapshots[self.done] = found
        if self.done in program.weight_saves:
            self._save_weights(self.done * program.log_every)

    def _save_weights(self, step: int) -> None:
        weights = self.engine.weights(self.state)
        for i, run in enumerate(self.rows["run"]):
            self.save_record(i)
            arrays = {name: every[i] for name, every in weights.items()}
            self.folder.save_weights(run, step, arrays)

    def save_record(self, i: int) -> None:
        """Say beside the networks of its ``i``-th run what they are of, once."""
        row = self.rows.iloc[i]
        if not self.folder.run_record_path(row["run"]).exists():
            experiment = self.planned.table.experiment_of(self.chunk.runs[i])
            needs = plugins.used([experiment], MEASURE_NOTHING)
            text = run_record_text(experiment, row, data_of(experiment), needs)
            self.folder.save_run_record(row["run"], text)


def whole_engine(job: Job) -> Engine:
    """Everything that training a job's chunks will call, compiled."""
    engine = compiled(job.program, job.layout)
    if tables_wanted(job.program.measure):
        engine.compile_snapshot()
    return engine


def train_chunk(
    prepared: Prepared,
    chunk: Chunk,
    session: Session,
    reporter: Reporter,
    engine_of: Callable[[Job], Engine] = whole_engine,
) -> None:
    """Train a chunk and publish it.

    Args:
        prepared: the sweep.
        chunk: of it.
        session: counts, and is told of signals.
        reporter: watches.
        engine_of: compiles a job's program, if that has not been done.

    Raises:
        Interrupted: a signal asked to stop; the chunk's checkpoint or its tables are saved.
    """
    publish(prepared, chunk, trained(prepared, chunk, session, reporter, engine_of), session)


def publish(
    prepared: Prepared, chunk: Chunk, tables: Mapping[str, pa.Table], session: Session
) -> None:
    """Publish a chunk's tables, and count it."""
    prepared.folder.publish(chunk.id, tables, prepared.manifest.columns)
    session.chunk, session.chunks = "", session.chunks + 1
    session.runs += len(chunk.runs)
    session.diverged += tables["runs"]["status"].to_pylist().count("diverged")
    session.heed()


def trained(
    prepared: Prepared,
    chunk: Chunk,
    session: Session,
    reporter: Reporter,
    engine_of: Callable[[Job], Engine] = whole_engine,
    is_piece: bool = False,
) -> dict[str, pa.Table]:
    """Train a chunk; its arguments are those of :func:`train_chunk`.

    Args:
        is_piece: save its end too, since other pieces are trained before its tables are published.

    Returns:
        Its tables, by name.
    """
    job, count, folder = chunk.job, len(chunk.runs), prepared.folder
    session.chunk = chunk.id
    engine = session.compiled(engine_of, job)
    reporter.compiled()
    check_report(engine, prepared.machine)
    each = job_work(job) * count / job.program.intervals
    progress = ChunkProgress(chunk, prepared.plan, folder, engine, session)
    progress.earlier = prepared.manifest.goes_on.get(chunk.id)
    if progress.begin(reporter.note):
        reporter.skip(each * (progress.done + progress.within / job.program.log_every), 0)
    last_save = time.monotonic()
    session.heed()  # nothing is newer than the checkpoint
    while not progress.finished:
        before, spent = session.device_seconds, time.process_time()
        share = progress.advance()
        if session.rates:
            wall, spent = session.device_seconds - before, time.process_time() - spent
            seconds = undisturbed(wall, spent, job.layout.devices, prepared.machine)
            cells = job_work(job) / job.program.intervals * job.layout.chunk
            session.rates.saw(job, work=seconds / (cells * share))
        reporter.advanced(each * share, count if progress.finished else 0)
        late = time.monotonic() - last_save >= prepared.sweep.engine.checkpoint_every
        if not progress.finished and (late or session.signals):
            progress.checkpoint()
            last_save = time.monotonic()
            session.heed()
    if is_piece:
        progress.checkpoint()
    elif prepared.sweep.engine.keep_state:
        progress.keep()
    return progress.tables(prepared.columns)
