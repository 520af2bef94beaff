"""Refuse runs that cannot be trained, before anything is written."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd

from phasegrok import models, tasks
from phasegrok.config import DATA_FRACTION, Experiment, column, shrinks, value_at
from phasegrok.errors import Refusal
from phasegrok.machine import memory_bytes
from phasegrok.plan.program import schedule
from phasegrok.plan.runs import MOST_ROWS, RunTable, rows_after
from phasegrok.sweep.load import Sweep
from phasegrok.sweep.variants import COLUMN

# Bytes that a run takes in the tables of planning, its id included: measured at 100,000 to 300,000.
RUN_BYTES: Final = 1200
# Bytes that a logged point takes until its chunk is published: 900 were measured at 18 columns, of
# records as they come, of one piece, and of tables twice over in float64.
POINT_BYTES: Final = 900
# And in the table of a whole sweep, as pictures and pandas.read_parquet read it.
READ_BYTES: Final = 300

WARMUP: Final = "schedule.warmup_steps"


def check_count(sweep: Sweep) -> None:
    """Refuse more runs than can be planned in this memory, before the first is written down."""
    factors = [n for n in sweep.factors if n > 1]
    runs, here = math.prod(factors), memory_bytes()
    if runs * RUN_BYTES > here:
        product = f"{' x '.join(map(str, factors))} = " if len(factors) > 1 else ""
        raise Refusal(
            f"{sweep.file}: found {product}{runs} runs, whose table takes {_gib(runs * RUN_BYTES)}"
            f" of {_gib(here)} here; allowed: fewer values or seeds"
        )


def check_curves(sweep: Sweep, table: RunTable) -> None:
    """Refuse curves that do not fit memory: those of two runs, of which a chunk has at least as
    many as devices, until they are published; those of all when they are read."""
    here = memory_bytes()
    n_train, static = table.frame["n_train"].to_numpy(), table.static
    kinds = np.unique(np.stack([static, n_train]), axis=1, return_counts=True)
    points, most, worst = 0, 0, 0
    for (i, n), count in zip(kinds[0].T.tolist(), kinds[1].tolist(), strict=True):
        steps, log_every = schedule(table.experiments[i], n)
        each = steps // log_every + 1
        points += each * count
        if each > most:
            most, worst = each, i
    chunk, whole = min(len(table.frame), 2) * most * POINT_BYTES, points * READ_BYTES
    if max(chunk, whole) <= here:
        return
    rows = table.frame[static == worst]
    runs, points, size = (
        (min(len(table.frame), 2), most, POINT_BYTES)
        if chunk > here
        else (len(table.frame), round(points / len(table.frame)), READ_BYTES)
    )
    raise Refusal(
        f"{sweep.where('train.log_every', _variants(rows)[0])}: train.log_every: curves of {runs}"
        f" runs x {points} logged points x {size} bytes take {_gib(max(chunk, whole))} of"
        f" {_gib(here)} here; allowed: a larger log_every, or fewer steps"
    )


def most_with_curves(points: int, memory: int) -> int:
    """How many runs a chunk may have so that their curves take a quarter of the memory."""
    return max(1, memory // 4 // (points * POINT_BYTES))


def _gib(size: int) -> str:
    return f"{size / 2**30:.3g} GiB"


def check_distinct(sweep: Sweep, table: RunTable) -> None:
    """Refuse a sweep in which two runs are the same training: tables could not tell them apart."""
    again = table.frame["run"].duplicated(keep=False)
    if again.any():
        first = table.frame.loc[again, "run"].iloc[0]
        raise Refusal(
            f"{sweep.file}: found the same training ({first}) more than once, with files of the"
            " same content under several names; allowed: every training once"
        )


def check_sizes(sweep: Sweep, table: RunTable) -> None:
    """Refuse training sets of no rows and minibatches larger than the training set."""
    for i, experiment in enumerate(table.experiments):
        rows = table.frame[table.static == i]
        n_train = rows["n_train"].to_numpy()
        if shrinks(experiment):
            n_train = np.minimum(n_train, check_event(sweep, rows, experiment))
        n = int(n_train.min())
        variant = _variants(rows)[int(n_train.argmin())]
        total = tasks.of(experiment).size.pool
        if n < 1:
            raise Refusal(
                f"{sweep.where('data.data_fraction', variant)}: data.data_fraction: the smallest"
                f" fraction leaves a training set of no rows (of {total} examples); allowed: at"
                f" least {1 / total:.6g}"
            )
        size = experiment.train.batch_size
        if size != "full" and size > n and experiment.train.last_batch == "drop":
            raise Refusal(
                f"{sweep.where('train.batch_size', variant)}: train.batch_size: found {size}, more"
                f" than the {n} rows of the smallest training set; allowed: at most {n}, or"
                " last_batch: keep"
            )


def check_event(sweep: Sweep, rows: pd.DataFrame, experiment: Experiment) -> np.ndarray:
    """Refuse events that leave no training set or enlarge it.

    Returns:
        Training rows of each run after its event.
    """
    after = rows_after(experiment, rows["event_value"])
    found = zip(rows["event_value"], after, rows["n_train"], _variants(rows), strict=True)
    for value, few, many, variant in found:
        whole = experiment.task.sized_by == DATA_FRACTION or value == few
        if not (1 <= few <= many and whole):
            left = f"{few} or more" if few == MOST_ROWS else f"{few}"
            raise Refusal(
                f"{sweep.where('event.value', variant)}: event.value: found {value:g}, with which"
                f" {left} of {many} training examples would be left; allowed: values that leave at"
                " least one, and no more than there were"
            )
    return after


def check_schedules(sweep: Sweep, table: RunTable) -> None:
    """Refuse warm-ups that are longer than the training."""
    for i, experiment in enumerate(table.experiments):
        if value_at(experiment, WARMUP) is None:
            continue
        rows = table.frame[table.static == i]
        found = zip(rows[column(WARMUP)], rows["n_train"], _variants(rows), strict=True)
        for warmup, n_train, variant in found:
            steps, _ = schedule(experiment, n_train)
            if warmup > steps:
                raise Refusal(
                    f"{sweep.where(WARMUP, variant)}: {WARMUP}: found {warmup:g}, more than the"
                    f" {steps} optimizer steps of the training; allowed: at most all of them"
                )


def check_origins(sweep: Sweep, table: RunTable) -> None:
    """Refuse frozen networks that were trained on other rows than a run that names them: those
    that one of them memorized would not be those that the run trains on."""
    for i, experiment in enumerate(table.experiments):
        rows = table.frame[table.static == i]
        for key, record in models.run_records(experiment).items():
            for name in ("seed", "n_train", "n_corrupted"):
                theirs, ours = getattr(record, name), rows[name]
                for found, variant in zip(ours, _variants(rows), strict=True):
                    if found != theirs:
                        raise Refusal(
                            f"{sweep.where(key, variant)}: {key}: found a network trained with"
                            f" {name} {theirs} for a run with {name} {found}; allowed: the seed,"
                            " data fraction and corruption of the run that trained it"
                        )


def _variants(rows: pd.DataFrame) -> list[str | None]:
    """The name of every run's variant, None in a sweep without any."""
    return list(rows[COLUMN]) if COLUMN in rows else [None] * len(rows)
