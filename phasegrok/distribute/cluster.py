"""Chunks for the workers of a Dask cluster, from the process that holds the folder.

Dask delivers; the truth stays on disk. The scheduler being gone, or this process, costs what was
in training. A chunk at which workers die is tried once more by itself, and then skipped and named:
Dask blames a dead worker's chunks alike, whether they were in training or waited there.
"""

from __future__ import annotations

import queue
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

import jax

from phasegrok.distribute import worker
from phasegrok.distribute.dask import Dask, gpus, opened, revive
from phasegrok.distribute.kinds import kind_of
from phasegrok.distribute.orders import Order, Outcome, order
from phasegrok.errors import Displaced, Gone, Refusal, short
from phasegrok.files.atomic import write_whole
from phasegrok.plan.layout import Job
from phasegrok.running.chunk import Reporter
from phasegrok.running.follow import Chunk
from phasegrok.running.prepared import Prepared
from phasegrok.running.rates import work_of
from phasegrok.running.session import Interrupted, Session
from phasegrok.sweep.load import dump
from phasegrok.train.memory import Elsewhere, planning_for

__all__ = ["Cluster", "on_cluster"]

MOST_ERRORS: Final = 3  # of one chunk, then it is skipped
WINDOW: Final = 64  # orders at least that the scheduler has
LOOK_EVERY: Final = 2.0  # seconds between two looks at which workers there are
ANSWER_SECONDS: Final = 10.0  # that the answer to an order takes to come from its worker
NOBODY_SECONDS: Final = 300.0  # without any worker, after which processes of our own are given up
STOP_SECONDS: Final = 20.0  # that workers get to save what they train


@contextmanager
def on_cluster(
    asked: Dask, shared_files: bool, mixed: bool, note: Callable[[str], object]
) -> Iterator[Cluster]:
    """A cluster, for whose workers sweeps are planned while this lasts.

    Args:
        asked: which.
        shared_files, mixed: as of :class:`Cluster`.
        note: told what there is to know of it.
    """
    devices = len(jax.local_devices())
    with opened(asked, note, devices) as client:
        cluster = Cluster(client, shared_files, mixed, own=bool(asked.workers))
        if asked.workers and not gpus():
            yield cluster  # its workers are as this process is
            return
        with planning_for(_elsewhere(client)):
            yield cluster


def _elsewhere(client: Any) -> Elsewhere:
    """The machine of a worker: those of another kind are not used."""

    def measured(job: Job, runs: int) -> int:
        small = replace(job, runs=job.runs[:0])
        return int(client.submit(worker.measured_bytes, small, runs, pure=False).result())

    machine, device, processor = client.submit(worker.describe, pure=False).result()
    return Elsewhere(machine, measured, device, processor)


@dataclass
class Cluster:
    """What has chunks trained: :data:`phasegrok.running.loop.Deliver`.

    Attributes:
        client: of Dask.
        shared_files: whether workers see the result folder under the same path.
        mixed: whether workers may compute on another kind of device than the folder's.
        own: whether its workers are processes of this machine that were begun for this.
    """

    client: Any
    shared_files: bool = True
    mixed: bool = False
    own: bool = False
    workers: set[str] = field(default_factory=set)
    unfit: dict[str, str] = field(default_factory=dict)  # workers that may not train, and why
    looked: float = float("-inf")
    seen: float = field(default_factory=time.monotonic)  # when there was a worker

    def __call__(
        self, prepared: Prepared, chunks: list[Chunk], session: Session, reporter: Reporter
    ) -> None:
        """Have chunks trained and published.

        Raises:
            Interrupted: a signal asked for it; workers have saved what they trained.
            Gone: the scheduler is.
            Refusal: no worker may train, or all of them fail alike.
        """
        from distributed.comm.core import CommClosedError

        delivery = _Delivery(self, prepared, session, reporter)
        try:
            delivery.run(chunks)
            for chunk in delivery.suspects:  # each by itself: whoever dies now, dies of it
                delivery.run([chunk], alone=True)
        except CommClosedError as error:  # an OSError, but none of the disk
            raise self.gone() from error
        finally:
            delivery.close()

    def look(self) -> None:
        """Find out which workers there are.

        Raises:
            Gone: the scheduler is.
        """
        if time.monotonic() - self.looked < LOOK_EVERY:
            return
        try:
            self.workers = set(self.client.nthreads())
        except (OSError, TimeoutError, ValueError) as error:
            raise self.gone() from error
        self.looked = time.monotonic()
        if self.own:
            revive(self.client.cluster)
        if self.workers:
            self.seen = self.looked
        elif self.own and self.looked - self.seen > NOBODY_SECONDS:
            raise Gone(
                "every worker process ended, and none could be begun again; what is published is"
                " kept, and the same command goes on"
            )

    def gone(self) -> Gone:
        """What is said where the scheduler does not answer."""
        address = getattr(self.client.scheduler, "address", "the scheduler")
        return Gone(
            f"{address}: the scheduler does not answer any more; what is published is kept, and"
            " the same command goes on with what is missing"
        )

    def fit(self) -> list[str] | None:
        """The workers that may train; None for all."""
        return sorted(self.workers - set(self.unfit)) if self.unfit else None


class _Delivery:
    """Some chunks on their way."""

    def __init__(
        self, cluster: Cluster, prepared: Prepared, session: Session, reporter: Reporter
    ) -> None:
        self.cluster, self.prepared = cluster, prepared
        self.session, self.reporter = session, reporter
        self.sweep, self.work = dump(prepared.sweep), work_of()
        self.suspects: list[Chunk] = []
        self.errors: dict[str, int] = {}
        self.done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.flying: dict[Any, Chunk] = {}
        self.numbers = 0

    def run(self, chunks: Sequence[Chunk], alone: bool = False) -> None:
        waiting = deque(chunks)
        while waiting or self.flying:
            self.check()
            self.cluster.look()
            room = 1 if alone else max(WINDOW, 4 * len(self.cluster.workers))
            while waiting and len(self.flying) < room and self.cluster.fit() != []:
                self.submit(waiting.popleft())
            if waiting and not self.flying:
                self.nobody()
            self.reporter.delivered(len(self.cluster.workers), len(self.flying))
            try:
                future = self.done.get(timeout=0.1)
            except queue.Empty:
                continue
            if (chunk := self.flying.pop(future, None)) is not None:
                try:
                    waiting.extendleft(self.landed(future, chunk, alone))
                except TimeoutError:  # its worker died with the answer: it will be done again
                    self.await_(future, chunk)
                    continue
                future.release()

    def check(self) -> None:
        """Ask for signals, and whether the scheduler is there."""
        if self.session.signals:
            self.stop()
            raise Interrupted
        if self.cluster.client.status not in ("running", "connecting"):
            raise self.cluster.gone()

    def nobody(self) -> None:
        """No worker may train: all that there are compute on another kind of device."""
        why = next(iter(self.cluster.unfit.items()))
        raise Refusal(
            f"worker {why[0]}: {why[1]}, and so does every other worker; allowed: workers of that"
            " kind, or --mixed, which notes which chunks were trained on another one"
        )

    def submit(self, chunk: Chunk) -> None:
        self.numbers += 1
        folder = self.prepared.folder
        future = self.cluster.client.submit(
            worker.train,
            self.order(chunk),
            key=f"{chunk.id}-{folder.token}-{self.numbers}-{time.time_ns()}",
            pure=False,
            workers=self.cluster.fit(),
        )
        self.await_(future, chunk)

    def await_(self, future: Any, chunk: Chunk) -> None:
        """Be told once an order is done."""
        self.flying[future] = chunk
        future.add_done_callback(self.done.put)

    def order(self, chunk: Chunk) -> Order:
        folder, manifest = self.prepared.folder, self.prepared.manifest
        home = kind_of(manifest)
        return order(
            self.prepared,
            chunk,
            self.sweep,
            folder=str(folder.path.absolute()) if self.cluster.shared_files else "",
            holder=folder.token,
            devices=manifest.machine.devices,
            kind="" if self.cluster.mixed else home,
            home=home,
            columns=manifest.columns,
            plugins=tuple(manifest.plugins),
        )

    def landed(self, future: Any, chunk: Chunk, alone: bool) -> list[Chunk]:
        """Take in what became of an order, and give what is to be ordered again."""
        from distributed import KilledWorker

        if future.status == "cancelled" or future.status == "lost":
            return [chunk]
        if future.status == "error":
            error = future.exception(timeout=ANSWER_SECONDS)
            if isinstance(error, KilledWorker):
                return self.killed(chunk, alone)
            return self.failed(chunk, error)
        return self.finished(future.result(timeout=ANSWER_SECONDS), chunk, future)

    def killed(self, chunk: Chunk, alone: bool) -> list[Chunk]:
        """Several workers died that had the chunk."""
        if alone:
            self.session.failed[chunk.id] = "every worker that trained it died"
            self.reporter.note(f"note: chunk {chunk.id} is skipped: every worker that had it died")
        else:
            self.suspects.append(chunk)
            self.reporter.note(
                f"note: workers died that had chunk {chunk.id}; it is tried by itself at the end"
            )
        return []

    def failed(self, chunk: Chunk, error: BaseException) -> list[Chunk]:
        """A worker could not train a chunk."""
        if isinstance(error, Displaced):
            return [chunk]
        self.errors[chunk.id] = self.errors.get(chunk.id, 0) + 1
        if self.errors[chunk.id] < MOST_ERRORS:
            return [chunk]
        if isinstance(error, Refusal):  # the same for every chunk
            raise error
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        self.session.failed[chunk.id] = said
        self.reporter.note(f"note: chunk {chunk.id} is skipped: {said}")
        return []

    def finished(self, outcome: Outcome, chunk: Chunk, future: Any) -> list[Chunk]:
        """Publish what came back, and count it."""
        if outcome.refused:
            for address in self.cluster.client.who_has([future]).get(future.key, ()):
                if address not in self.cluster.unfit:
                    self.cluster.unfit[address] = outcome.refused
                    self.reporter.note(f"note: worker {address} is not used: {outcome.refused}")
            return [chunk]
        if not outcome.runs:  # it was told to stop
            return [chunk]
        session = self.session
        if outcome.tables:
            _publish(self.prepared, chunk.id, outcome)
        session.chunks, session.runs = session.chunks + 1, session.runs + outcome.runs
        session.diverged += outcome.diverged
        session.compile_seconds += outcome.compile_seconds
        session.device_seconds += outcome.device_seconds
        if outcome.mixed:
            session.mixed.append(chunk.id)
        self.reporter.advanced(self.work(chunk), outcome.runs)
        return []

    def stop(self) -> None:
        """Let workers save what they train, and take back what they have not begun."""
        client = self.cluster.client
        try:
            client.run(worker.stop, self.prepared.folder.token, wait=True, on_error="ignore")
            until = time.monotonic() + STOP_SECONDS
            begun = {key for keys in client.processing().values() for key in keys}
            while time.monotonic() < until and len(self.session.signals) < 2:
                if not any(f.key in begun and not f.done() for f in self.flying):
                    return
                time.sleep(0.1)
        except (OSError, TimeoutError, ValueError):
            return  # there is no scheduler to tell it to

    def close(self) -> None:
        """Take back what is still ordered."""
        if self.flying:
            with suppress(OSError, TimeoutError, ValueError):
                self.cluster.client.cancel(list(self.flying), force=True)
        self.flying.clear()


def _publish(prepared: Prepared, chunk: str, outcome: Outcome) -> None:
    """Write what a worker sent back: networks first, then the tables."""
    folder = prepared.folder
    folder.check_held()
    files: Mapping[str, bytes] = outcome.files
    for name, content in files.items():
        path = folder.path / name
        if not re.fullmatch(r"weights/[0-9a-f]+/[\w.]+", name):
            raise Refusal(f"worker: sent a file of another name ({short(name)})")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    folder.publish(chunk, outcome.tables, prepared.manifest.columns)
