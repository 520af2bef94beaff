"""How long a sweep will take."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from phasegrok import models, tasks
from phasegrok.plan.layout import Job
from phasegrok.plan.plan import Plan
from phasegrok.run.prepared import Prepared
from phasegrok.run.session import Session
from phasegrok.train.engine import compiled


def job_work(job: Job) -> float:
    """What one run of a job costs, in minimal floating-point operations, dropout's bits aside."""
    program = job.program
    model = models.of(program.experiment)
    evaluation = tasks.of(program.experiment).size.total / 3 / program.log_every
    return float(model.flops_per_row() * (program.step_rows + evaluation) * program.steps)


def estimate_seconds(prepared: Prepared) -> float:
    """Expected time of what is missing, from one measured interval of each kind of program."""
    kinds: dict[Any, list[tuple[Job, int]]] = {}
    for chunk in prepared.missing():
        job = chunk.job
        key = (replace(job.program, rows=0, tile=0, orders=0), job.layout.mapping)
        kinds.setdefault(key, []).append((job, len(chunk.runs)))
    seconds = 0.0
    for members in kinds.values():
        largest = max((job for job, _ in members), key=lambda job: job.program.rows)
        rate = _seconds_a_work(prepared.plan, largest)
        seconds += sum(job_work(job) * runs * rate for job, runs in members)
        seconds += prepared.machine.compile_seconds * len({id(job) for job, _ in members})
    return seconds


def _seconds_a_work(planned: Plan, job: Job) -> float:
    """Seconds for a unit of :func:`job_work`, measured on the second interval of a small chunk;
    of intervals that are split on the second piece."""
    layout = job.layout
    side_by_side = layout.devices * layout.batch
    cells = min(layout.chunk, side_by_side if layout.mapping == "map" else layout.chunk)
    cells = math.ceil(cells / layout.devices) * layout.devices
    engine = compiled(job.program, replace(layout, chunk=cells, intervals=1))
    state, table, _ = engine.begin(planned.run_params(np.resize(job.runs, cells)))
    train = engine.piece if layout.piece else engine.segment
    state, _ = Session().timed(train, state, table)
    session = Session()
    session.timed(train, state, table)
    calls = job.program.steps / (layout.piece or job.program.log_every)
    return session.device_seconds * calls / (job_work(job) * cells)
