"""From a sweep to programs and jobs: what is trained together, and in what shapes.

Pure arithmetic on the host. It is asked once for a sweep: a resume follows the manifest of its
folder instead (:mod:`phasegrok.running.follow`).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from phasegrok import models, tasks
from phasegrok.config import Experiment, column, shrinks, without_traced
from phasegrok.plan.checks import (
    check_count,
    check_curves,
    check_distinct,
    check_origins,
    check_schedules,
    check_sizes,
)
from phasegrok.plan.layout import Job, Machine, padding_groups, tiles_of, unsized
from phasegrok.plan.program import NOISES, Program, RunParams, schedule
from phasegrok.plan.runs import RunTable, expand, rows_after
from phasegrok.sweep.load import Sweep
from phasegrok.sweep.variants import COLUMN


@dataclass(frozen=True)
class Plan:
    """Every run of a sweep, and the jobs that train them."""

    axes: list[str]  # swept columns: variant, if there are any, and axes in the file's order
    table: RunTable
    jobs: list[Job]

    @property
    def runs(self) -> pd.DataFrame:
        """One row a run: run, config columns, seed, n_train, n_corrupted."""
        return self.table.frame

    def run_params(self, positions: np.ndarray) -> RunParams:
        """The traced half of some runs of one program, as NumPy arrays."""
        return self.table.run_params(positions)

    def waste(self, one_group: bool = False) -> float:
        """Share of all trained rows that is padding (full batches only: others pad nothing).

        Args:
            one_group: as if all data fractions that can share a program did.
        """
        full = [job for job in self.jobs if not job.program.orders]
        rows = [job.program.rows for job in full]
        if one_group:
            alike = [replace(job.program, rows=0, tile=0) for job in full]
            rows = [max(n for n, it in zip(rows, alike, strict=True) if it == me) for me in alike]
        runs = [len(job.runs) * job.program.steps for job in full]
        spent = sum(n * count for n, count in zip(rows, runs, strict=True))
        useful = sum(
            float(self.runs["n_train"].to_numpy()[job.runs].sum()) * job.program.steps
            for job in full
        )
        return 1 - useful / spent if spent else 0.0


class Alike(NamedTuple):
    """What all runs of a program share, the size of its padded training set apart."""

    experiment: int  # which of the table's
    use_dropout: bool
    noises: tuple[str, ...]
    steps: int  # in all
    log_every: int


def plan(sweep: Sweep, machine: Machine) -> Plan:
    """Group runs into programs, and lay programs out for the machine; chunks are sized later.

    Raises:
        Refusal: a run cannot be trained.
    """
    table = checked_table(sweep)
    return Plan(swept_columns(sweep), table, jobs_of(sweep, table, table.positions, machine))


def checked_table(sweep: Sweep) -> RunTable:
    """The table of a sweep's runs, all of which can be trained."""
    check_count(sweep)
    table = expand(sweep)
    check_distinct(sweep, table)
    check_sizes(sweep, table)
    check_schedules(sweep, table)
    check_curves(sweep, table)
    check_origins(sweep, table)
    return table


def swept_columns(sweep: Sweep) -> list[str]:
    """Columns of what a sweep varies: variant, if there are any, and axes in the file's order."""
    return [COLUMN] * bool(sweep.variants) + [column(axis.path) for axis in sweep.axes]


def jobs_of(sweep: Sweep, table: RunTable, positions: np.ndarray, machine: Machine) -> list[Job]:
    """The jobs that train the runs at some positions of the table."""
    asked = sweep.engine.mapping
    mapping = machine.default_mapping if asked == "auto" else asked
    n_train = table.frame["n_train"].to_numpy()
    jobs = []
    for alike, members in _alike(table, positions).items():
        runs = np.array(members)
        model = models.of(table.experiments[alike.experiment])
        work = model.flops_per_row() * alike.steps
        whole = sweep.engine.groups == "one"
        parts = (
            [np.arange(len(runs))]
            if whole
            else padding_groups(n_train[runs], work, mapping, machine)
        )
        for part in parts:
            rows = int(n_train[runs[part]].max())
            tiles = tiles_of(model, rows, mapping)
            program = _program(sweep, table, alike, runs[part], tiles)
            layout = unsized(program, len(part), mapping, machine)
            jobs.append(Job(program, runs[part], layout))
    return jobs


def _alike(table: RunTable, positions: np.ndarray) -> dict[Alike, list[int]]:
    """Positions of runs that may share a program, in order of their first."""
    frame, static = table.frame, table.static
    dropout = _positive(frame, "dropout")
    noisy = zip(*(_positive(frame, column(path)) for path in NOISES), strict=True)
    noises = [tuple(itertools.compress(NOISES, row)) for row in noisy]
    n_train = frame["n_train"].to_numpy()
    schedules = {
        (s, n): schedule(table.experiments[s], n)
        for s, n in {(int(s), int(n)) for s, n in zip(static, n_train, strict=True)}
    }
    found: dict[Alike, list[int]] = {}
    for i in map(int, positions):
        steps, log_every = schedules[int(static[i]), int(n_train[i])]
        alike = Alike(int(static[i]), bool(dropout[i]), noises[i], steps, log_every)
        found.setdefault(alike, []).append(i)
    return found


def _positive(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Whether each run has a rate above 0; those whose kinds have no such rate do not."""
    return frame[name].to_numpy() > 0 if name in frame else np.zeros(len(frame), bool)


def _program(sweep: Sweep, table: RunTable, alike: Alike, runs: np.ndarray, tiles: int) -> Program:
    """The program of runs that train at the rows of the largest of them."""
    experiment = table.experiments[alike.experiment]
    rows = table.frame.iloc[runs]
    tile = -(-int(rows["n_train"].max()) // tiles)
    orders = 0
    if experiment.train.batch_size != "full":
        # The smallest training set has most epochs in an interval; an event's counts too.
        least = int(rows["n_train"].min())
        if shrinks(experiment):
            least = int(rows_after(experiment, rows["event_value"]).min())
        per_epoch = experiment.train.batches_per_epoch(least)
        orders = (alike.log_every - 1) // max(1, per_epoch) + 2
    return program_of(
        sweep,
        experiment,
        steps=alike.steps,
        log_every=alike.log_every,
        rows=tile * tiles,
        tile=tile,
        orders=orders,
        use_dropout=alike.use_dropout,
        noises=alike.noises,
        kernel=sweep.engine.kernel,
    )


def program_of(sweep: Sweep, experiment: Experiment, **shape: Any) -> Program:
    """The program of an experiment of a sweep in a given shape."""
    return Program(
        experiment=without_traced(experiment),
        precision=sweep.engine.precision,
        measure=sweep.measure,
        **shape,
    )


def shortest_program(sweep: Sweep, experiment: Experiment) -> Program:
    """A program of one step on all examples: enough to ask what its networks look like."""
    rows = tasks.of(experiment).size.pool
    return program_of(
        sweep, experiment, steps=1, log_every=1, rows=rows, tile=rows, orders=0, use_dropout=False
    )
