"""A worker's side: train the chunk of an order, and publish it or send its tables back.

A worker compiles once for each program and layout, and keeps it, as every process does. It writes
only as long as the process that gave the order holds the folder, and nobody was given the same
chunk since: so one that was thought lost, and wakes up, changes nothing.
"""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import phasegrok
from phasegrok.distribute.orders import Order, Outcome
from phasegrok.errors import Displaced, Refusal
from phasegrok.files.claim import CLAIM, read_claim, who
from phasegrok.files.members import Member, Piece, join
from phasegrok.machine import cores
from phasegrok.results.folder import Folder
from phasegrok.results.parts import read_part
from phasegrok.stopping import Interrupted

__all__ = ["describe", "ignore_signals", "is_there", "leave", "measured_bytes", "stop", "train"]

STOP: list[int] = []  # signals, as a session has them: a worker that is sent away saves first
STOPPED: set[str] = set()  # holders whose orders are not begun any more
TRAINING = threading.Lock()  # a worker trains one chunk at a time, whatever its threads


class Duty:
    """A chunk that a worker was given by the process that holds the folder."""

    def __init__(self, folder: Path, holder: str, piece: Piece) -> None:
        self.folder, self.holder, self.piece = folder, holder, piece

    def check(self) -> None:
        """Refuse to write what another process is to write by now.

        Raises:
            Displaced: it says who.
        """
        found = read_claim(self.folder / CLAIM)
        if found.get("token") != self.holder:
            raise Displaced(
                f"{self.piece.path.name}: {who(found) if found else 'nobody'} holds the folder now;"
                " nothing of it is written here"
            )
        self.piece.check()


def train(given: Order) -> Outcome:
    """Train a chunk.

    Raises:
        Refusal: this worker has another phasegrok, or makes another table of runs of the sweep.
        Displaced: another worker was given the chunk meanwhile.
    """
    if given.version != phasegrok.__version__:
        raise Refusal(
            f"worker: found phasegrok {phasegrok.__version__}; allowed: {given.version}, as the"
            " process that gives the orders has"
        )
    _begin_jax(given.devices)
    from phasegrok.train.devices import kind_of_device

    kind = kind_of_device()
    if given.kind and kind != given.kind:
        return Outcome(given.chunk, refused=f"computes on {kind}, not on {given.kind}")
    with TRAINING:
        if given.holder in STOPPED:
            return Outcome(given.chunk)
        STOP.clear()
        done = _elsewhere(given) if not given.folder else _in_place(given)
    return replace(done, mixed=bool(given.home) and kind != given.home)


def is_there() -> bool:
    """Asked of a worker that is begun only if there is something to do."""
    return True


def describe() -> tuple[Any, str, str]:
    """The machine as the planner sees it, and its kinds of device and processor."""
    _begin_jax(cores())
    from phasegrok.train.memory import machine, planned_kinds

    return machine(), *planned_kinds()


def measured_bytes(job: Any, runs: int) -> int:
    """What so many runs of a job would take here."""
    from phasegrok.train.memory import measured_bytes as measured

    return measured(job, runs)


def stop(holder: str) -> None:
    """Let the chunk that is in training save, and end; begin none of this holder any more."""
    STOPPED.add(holder)
    STOP.append(signal.SIGTERM)


def ignore_signals() -> None:
    """Leave signals of a terminal, or of a cluster to a whole job, to the process that gives the
    orders: it tells its workers what to do."""
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"):
            if (number := getattr(signal, name, None)) is not None:
                signal.signal(number, signal.SIG_IGN)


def _begin_jax(devices: int) -> None:
    """Show so many CPU devices to JAX, unless it has begun."""
    import jax

    config: Any = jax.config
    with suppress(RuntimeError):
        if config.jax_num_cpu_devices < 1:
            config.update("jax_num_cpu_devices", devices)


def _in_place(given: Order) -> Outcome:
    """Train a chunk into the shared folder."""
    folder = Folder(Path(given.folder))
    path = folder.part_path("runs", given.chunk)
    if path.exists():  # a worker published it, and was lost before it could say so
        status = read_part(path, ["status"]).column("status").to_pylist()
        return Outcome(given.chunk, len(status), status.count("diverged"))
    member, session = _member(given.folder, given.holder)
    piece = member.claim(given.chunk, take_over=True)
    if piece is None:
        raise Displaced(f"{given.chunk}: another worker has it; nothing of it is written here")
    try:
        with folder.writing_for(Duty(folder.path, given.holder, piece)):
            return _trained(given, folder, session)
    finally:
        piece.release()


def _elsewhere(given: Order) -> Outcome:
    """Train a chunk into a folder of its own, and send back what came of it."""
    from phasegrok.running.session import Session

    with tempfile.TemporaryDirectory(prefix="phasegrok-") as home:
        folder = Folder(Path(home))
        done = _trained(given, folder, Session(share="worker", signals=STOP))
        tables = {
            path.parent.name: read_part(path)
            for path in Path(home).glob(f"*/{given.chunk}.parquet")
        }
        files = {
            str(path.relative_to(home)): path.read_bytes()
            for path in sorted(Path(home).glob("weights/*/[!.]*"))
        }
    return replace(done, tables=tables, files=files)


def _trained(given: Order, folder: Folder, session: Any) -> Outcome:
    from phasegrok.distribute.pieces import train_fitting
    from phasegrok.running.chunk import Silent
    from phasegrok.running.follow import Chunk

    base = _prepared(given.sweep, given.plugins)
    manifest = replace(base.manifest, columns=given.columns)
    prepared = replace(base, folder=folder, manifest=manifest)
    prepared.__dict__["columns"] = base.columns  # found once: that traces every model
    job = _job(prepared, given)
    before = (session.runs, session.diverged, session.compile_seconds, session.device_seconds)
    with suppress(Interrupted):
        train_fitting(prepared, Chunk(given.chunk, job, given.runs), session, Silent())
    after = (session.runs, session.diverged, session.compile_seconds, session.device_seconds)
    runs, diverged, compiling, computing = (b - a for a, b in zip(before, after, strict=True))
    return Outcome(given.chunk, int(runs), int(diverged), compiling, computing)


def _job(prepared: Any, given: Order) -> Any:
    """The chunk's job, as the manifest has it."""
    from phasegrok.plan.layout import Job
    from phasegrok.plan.plan import program_of

    table = prepared.plan.table
    ids = table.frame["run"].to_numpy()
    if given.runs.max() >= len(ids) or ids[given.runs[0]] != given.first:
        raise Refusal(
            f"worker: makes other runs of this sweep than the process that gives the orders"
            f" (chunk {given.chunk}); allowed: the same phasegrok, and the same data, on both"
        )
    shape = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.shape.items()
    }
    program = program_of(prepared.sweep, table.experiment_of(int(given.runs[0])), **shape)
    return Job(program, np.asarray(given.runs), given.layout.on(prepared.machine.devices))


@lru_cache(maxsize=2)
def _prepared(text: str, modules: tuple[str, ...]) -> Any:
    """The sweep of an order, without any folder or jobs."""
    from phasegrok import plugins
    from phasegrok.plan.plan import Plan, checked_table, swept_columns
    from phasegrok.running.extend import resolved
    from phasegrok.running.manifest import new_manifest
    from phasegrok.running.prepared import Prepared
    from phasegrok.sweep.load import load
    from phasegrok.train.memory import machine

    plugins.load(modules)
    with tempfile.TemporaryDirectory(prefix="phasegrok-") as home:
        path = Path(home) / "sweep.yaml"
        path.write_text(text)
        sweep = load(path)
    here = machine()
    planned = Plan(swept_columns(sweep), checked_table(sweep), [])
    manifest = new_manifest(sweep, resolved(sweep), planned, here)
    return Prepared(sweep, Folder(Path()), planned, [], here, manifest, None)


_SERVICE: dict[tuple[str, str], tuple[ExitStack, Member, Any]] = {}


def _member(path: str, holder: str) -> tuple[Member, Any]:
    """This process as a member that serves a folder's holder, and its session there."""
    found = _SERVICE.get((path, holder))
    if found is None or not found[1].path.exists():
        leave()
        stack = ExitStack()
        member, session = stack.enter_context(_serving(Path(path), holder))
        _SERVICE[path, holder] = found = (stack, member, session)
    return found[1], found[2]


@contextmanager
def _serving(path: Path, holder: str) -> Iterator[tuple[Member, Any]]:
    from phasegrok.running.account import keeping
    from phasegrok.running.session import Session, whoami

    session = Session(share="worker", signals=STOP)
    with (
        join(path, f"worker, {whoami()}", {"serves": holder}) as member,
        keeping(Folder(path), session),
    ):
        yield member, session


def leave() -> None:
    """Be no member of any folder any more."""
    for stack, *_ in _SERVICE.values():
        with suppress(OSError):
            stack.close()
    _SERVICE.clear()
