"""From a sweep to the table of its runs: what each trains with, and what it is called.

Pure arithmetic on the host, of the sweep alone.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic.fields import FieldInfo

from phasegrok import models, tasks
from phasegrok.config import (
    DATA_FRACTION,
    PATHS,
    Experiment,
    column,
    has,
    is_file_path,
    is_traced,
    plain_types,
    shrinks,
    traced_paths,
    value_at,
    without_traced,
)
from phasegrok.config.identity import default, without_defaults
from phasegrok.errors import Refusal
from phasegrok.plan.program import RunParams
from phasegrok.plugins import codes
from phasegrok.sweep.load import Sweep
from phasegrok.sweep.variants import COLUMN

MOST_ROWS = 2**31 - 1  # that programs can count


@dataclass(frozen=True)
class RunTable:
    """Every run of a sweep, and the experiments that they are of."""

    frame: pd.DataFrame  # one row a run: run, config columns, seed, n_train, n_corrupted
    experiments: list[Experiment]  # one for each combination of static values
    static: np.ndarray  # (runs,) index into experiments

    @property
    def positions(self) -> np.ndarray:
        """Where all runs stand."""
        return np.arange(len(self.frame))

    def rows(self, positions: np.ndarray) -> pd.DataFrame:
        """The rows of some runs as the table ``runs`` begins: with the settings that all runs of
        the sweep share, so that two sweeps can be put together."""
        rows = self.frame.iloc[positions]
        shared = {
            name: values.take(self.static[positions]) for name, values in self.settings.items()
        }
        for name, values in shared.items():
            values.index = rows.index
            shared[name] = values
        return rows.assign(**shared)

    @cached_property
    def settings(self) -> dict[str, pd.Series[Any]]:
        """By column, the value of each experiment: of every key that any of them has and that
        ``frame`` lacks. Where files lie says nothing of a run, and is left out."""
        found = {}
        for path, declared in PATHS.items():
            if column(path) in self.frame or is_traced(path) or any(map(is_file_path, declared)):
                continue
            values = [value_at(e, path) if has(e, path) else None for e in self.experiments]
            if any(has(e, path) for e in self.experiments):
                found[column(path)] = _declared(pd.Series(values, dtype=object), declared)
        return found

    def experiment_of(self, position: int) -> Experiment:
        """The experiment of a run; its traced values may be another run's."""
        return self.experiments[int(self.static[position])]

    def run_params(self, positions: np.ndarray) -> RunParams:
        """The traced half of some runs of one program, as NumPy arrays."""
        rows = self.frame.iloc[positions]
        experiment = self.experiment_of(positions[0])
        values = {
            path: np.asarray(rows[column(path)], np.float32) for path in traced_paths(experiment)
        }
        scale = learning_rate_scale(experiment)
        rates = ["optimizer.learning_rate"]
        if value_at(experiment, "event.set") == "optimizer.learning_rate":
            rates.append("event.value")
        for path in rates:
            rate = rows[column(path)].to_numpy() * scale
            values[path] = np.asarray(rate, np.float32)
        return RunParams(
            seed=np.asarray(rows["seed"], np.uint32),
            n_train=np.asarray(rows["n_train"], np.int32),
            n_corrupted=np.asarray(rows["n_corrupted"], np.int32),
            values=values,
            shrunk=self.shrunk(positions) if shrinks(experiment) else {},
        )

    def shrunk(self, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Rows of some runs of one program after their event."""
        rows = self.frame.iloc[positions]
        n_train = rows_after(self.experiment_of(positions[0]), rows["event_value"])
        n_corrupted = [
            row_count(x, int(n)) for x, n in zip(rows["corruption_fraction"], n_train, strict=True)
        ]
        return {"n_train": n_train, "n_corrupted": np.asarray(n_corrupted, np.int32)}


def learning_rate_scale(experiment: Experiment) -> float:
    """sqrt(B / 256) under the paper's scaling of minibatch training (appendix A.1), else 1."""
    train = experiment.train
    if train.scaling == "paper" and train.batch_size != "full":
        return math.sqrt(train.batch_size / 256)
    return 1.0


def row_count(fraction: float, total: int) -> int:
    """floor(fraction * total), with 0.29 * 100 = 29: decimal fractions mean what they say."""
    return math.floor(round(fraction * total, 6))


def _row_counts(fractions: np.ndarray, totals: np.ndarray) -> list[int]:
    """:func:`row_count` of many; all rows where there is no fraction."""
    known: dict[tuple[float, int], int] = {}
    counts = []
    for pair in zip(fractions.tolist(), totals.tolist(), strict=True):
        if (count := known.get(pair)) is None:
            fraction, total = pair
            count = int(total) if math.isnan(fraction) else row_count(fraction, int(total))
            known[pair] = count
        counts.append(count)
    return counts


def rows_after(experiment: Experiment, values: pd.Series[float]) -> np.ndarray:
    """Training rows after an event that shrinks the training set to ``values``, of values that
    would leave too many to count :data:`MOST_ROWS`."""
    if experiment.task.sized_by != DATA_FRACTION:  # a number of examples, not a share
        return np.minimum(np.asarray(values, np.float64), MOST_ROWS).astype(np.int32)
    total = tasks.of(experiment).size.pool
    most = MOST_ROWS / total
    return np.asarray([row_count(min(value, most), total) for value in values], np.int32)


def expand(sweep: Sweep) -> RunTable:
    """Every run of a sweep: variants and axes crossed in order, seeds innermost.

    The traced values of an experiment are those of one of its runs.
    """
    crossed = _cross(sweep)
    frame = _config_columns(sweep, crossed)
    every, which = crossed.experiments, crossed.which
    # Variants may differ in traced values alone: those share an experiment, and so programs.
    numbers: dict[Experiment, int] = {}
    shared = np.array([numbers.setdefault(without_traced(e), len(numbers)) for e in every])
    firsts = np.unique(shared, return_index=True)[1]
    frame = frame.loc[frame.index.repeat(len(sweep.seeds))].reset_index(drop=True)
    which = np.repeat(which, len(sweep.seeds))
    frame["seed"] = np.tile(np.array(sweep.seeds, np.int64), len(crossed.cells))
    outside = [_outside(sweep, *each) for each in zip(every, crossed.variants, strict=True)]
    total = np.array([pool for pool, _ in outside])[which]
    frame["n_train"] = _row_counts(frame["data_fraction"].to_numpy(), total)
    frame["n_corrupted"] = _row_counts(
        frame["corruption_fraction"].to_numpy(), frame["n_train"].to_numpy()
    )
    table = RunTable(frame, [every[i] for i in firsts], shared[which])
    frame.insert(0, "run", run_ids(sweep, table, [outside[i][1] for i in firsts]))
    return table


class _Crossed(NamedTuple):
    """Variants and axes crossed, without seeds."""

    cells: list[tuple[Any, ...]]  # a variant, and a value of every axis
    experiments: list[Experiment]  # one for each variant and combination of swept static values
    variants: list[str | None]  # of each experiment
    which: np.ndarray  # (cells,) index into experiments


def _cross(sweep: Sweep) -> _Crossed:
    paths = [axis.path for axis in sweep.axes]
    static_at = [i for i, path in enumerate(paths) if not is_traced(path)]
    variants = sweep.variants or (None,)
    points = list(sweep.points(paths))
    cells = [(variant, *point) for variant in variants for point in points]
    every: list[Experiment] = []
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
    return _Crossed(cells, every, names, which)


def _config_columns(sweep: Sweep, crossed: _Crossed) -> pd.DataFrame:
    """What is swept, then every other value that is traced or differs among variants."""
    paths = [axis.path for axis in sweep.axes]
    cells, every, names, which = crossed
    columns: dict[str, Any] = {COLUMN: [names[i] for i in which]} if sweep.variants else {}
    for i, path in enumerate(paths, start=1):
        columns[column(path)] = [cell[i] for cell in cells]
    for path in (path for path in PATHS if path not in paths):
        values = [value_at(e, path) if has(e, path) else None for e in every]
        first = values[:: len(every) // max(1, len(sweep.variants))]  # of every variant
        if is_traced(path) and any(value is not None for value in values):
            columns[column(path)] = np.array(values, np.float64)[which]
        elif not is_traced(path) and len(set(first)) > 1:
            columns[column(path)] = [values[i] for i in which]
    columns.setdefault("data_fraction", np.full(len(cells), np.nan))  # none: all examples train
    return pd.DataFrame({name: _typed(pd.Series(values)) for name, values in columns.items()})


def _typed(values: pd.Series[Any]) -> pd.Series[Any]:
    """Numbers as float64, booleans as booleans, everything else as text; nulls stay."""
    if pd.api.types.is_numeric_dtype(values) and values.dtype != bool:
        return values.astype(np.float64)
    if pd.api.types.infer_dtype(values, skipna=True) == "boolean":
        return values.astype("boolean" if values.hasnans else bool)
    return values.map(str, na_action="ignore")


def _declared(values: pd.Series[Any], declared: Sequence[FieldInfo]) -> pd.Series[Any]:
    """Values of a column as :func:`_typed` has them; one of nulls alone by what its keys take."""
    if values.notna().any():
        return _typed(values.infer_objects())
    kinds = {kind for info in declared for kind in plain_types(info.annotation)}
    return values.astype("boolean" if kinds == {bool} else float if kinds <= {int, float} else str)


def _outside(sweep: Sweep, experiment: Experiment, variant: str | None) -> tuple[int, list[str]]:
    """The size of the pool of an experiment's task, and hashes of what it names and does
    not hold: files, and code of plugins."""
    try:
        return tasks.of(experiment).size.pool, [*data_of(experiment), *codes(experiment)]
    except Refusal as refusal:  # of files that a key names; it begins with the key
        where = sweep.where(str(refusal).partition(":")[0], variant)
        raise Refusal(f"{where}: {refusal}") from None


def run_ids(sweep: Sweep, table: RunTable, data: list[list[str]]) -> list[str]:
    """An id for every run: 16 hex digits of a hash over all that decides its numbers.

    The same training has the same id in every sweep, whichever of its values are swept. Values
    equal to their defaults are left out, see :func:`phasegrok.config.identity.without_defaults`.
    """
    frame, experiments, static = table.frame, table.experiments, table.static
    shared = [
        [without_defaults(without_traced(e).model_dump()), sweep.engine.precision, *hashes]
        for e, hashes in zip(experiments, data, strict=True)
    ]
    paths = [p for p in PATHS if is_traced(p) and column(p) in frame.columns]
    values = frame[[column(p) for p in paths]].to_numpy(np.float64)
    usual = [{p: default(e, p) for p in paths if has(e, p)} for e in experiments]
    # The hash of json.dumps([shared, traced, seed], sort_keys=True), of which all that runs share
    # is hashed once: there may be a million of them.
    heads = [hashlib.sha256(f"[{json.dumps(e, sort_keys=True)}, ".encode()) for e in shared]
    named = [[(i, p) for i, p in sorted(enumerate(paths), key=_path) if p in u] for u in usual]
    texts: dict[tuple[str, float], str] = {}
    ids = []
    for row, seed, kind in zip(
        values.tolist(), frame["seed"].tolist(), static.tolist(), strict=True
    ):
        traced = []
        for i, p in named[kind]:
            v = row[i]
            if v != usual[kind][p]:
                text = texts.get((p, v))
                if text is None or not v:  # 0 and -0 are the same key, and other texts
                    text = texts[p, v] = json.dumps([p, v])
                traced.append(text)
        digest = heads[kind].copy()
        digest.update(f"[{', '.join(traced)}], {int(seed)}]".encode())
        ids.append(digest.hexdigest()[:16])
    return ids


def _path(numbered: tuple[int, str]) -> str:
    return numbered[1]


def data_of(experiment: Experiment) -> list[str]:
    """Hashes of data and of networks that an experiment names but does not hold, if any.

    Raises:
        Refusal: their files cannot be used; the message begins with the key that names them.
    """
    found = (tasks.of(experiment).fingerprint(), models.fingerprint(experiment))
    return [each for each in found if each is not None]
