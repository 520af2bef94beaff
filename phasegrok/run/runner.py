"""Run a sweep into its result folder: plan, train chunk by chunk, save, resume, label.

The one place where compiled programs, files and the terminal meet.
"""

from __future__ import annotations

import json
import math
import os
import platform
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import jax
import numpy as np
import pandas as pd

from phasegrok import models, tasks
from phasegrok.config.identity import differences, identity, sweep_hash
from phasegrok.config.run_record import describe
from phasegrok.errors import Refusal
from phasegrok.measure import tables_wanted
from phasegrok.plan.plan import Grid, Job, Machine, plan, size_chunks
from phasegrok.plan.runs import data_of
from phasegrok.results.arrow import as_table
from phasegrok.results.folder import Folder
from phasegrok.results.tables import ChunkRuns, chunk_tables, schema, snapshot_tables
from phasegrok.sweep.load import Sweep, dump
from phasegrok.train.engine import Engine, Mapping, compiled, least_bytes, machine, measured_bytes
from phasegrok.train.snapshot import names as snapshot_names

LIBRARIES = ("phasegrok", "jax", "jaxlib", "flax", "optax", "numpy", "pandas", "pyarrow")

Looks = dict[int, dict[str, np.ndarray]]  # findings of a chunk's networks, by logging point


@dataclass(frozen=True)
class Columns:
    """What a sweep's tables have beyond the columns that all sweeps share."""

    norms: list[str]
    findings: dict[str, list[str]]  # by table


class Interrupted(Exception):
    """Ctrl-C or a polite kill: everything trained so far has been saved."""


class Reporter(Protocol):
    """What a run tells whoever watches."""

    def note(self, line: str) -> None: ...

    def skip(self, work: float, runs: int) -> None:
        """``work``, in units of :func:`job_work`, and ``runs`` were done by earlier sessions."""

    def advanced(self, work: float, runs: int) -> None:
        """So much was done just now, finishing so many runs."""


@dataclass(frozen=True)
class Prepared:
    """A checked sweep, planned for this machine and this folder; nothing has been written."""

    sweep: Sweep
    folder: Folder
    grid: Grid
    machine: Machine
    manifest: dict[str, Any]
    resumes: bool

    def parts(self) -> Iterator[tuple[Job, str, np.ndarray]]:
        """Every chunk: its job, its name, its runs."""
        for j, job in enumerate(self.grid.jobs):
            for c, runs in enumerate(job.chunks()):
                yield job, f"{j:03d}-{c:05d}", runs


def prepare(sweep: Sweep, output: Path, fresh: bool, note: Any = print) -> Prepared:
    """Check the folder, plan the sweep; refuse what cannot work before anything is written.

    Raises:
        Refusal: the folder holds another sweep or foreign files, cannot be written, or a run
            does not fit this machine.
    """
    folder = Folder(output)
    check_writable(output)
    if fresh:
        check_movable(output)
    resolved = json.loads(json.dumps(sweep.resolved()))
    old = None if fresh else folder.manifest()
    if (
        old is None
        and not fresh
        and output.exists()
        and any(not p.name.startswith(".") for p in output.iterdir())
    ):
        raise Refusal(
            f"{output}: is not empty and not a result folder; allowed: a new folder (--output),"
            " or --fresh, which moves this one aside"
        )
    here = machine()
    if old is None:
        grid = plan(sweep, here)
        for job in grid.jobs:
            # From shapes first: compiling what cannot fit may itself exhaust the machine.
            size_chunks(sweep, replace(job, chunk=1), here, least_bytes)
        jobs = [size_chunks(sweep, job, here, measured_bytes) for job in grid.jobs]
        grid = replace(grid, jobs=jobs)
        return Prepared(sweep, folder, grid, here, new_manifest(sweep, resolved, grid, here), False)
    if identity(old["sweep"]) != identity(resolved):
        changed = list(differences(identity(old["sweep"]), identity(resolved)))
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise Refusal(
            f"{output}: holds results of a different sweep ({'; '.join(changed[:3])}{more});"
            " allowed: --fresh to move them aside, or another --output"
        )
    for key in ("mapping", "chunk"):
        asked, begun = resolved["engine"][key], old["sweep"]["engine"][key]
        if asked != begun:
            note(f"note: engine.{key}: {asked} is not used; this folder was begun with {begun}")
    planned_for = Machine(**old["machine"])
    for name in ("jax", "jaxlib"):
        if old["versions"][name] != version(name):
            note(
                f"note: begun with {name} {old['versions'][name]}, goes on with {version(name)}:"
                " later runs agree with an uninterrupted sweep's to rounding only"
            )
    sweep_then = replace(
        sweep, engine=sweep.engine.model_copy(update={"mapping": old["sweep"]["engine"]["mapping"]})
    )
    grid = plan(sweep_then, planned_for)
    if (found := fingerprints(grid)) != old.get("data", []):
        raise Refusal(
            f"{output}: the files that this sweep names hold other data or weights than when this"
            f" folder was begun (hash {', '.join(found)}, then {', '.join(old.get('data', []))});"
            " allowed: --fresh, or another --output"
        )
    jobs = [
        replace(job, **(layout | {"devices": fitting(layout, here)}))
        for job, layout in zip(grid.jobs, old["jobs"], strict=True)
    ]
    if here.platform != planned_for.platform:
        note(
            f"note: begun on {planned_for.platform}, goes on here on {here.platform}: later runs"
            " agree with an uninterrupted sweep's to rounding only"
        )
    return Prepared(sweep, folder, replace(grid, jobs=jobs), here, old, True)


def fitting(layout: dict[str, Any], here: Machine) -> int:
    """As many devices as were planned, or the most this machine has that divide the chunk."""
    most = min(layout["devices"], here.devices)
    return max(d for d in range(1, most + 1) if layout["chunk"] % d == 0)


def check_writable(output: Path) -> None:
    """Refuse an output that is a file or that this user cannot write."""
    existing = output
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise Refusal(f"{existing}: output folder: found a file; allowed: a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise Refusal(f"{existing}: output folder: no permission to write; allowed: --output DIR")


def check_movable(output: Path) -> None:
    """Refuse an output that ``--fresh`` cannot move aside as the folder that it looks like."""
    if output.is_symlink():
        raise Refusal(
            f"{output}: output folder: found a link, which --fresh does not move; allowed: the"
            f" folder it points to, --output {output.resolve()}"
        )
    if output.exists() and Path.cwd().is_relative_to(output.resolve()):
        raise Refusal(
            f"{output}: output folder: found the working directory or one above it, which --fresh"
            " cannot move; allowed: the same from another directory, or another --output"
        )


def new_manifest(
    sweep: Sweep, resolved: dict[str, Any], grid: Grid, here: Machine
) -> dict[str, Any]:
    layouts = [
        {k: getattr(job, k) for k in ("kind", "chunk", "devices", "batch", "intervals")}
        for job in grid.jobs
    ]
    return {
        "name": sweep.name,
        "axes": grid.axes,
        "runs": len(grid.runs),
        "sweep": resolved,
        "sweep_hash": sweep_hash(resolved),
        "data": fingerprints(grid),
        "versions": {"python": platform.python_version()} | {n: version(n) for n in LIBRARIES},
        "git_revision": git_revision(),
        "device": jax.local_devices()[0].device_kind,
        "machine": here.__dict__,
        "jobs": layouts,
        "sessions": [],
    }


def fingerprints(grid: Grid) -> list[str]:
    """Hashes of the data and networks that a sweep names but does not hold."""
    return sorted({each for experiment in grid.experiments for each in data_of(experiment)})


def git_revision() -> str | None:
    """Revision of the source tree that phasegrok is imported from, if it is one."""
    try:
        out = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return out.stdout.strip()


def job_work(job: Job) -> float:
    """What one run of a job costs, in minimal floating-point operations, dropout's bits aside."""
    program = job.program
    model = models.of(program.experiment)
    evaluation = tasks.of(program.experiment).size.total / 3 / program.log_every
    return float(model.flops_per_row() * (program.step_rows + evaluation) * program.steps)


def run(prepared: Prepared, reporter: Reporter, fresh: bool = False) -> None:
    """Train what is missing, publish it, and label the cells.

    Raises:
        Interrupted: a signal asked for it; the sweep can be resumed.
        Locked: another process works on the folder.
    """
    folder = prepared.folder
    if fresh and folder.path.exists():
        with folder.lock(whoami()):
            aside = folder.set_aside()
        reporter.note(f"moved the old results to {aside}")
    folder.path.mkdir(parents=True, exist_ok=True)
    with folder.lock(whoami()), interruptible() as asked_to_stop:
        manifest = prepared.manifest
        if not prepared.resumes and folder.manifest() is not None:
            raise Refusal(f"{folder.path}: another process began here just now; run this again")
        session = {
            "started": now(),
            "host": socket.gethostname(),
            "chunks": 0,
            "compile_seconds": 0.0,
            "device_seconds": 0.0,
            "seconds": 0.0,
        }
        if not prepared.resumes:
            folder.write_text("sweep.yaml", dump(prepared.sweep))
            folder.write_manifest(manifest)
        done = folder.done()
        begun = time.perf_counter()
        columns = Columns(
            norm_columns(prepared.sweep, prepared.grid), finding_columns(prepared.grid)
        )
        for job, part, runs in prepared.parts():
            if part in done:
                reporter.skip(job_work(job) * len(runs), len(runs))
                continue
            try:
                train_chunk(prepared, job, part, runs, columns, reporter, asked_to_stop, session)
            finally:
                session["seconds"] = round(time.perf_counter() - begun, 3)
                session["ended"] = now()
                folder.write_manifest(manifest | {"sessions": [*manifest["sessions"], session]})
        folder.cells()


def train_chunk(
    prepared: Prepared,
    job: Job,
    part: str,
    runs: np.ndarray,
    columns: Columns,
    reporter: Reporter,
    asked_to_stop: list[int],
    session: dict[str, Any],
) -> None:
    """Train one chunk from its checkpoint or from the start, and publish it."""
    grid, folder, program = prepared.grid, prepared.folder, job.program
    start = time.perf_counter()
    engine = compiled(program, Mapping.of(job))
    session["compile_seconds"] += time.perf_counter() - start
    rows = grid.runs.iloc[runs]
    # A short chunk is filled with repeats, so that every call has the one compiled shape.
    cells = grid.run_params(np.resize(runs, job.chunk))
    state, table, records = timed(session, engine.begin, cells)
    header = {"part": part, "runs": list(rows["run"]), "chunk": job.chunk}
    saved = folder.load_checkpoint(part, header)
    pieces = {name: [value[:, None]] for name, value in records.items()}
    looks: Looks = {}
    done = 0
    each = job_work(job) * len(runs) / program.intervals
    if saved:
        found, arrays = saved
        done = found["intervals"]
        state = engine.from_host([arrays[f"state_{i}"] for i in range(found["leaves"])])
        pieces = {name: [arrays[f"record_{name}"]] for name in records}
        looks = {
            point: {name: arrays[f"look_{point}_{name}"] for name in found["findings"]}
            for point in found["looks"]
        }
        reporter.skip(each * done, 0)
    else:
        look(folder, grid, engine, state, table, runs, 0, looks, session)
    last_save = time.monotonic()
    while done < program.intervals:
        state, records = timed(session, engine.segment, state, table)
        for name, value in records.items():
            pieces[name].append(value)
        done += job.intervals
        look(folder, grid, engine, state, table, runs, done, looks, session)
        reporter.advanced(each * job.intervals, len(runs) if done == program.intervals else 0)
        late = time.monotonic() - last_save >= prepared.sweep.engine.checkpoint_every
        if done < program.intervals and (late or asked_to_stop):
            save(folder, engine, part, header | {"intervals": done}, state, pieces, looks)
            last_save = time.monotonic()
            if asked_to_stop:
                raise Interrupted
    steps = np.arange(program.intervals + 1) * program.log_every
    curves = {name: np.concatenate(p, axis=1)[: len(runs)] for name, p in pieces.items()}
    task = tasks.of(program.experiment)
    chunk = ChunkRuns(rows, grid.axes, task.size, task.input_names)
    tables = chunk_tables(chunk, steps, curves, columns.norms)
    seen = [
        snapshot_tables(chunk, int(steps[point]), found, columns.findings)
        for point, found in looks.items()
    ]
    tables |= {
        name: as_table(pd.concat([frames[name] for frames in seen], ignore_index=True))
        for name in columns.findings
    }
    folder.publish(part, tables)
    session["chunks"] += 1
    if asked_to_stop:
        raise Interrupted


def look(
    folder: Folder,
    grid: Grid,
    engine: Engine,
    state: Any,
    table: tasks.Table,
    runs: np.ndarray,
    point: int,
    looks: Looks,
    session: dict[str, Any],
) -> None:
    """At the logging points that ask for it: look into a chunk's networks, save their weights."""
    program = engine.program
    if tables_wanted(program.measure) and point in program.snapshot_points:
        (looks[point],) = timed(session, lambda: (engine.snapshot(state, table),))
    if point in program.weight_saves:
        weights = engine.weights(state)
        for i, (_, row) in enumerate(grid.runs.iloc[runs].iterrows()):
            run = row["run"]
            if not folder.about_path(run).exists():
                experiment = grid.experiments[grid.static[runs[i]]]
                folder.save_about(run, describe(experiment, row, data_of(experiment)))
            arrays = {name: every[i] for name, every in weights.items()}
            folder.save_weights(run, point * program.log_every, arrays)


def timed(session: dict[str, Any], call: Any, *args: Any) -> Any:
    """Call compiled code, wait for it, and count its time; records come back as NumPy."""
    start = time.perf_counter()
    *rest, records = call(*args)
    records = jax.tree.map(np.asarray, records)
    session["device_seconds"] += time.perf_counter() - start
    return *rest, records


def save(
    folder: Folder,
    engine: Engine,
    part: str,
    header: dict[str, Any],
    state: Any,
    pieces: dict[str, list[np.ndarray]],
    looks: Looks,
) -> None:
    leaves = engine.to_host(state)
    arrays = {f"state_{i}": leaf for i, leaf in enumerate(leaves)}
    arrays |= {f"record_{name}": np.concatenate(p, axis=1) for name, p in pieces.items()}
    arrays |= {f"look_{at}_{name}": x for at, found in looks.items() for name, x in found.items()}
    findings = sorted({name for found in looks.values() for name in found})
    header |= {"leaves": len(leaves), "looks": list(looks), "findings": findings}
    folder.save_checkpoint(part, header, arrays)


def norm_columns(sweep: Sweep, grid: Grid) -> list[str]:
    """``norm_*`` and ``spectral_*`` columns of a sweep: the union over its models, in order of
    appearance."""
    names: dict[str, None] = {}
    for experiment in grid.experiments:
        model = models.of(experiment)
        shapes = jax.eval_shape(
            lambda model=model: model.matrices(model.init(jax.random.key(0), 1.0)[0])
        )
        names |= dict.fromkeys(shapes)
    kinds = ("norm", "spectral") if sweep.measure.spectral_norms else ("norm",)
    return [f"{kind}_{name}" for kind in kinds for name in names]


def finding_columns(grid: Grid) -> dict[str, list[str]]:
    """Columns of the tables that ``measure:`` asks for: the union over a sweep's programs."""
    names: dict[str, None] = {}
    for program in {job.program.experiment: job.program for job in grid.jobs}.values():
        names |= dict.fromkeys(snapshot_names(program))
    return schema(names)


@contextmanager
def interruptible() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM in a list that the loop looks at; a second one is immediate."""
    caught: list[int] = []

    def catch(number: int, frame: FrameType | None) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)

    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(s, catch) for s in signals]
    try:
        yield caught
    finally:
        for s, handler in zip(signals, before, strict=True):
            signal.signal(s, handler)


def estimate_seconds(prepared: Prepared) -> float:
    """Expected time of what is missing, from one measured interval of each kind of program."""
    seconds = 0.0
    done = prepared.folder.done()
    kinds: dict[Any, list[tuple[Job, int]]] = {}
    for job, part, runs in prepared.parts():
        if part not in done:
            key = (replace(job.program, rows=0, tile=0, orders=0), job.kind)
            kinds.setdefault(key, []).append((job, len(runs)))
    for members in kinds.values():
        job = max((j for j, _ in members), key=lambda j: j.program.rows)
        cells = min(job.chunk, job.devices * job.batch if job.kind == "map" else job.chunk)
        cells = math.ceil(cells / job.devices) * job.devices
        mapping = Mapping(job.kind, cells, job.batch, job.devices, 1)
        engine = compiled(job.program, mapping)
        state, table, _ = engine.begin(prepared.grid.run_params(np.resize(job.runs, cells)))
        session = {"device_seconds": 0.0}
        state, _ = timed(session, engine.segment, state, table)
        session = {"device_seconds": 0.0}
        timed(session, engine.segment, state, table)
        rate = session["device_seconds"] * job.program.intervals / (job_work(job) * cells)
        seconds += sum(job_work(j) * n * rate for j, n in members)
        seconds += prepared.machine.compile_seconds * len({id(j) for j, _ in members})
    return seconds


def whoami() -> str:
    return f"process {os.getpid()} on {socket.gethostname()} since {now()}"


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


__all__ = ["Interrupted", "Prepared", "Reporter", "estimate_seconds", "prepare", "run"]
