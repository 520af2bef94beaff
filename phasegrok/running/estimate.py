"""How long a sweep will take."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from phasegrok import models, tasks
from phasegrok.plan.layout import Job, Machine, interval_seconds
from phasegrok.plan.plan import Plan
from phasegrok.plan.program import Program
from phasegrok.running.prepared import Prepared
from phasegrok.running.session import Session
from phasegrok.train.engine import compiled

# Longer than this, by the machine's assumed rates, no program is tried; nor are more programs once
# this many times as long has been spent on trying.
TRY_SECONDS: Final = 5.0
WEIGHT_SECONDS: Final = 2e-8  # that an optimizer takes for one weight; to draw it takes ten times
TRIES: Final = 4
MOST_LAYERS: Final = 24  # of a network that is compiled to be tried: 64 take 15 s


class Estimate(NamedTuple):
    """How long what is missing will take."""

    seconds: float
    how: str  # what the number rests on


def job_work(job: Job) -> float:
    """What one run of a job costs, in minimal floating-point operations, dropout's bits aside."""
    return _work(job.program, job.program.log_every) * job.program.intervals


def _work(program: Program, steps: int) -> float:
    """What one run costs for so many steps and one measurement."""
    model = models.of(program.experiment)
    evaluation = tasks.of(program.experiment).size.total / 3
    return float(model.flops_per_row() * (program.step_rows * steps + evaluation))


def estimated_time(prepared: Prepared) -> Estimate:
    """Expected time of what is missing, from a few measured steps of each kind of program.

    Where these would take too long, the rate is the one that planning assumes.
    """
    kinds: dict[Any, list[tuple[Job, int]]] = {}
    for chunk in prepared.missing():
        job = chunk.job
        key = (replace(job.program, rows=0, tile=0, orders=0), job.layout.mapping)
        kinds.setdefault(key, []).append((job, len(chunk.runs)))
    seconds, tried, begun = 0.0, 0, time.monotonic()
    for members in kinds.values():
        largest = max((job for job, _ in members), key=lambda job: job.program.rows)
        late = time.monotonic() - begun > TRIES * TRY_SECONDS
        steps = 0 if late else steps_to_try(largest, prepared.machine)
        rate = 1 / prepared.machine.flops
        if steps:
            rate = _seconds_a_work(prepared.plan, largest, steps)
            tried += 1
        seconds += sum(job_work(job) * runs * rate for job, runs in members)
        seconds += prepared.machine.compile_seconds * len({id(job) for job, _ in members})
    if tried == len(kinds):
        how = "from a few steps on this machine"
    elif tried:
        how = f"{tried} of {len(kinds)} kinds of programs from a few steps, others by assumed rates"
    else:
        how = "from this machine's assumed rate: to try a few steps would take too long"
    return Estimate(seconds, how)


def steps_to_try(job: Job, machine: Machine) -> int:
    """How many steps of a job can be measured in a few seconds: one interval's at most, and 0 where
    not even one can."""
    program = job.program
    model = models.of(program.experiment)
    if models.layers(model) > MOST_LAYERS:
        return 0
    cells = _cells_to_try(job)
    step = interval_seconds(job, cells, machine) / program.log_every
    look = _work(program, 0) * cells / machine.flops
    weights = models.parameters(model) * cells * WEIGHT_SECONDS
    # Weights are drawn, and measured before and after each of two intervals.
    left = TRY_SECONDS - 10 * weights - 3 * look
    return min(program.log_every, max(0, int(left / (2 * (step + weights)))))


def _cells_to_try(job: Job) -> int:
    layout = job.layout
    side_by_side = layout.devices * layout.batch
    cells = min(layout.chunk, side_by_side if layout.mapping == "map" else layout.chunk)
    return math.ceil(cells / layout.devices) * layout.devices


def _seconds_a_work(planned: Plan, job: Job, steps: int) -> float:
    """Seconds for a unit of :func:`job_work`, measured on the second interval, of so many steps, of
    a small chunk."""
    cells = _cells_to_try(job)
    program = replace(job.program, steps=2 * steps, log_every=steps)
    engine = compiled(program, replace(job.layout, chunk=cells, intervals=1, piece=0))
    state, table, _ = engine.begin(planned.run_params(np.resize(job.runs, cells)))
    state, _ = Session().timed(engine.segment, state, table)
    session = Session()
    session.timed(engine.segment, state, table)
    return session.device_seconds / (_work(program, steps) * cells)
