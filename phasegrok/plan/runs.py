"""From a sweep to the table of its runs: what each trains with, and what it is called.

Pure arithmetic on the host, of the sweep alone.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from typing import Any

import numpy as np
import pandas as pd

from phasegrok import models, tasks
from phasegrok.config import (
    DATA_FRACTION,
    PATHS,
    Experiment,
    column,
    has,
    is_traced,
    shrinks,
    value_at,
    without_traced,
)
from phasegrok.config.identity import default, without_defaults
from phasegrok.errors import Refusal
from phasegrok.sweep.load import Sweep
from phasegrok.sweep.variants import COLUMN

MOST_ROWS = 2**31 - 1  # that programs can count


def row_count(fraction: float, total: int) -> int:
    """floor(fraction * total), with 0.29 * 100 = 29: decimal fractions mean what they say."""
    return math.floor(round(fraction * total, 6))


def rows_after(experiment: Experiment, values: pd.Series[float]) -> np.ndarray:
    """Training rows after an event that shrinks the training set to ``values``, of values that
    would leave too many to count :data:`MOST_ROWS`."""
    if experiment.task.sized_by != DATA_FRACTION:  # a number of examples, not a share
        return np.minimum(np.asarray(values, np.float64), MOST_ROWS).astype(np.int32)
    total = tasks.of(experiment).size.pool
    most = MOST_ROWS / total
    return np.asarray([row_count(min(value, most), total) for value in values], np.int32)


def expand(sweep: Sweep) -> tuple[pd.DataFrame, list[Experiment], np.ndarray]:
    """Every run of a sweep: variants and axes crossed in order, seeds innermost.

    Returns:
        The table of runs: a stable id each, config columns, ``seed``, ``n_train``,
        ``n_corrupted``. The experiments, one for each combination of static values (their traced
        values are those of one of their runs). Which of them every run is of, (runs,).
    """
    paths = [axis.path for axis in sweep.axes]
    static_at = [i for i, path in enumerate(paths) if not is_traced(path)]
    variants = sweep.variants or (None,)
    cells = list(itertools.product(variants, *(axis.values for axis in sweep.axes)))
    every: list[Experiment] = []  # one for each variant and combination of swept static values
    names: list[str | None] = []
    index: dict[tuple[Any, ...], int] = {}
    which = np.empty(len(cells), np.int64)
    for i, (variant, *cell) in enumerate(cells):
        name = variant.name if variant else None
        key = (name, *(cell[j] for j in static_at))
        if key not in index:
            index[key] = len(every)
            every.append(sweep.at({paths[j]: cell[j] for j in static_at}, variant))
            names.append(name)
        which[i] = index[key]
    columns: dict[str, Any] = {COLUMN: [names[i] for i in which]} if sweep.variants else {}
    for i, path in enumerate(paths, start=1):
        columns[column(path)] = [cell[i] for cell in cells]
    for path in (path for path in PATHS if path not in paths):
        values = [value_at(e, path) if has(e, path) else None for e in every]
        first = values[:: len(every) // len(variants)]  # of every variant
        if is_traced(path) and any(value is not None for value in values):
            columns[column(path)] = np.array(values, np.float64)[which]
        elif not is_traced(path) and len(set(first)) > 1:
            columns[column(path)] = [values[i] for i in which]
    columns.setdefault("data_fraction", np.full(len(cells), np.nan))  # none: all examples train
    frame = pd.DataFrame(columns)
    for name in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[name]) and frame[name].dtype != bool:
            frame[name] = frame[name].astype(np.float64)
        elif pd.api.types.infer_dtype(frame[name], skipna=True) == "boolean":
            frame[name] = frame[name].astype("boolean" if frame[name].hasnans else bool)
        else:
            frame[name] = frame[name].map(str, na_action="ignore")
    # Variants may differ in traced values alone: those share an experiment, and so programs.
    numbers: dict[Experiment, int] = {}
    shared = np.array([numbers.setdefault(without_traced(e), len(numbers)) for e in every])
    experiments = [every[i] for i in np.unique(shared, return_index=True)[1]]
    frame = frame.loc[frame.index.repeat(len(sweep.seeds))].reset_index(drop=True)
    which = np.repeat(which, len(sweep.seeds))
    frame["seed"] = np.tile(np.array(sweep.seeds, np.int64), len(cells))
    outside = [_outside(sweep, *each) for each in zip(every, names, strict=True)]
    total = np.array([pool for pool, _ in outside])[which]
    frame["n_train"] = [
        int(t) if np.isnan(a) else row_count(a, int(t))
        for a, t in zip(frame["data_fraction"], total, strict=True)
    ]
    frame["n_corrupted"] = [
        row_count(x, n) for x, n in zip(frame["corruption_fraction"], frame["n_train"], strict=True)
    ]
    static = shared[which]
    hashes = [outside[i][1] for i in np.unique(shared, return_index=True)[1]]
    frame.insert(0, "run", run_ids(sweep, frame, experiments, static, hashes))
    return frame, experiments, static


def _outside(sweep: Sweep, experiment: Experiment, variant: str | None) -> tuple[int, list[str]]:
    """What lies outside an experiment: the size of its task's pool, hashes of what it names."""
    try:
        return tasks.of(experiment).size.pool, data_of(experiment)
    except Refusal as refusal:  # of files that a key names; it begins with the key
        where = sweep.where(str(refusal).partition(":")[0], variant)
        raise Refusal(f"{where}: {refusal}") from None


def run_ids(
    sweep: Sweep,
    frame: pd.DataFrame,
    experiments: list[Experiment],
    static: np.ndarray,
    data: list[list[str]],
) -> list[str]:
    """An id for every run: 16 hex digits of a hash over all that decides its numbers.

    The same training has the same id in every sweep, whichever of its values are swept. Values
    equal to their defaults are left out, see :func:`phasegrok.config.identity.without_defaults`.
    """
    shared = [
        [without_defaults(without_traced(e).model_dump()), sweep.engine.precision, *hashes]
        for e, hashes in zip(experiments, data, strict=True)
    ]
    paths = [p for p in PATHS if is_traced(p) and column(p) in frame.columns]
    values = frame[[column(p) for p in paths]].to_numpy(np.float64)
    ids = []
    usual = [{p: default(e, p) for p in paths if has(e, p)} for e in experiments]
    for row, seed, kind in zip(values, frame["seed"], static, strict=True):
        traced = sorted(
            (p, float(v))
            for p, v in zip(paths, row, strict=True)
            if p in usual[kind] and v != usual[kind][p]
        )
        text = json.dumps([shared[kind], traced, int(seed)], sort_keys=True)
        ids.append(hashlib.sha256(text.encode()).hexdigest()[:16])
    return ids


def data_of(experiment: Experiment) -> list[str]:
    """Hashes of data and of networks that an experiment names but does not hold, if any.

    Raises:
        Refusal: their files cannot be used; the message begins with the key that names them.
    """
    found = (tasks.of(experiment).fingerprint(), models.fingerprint(experiment))
    return [each for each in found if each is not None]


def check_sizes(
    sweep: Sweep, frame: pd.DataFrame, experiments: list[Experiment], static: np.ndarray
) -> None:
    """Refuse training sets of no rows and minibatches larger than the training set."""
    for i, experiment in enumerate(experiments):
        rows = frame[static == i]
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
    """Refuse events that leave no training set or enlarge it; the rows that each run's leaves."""
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


def check_origins(
    sweep: Sweep, frame: pd.DataFrame, experiments: list[Experiment], static: np.ndarray
) -> None:
    """Refuse frozen networks that were trained on other rows than a run that names them. The rows
    that such a network memorized would not be the rows that the run trains on."""
    for i, experiment in enumerate(experiments):
        rows = frame[static == i]
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
