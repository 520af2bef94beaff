"""Refuse runs that cannot be trained, before anything is written."""

from __future__ import annotations

import numpy as np
import pandas as pd

from phasegrok import models, tasks
from phasegrok.config import DATA_FRACTION, Experiment, shrinks
from phasegrok.errors import Refusal
from phasegrok.plan.runs import MOST_ROWS, RunTable, rows_after
from phasegrok.sweep.load import Sweep
from phasegrok.sweep.variants import COLUMN


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
