"""How long a sweep will take."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from phasegrok import models
from phasegrok.machine import REFERENCE_CORE
from phasegrok.plan.layout import Job, Machine, interval_seconds
from phasegrok.plan.plan import Plan
from phasegrok.running.ahead import begins_early
from phasegrok.running.follow import sized
from phasegrok.running.keeping import kept
from phasegrok.running.prepared import Prepared
from phasegrok.running.rates import KEPT, Rates, job_work, mark, work
from phasegrok.running.session import Session
from phasegrok.sweep.load import Sweep
from phasegrok.train.engine import compiled

__all__ = [
    "Estimate",
    "estimated_time",
    "job_work",
    "measured_time",
    "reference_time",
    "steps_to_try",
]

# Longer than this, by the machine's assumed rates, no program is tried; nor are more programs once
# this many times as long has been spent on trying.
TRY_SECONDS: Final = 5.0
WEIGHT_SECONDS: Final = 2e-8  # that an optimizer takes for one weight; to draw it takes ten times
TRIES: Final = 4
MOST_LAYERS: Final = 24  # of a network that is compiled to be tried: 64 take 15 s
CHUNK_SECONDS: Final = 0.2  # to begin a chunk and to publish it
END_SECONDS: Final = 0.7  # to verify all tables, label the cells and find the lines between phases


class Estimate(NamedTuple):
    """How long what is missing will take, until the last run is published."""

    training: float  # seconds
    compiling: float  # seconds that nothing trains meanwhile
    how: str  # what the numbers rest on
    programs: int = 0  # that are compiled
    cores: float = 0.0  # seconds of all cores together

    @property
    def seconds(self) -> float:
        return self.training + self.compiling


class Part(NamedTuple):
    """What is missing of one job."""

    job: Job
    training: float  # seconds, with all devices
    compiling: float  # seconds, with the cores that it gets


def estimated_time(prepared: Prepared) -> Estimate:
    """Expected time of what is missing, within a second and without compiling.

    It rests on what sweeps before it showed of programs of the same kind on this machine. Of other
    kinds it is counted from shapes, at a rate that a probe of 0.2 s finds.
    """
    store, _ = kept(prepared.sweep.engine)
    rates = Rates.of(prepared.machine, store)
    parts, known, there = [], 0, 0
    missing = _missing(prepared)
    alone = _alone(len(missing), prepared.machine)
    for job, chunks in missing:
        unit, trained = rates.of_work(job)
        known += trained
        loads = store is not None and store.has(mark(job))
        there += loads
        compiling = KEPT if loads else rates.of_compiling(job, alone)
        parts.append(Part(job, _training(unit, job, chunks), compiling))
    if not parts:
        how = "nothing is missing"
    elif known == len(parts):
        how = "from earlier sweeps on this machine"
    else:
        how = "from shapes and this machine's speed"
        how += f", {known} of {len(parts)} programs from earlier sweeps" if known else ""
    if there:
        how += f"; {there} of {len(parts)} programs are compiled already"
    return _together(parts, prepared.machine, how)


def reference_time(sweep: Sweep, plan: Plan, machine: Machine) -> float:
    """Seconds that a whole sweep takes where nothing was trained before, on cores like
    :data:`phasegrok.machine.REFERENCE_CORE`, counted from shapes."""
    rates, jobs = Rates(machine, speed=REFERENCE_CORE), sized(sweep, plan.jobs, machine)
    alone, parts = _alone(len(jobs), machine), []
    for job in jobs:
        training = _training(rates.of_work(job)[0], job, len(job.chunks()))
        parts.append(Part(job, training, rates.of_compiling(job, alone)))
    return _together(parts, machine, "from shapes").seconds


def measured_time(prepared: Prepared) -> Estimate:
    """The same from a few steps of each kind of program, which are compiled and tried.

    Where these would take too long, the rate is the one that planning assumes.
    """
    kinds: dict[Any, list[tuple[Job, int]]] = {}
    for job, chunks in _missing(prepared):
        key = (replace(job.program, rows=0, tile=0, orders=0), job.layout.mapping)
        kinds.setdefault(key, []).append((job, chunks))
    parts, tried, begun = [], 0, time.monotonic()
    for members in kinds.values():
        largest = max((job for job, _ in members), key=lambda job: job.program.rows)
        late = time.monotonic() - begun > TRIES * TRY_SECONDS
        steps = 0 if late else steps_to_try(largest, prepared.machine)
        unit, seconds = 1 / prepared.machine.flops, prepared.machine.compile_seconds
        if steps:
            unit, seconds = _tried(prepared.plan, largest, steps)
            tried += 1
        for job, chunks in members:
            parts.append(Part(job, _training(unit, job, chunks), seconds))
    if tried == len(kinds):
        how = "from a few steps on this machine"
    elif tried:
        how = f"{tried} of {len(kinds)} kinds of programs from a few steps, others by assumed rates"
    else:
        how = "from this machine's assumed rate: to try a few steps would take too long"
    return _together(parts, prepared.machine, how)


def _alone(programs: int, machine: Machine) -> bool:
    """Whether each program has all cores while it compiles."""
    return programs == 1 or not begins_early(machine)


def _training(unit: float, job: Job, chunks: int) -> float:
    """Seconds to train and publish so many chunks of a job, at ``unit`` seconds for a unit of
    :func:`job_work`."""
    return chunks * (unit * job_work(job) * job.layout.chunk + CHUNK_SECONDS)


def _missing(prepared: Prepared) -> list[tuple[Job, int]]:
    """Jobs with missing chunks, and how many those are, in the order in which they train."""
    counts: dict[int, int] = {}
    jobs: dict[int, Job] = {}
    for chunk in prepared.missing():
        jobs[id(chunk.job)] = chunk.job
        counts[id(chunk.job)] = counts.get(id(chunk.job), 0) + 1
    return [(job, counts[key]) for key, job in jobs.items()]


def _together(parts: list[Part], machine: Machine, how: str) -> Estimate:
    """The time of parts whose programs are compiled one ahead (:mod:`phasegrok.running.ahead`).

    Where cores are spare, the first two compile side by side. Then each compiles while the one
    before it trains, and on a CPU takes a core's share from that.
    """
    on_cpu, each = machine.platform == "cpu", machine.devices
    training = sum(part.training for part in parts) + END_SECONDS * bool(parts)
    whole = sum(part.compiling for part in parts)
    on = sum(part.training * part.job.layout.devices for part in parts)
    cores = whole + on + END_SECONDS * bool(parts) if on_cpu else 0.0
    if not begins_early(machine):
        return Estimate(training, whole, how, len(parts), cores)
    waits = parts[0].compiling if parts else 0.0
    shared = waits  # what the next one has compiled by now
    for part, after in itertools.pairwise(parts):
        left = max(0.0, after.compiling - shared)
        share = left / each if on_cpu else 0.0
        waits += max(part.training + share, left) - part.training
        shared = 0.0
    return Estimate(training, waits, how, len(parts), cores)


def steps_to_try(job: Job, machine: Machine) -> int:
    """How many steps of a job can be measured in a few seconds: one interval's at most, and 0 where
    not even one can."""
    program = job.program
    model = models.of(program.experiment)
    if models.layers(model) > MOST_LAYERS:
        return 0
    cells = _cells_to_try(job)
    step = interval_seconds(job, cells, machine) / program.log_every
    look = work(program, 0) * cells / machine.flops
    weights = models.parameters(model) * cells * WEIGHT_SECONDS
    # Weights are drawn, and measured before and after each of two intervals.
    left = TRY_SECONDS - 10 * weights - 3 * look
    return min(program.log_every, max(0, int(left / (2 * (step + weights)))))


def _cells_to_try(job: Job) -> int:
    layout = job.layout
    side_by_side = layout.devices * layout.batch
    cells = min(layout.chunk, side_by_side if layout.mapping == "map" else layout.chunk)
    return math.ceil(cells / layout.devices) * layout.devices


def _tried(planned: Plan, job: Job, steps: int) -> tuple[float, float]:
    """Seconds for a unit of :func:`job_work`, measured on the second interval, of so many steps, of
    a small chunk; and to compile that chunk's program."""
    cells = _cells_to_try(job)
    program = replace(job.program, steps=2 * steps, log_every=steps)
    begun = time.perf_counter()
    engine = compiled(program, replace(job.layout, chunk=cells, intervals=1, piece=0))
    seconds = time.perf_counter() - begun
    state, table, _ = engine.begin(planned.run_params(np.resize(job.runs, cells)))
    state, _ = Session().timed(engine.segment, state, table)
    session = Session()
    session.timed(engine.segment, state, table)
    return session.device_seconds / (work(program, steps) * cells), seconds
