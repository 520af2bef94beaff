"""Programs are compiled while others train: a sweep of many small programs waits for little else.

XLA compiles outside Python's lock. So the next program is begun when one is asked for: at first two
compile side by side, then one does while the other trains. No more than one waits, and holds
memory.

On two cores none is begun early. XLA keeps 1.7 cores busy with one program, so there is nothing to
gain: eight programs of 32 runs took 29 s, and 30 s with the next one begun early
(docs/architecture.md).
An accelerator trains while its host compiles, if that has the cores.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final

from phasegrok.machine import cores
from phasegrok.plan.layout import Job, Machine
from phasegrok.stopping import BUSY
from phasegrok.train.engine import Engine

__all__ = ["Ahead", "begins_early"]

BUSY_CORES: Final = 2  # that compiling one program keeps busy, nearly
Build = Callable[[Job], Engine]


def begins_early(machine: Machine) -> bool:
    """Whether the next program is compiled while one trains."""
    return (machine.devices if machine.platform == "cpu" else cores()) > BUSY_CORES


class Ahead:
    """The engines of jobs, in their order; each is built once.

    Args:
        jobs: in the order in which they are asked for.
        build: gives the engine of a job; compiles, and writes no results.
        ahead: how many are begun before they are asked for.
    """

    def __init__(self, jobs: Sequence[Job], build: Build, ahead: int = 1) -> None:
        self._ahead = ahead
        self._jobs = list({id(job): job for job in jobs}.values())
        self._build = build
        self._begun: dict[int, Future[Engine]] = {}
        self._seconds: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def number(self, job: Job) -> int:
        """Which program a job's is, from 1 on."""
        return 1 + next(i for i, each in enumerate(self._jobs) if each is job)

    def ready(self, job: Job) -> bool:
        """Whether its engine is built, or failed to be, so that nobody waits for it."""
        begun = self._begun.get(id(job))
        return begun is not None and begun.done()

    def seconds(self, job: Job) -> float:
        """How long its engine took to be built, or would have on an idle machine."""
        return self._seconds[id(job)]

    def engine(self, job: Job) -> Engine:
        """A job's engine; the next ones are begun.

        Raises:
            Exception: what building it raised, and only its own.
        """
        number = self.number(job)
        for each in self._jobs[number - 1 : number + self._ahead]:
            self._begin(each)
        engine = self._begun[id(job)].result()
        for before in self._jobs[: number - 1]:  # nobody asks for them again: let them go
            self._begun.pop(id(before), None)
        return engine

    def _begin(self, job: Job) -> None:
        if id(job) in self._begun:
            return
        future: Future[Engine] = Future()
        self._begun[id(job)] = future
        thread = threading.Thread(target=self._work, args=(job, future), daemon=True)
        BUSY.add(thread)  # the process ends without waiting for a compiler
        thread.start()

    def _work(self, job: Job, future: Future[Engine]) -> None:
        begun, spent = time.perf_counter(), time.process_time()
        try:
            engine = self._build(job)
            wall = time.perf_counter() - begun
            self._seconds[id(job)] = min(wall, time.process_time() - spent)
            future.set_result(engine)
        except BaseException as error:
            future.set_exception(error)
        finally:
            BUSY.discard(threading.current_thread())
