"""From a chunk's arrays to rows: every table's columns, and nothing of files.

Column names and their meaning are in docs/contracts.md. All tables of a sweep have one schema,
whichever programs their parts come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from phasegrok.analysis.phases import GENERALIZES, classify
from phasegrok.analysis.settled import SETTLED, end_of_curve
from phasegrok.config import SOLVED
from phasegrok.measure import MEASUREMENTS, Keys
from phasegrok.measure.accuracies import COUNTED, exact_accuracies
from phasegrok.results.arrow import as_table
from phasegrok.tasks import Size

EVENT_STEP: Final = "event_step"


@dataclass(frozen=True)
class ChunkRuns:
    """The runs of a chunk, and what their rows need to be told apart."""

    rows: pd.DataFrame  # the chunk's part of the table of runs
    axes: Sequence[str]  # swept columns
    size: Size  # of the task
    inputs: Sequence[str] = ()  # names of an example's inputs

    def keys(self) -> pd.DataFrame:
        """The columns that every table begins with, one row a run."""
        return self.rows[["run", *self.axes, "seed"]]


def chunk_tables(
    chunk: ChunkRuns, steps: np.ndarray, records: Mapping[str, np.ndarray], norms: Sequence[str]
) -> dict[str, pa.Table]:
    """The ``runs`` and ``curves`` tables of one chunk.

    Args:
        chunk: its runs.
        steps: (points,) optimizer steps at which the network was measured, from 0.
        records: float32 measurements by name, each (runs, points).
        norms: ``norm_*`` columns of the sweep, the union over its programs.
    """
    count, points = len(chunk.rows), len(steps)
    metrics = exact_accuracies(records, chunk.size)
    for name in norms:
        metrics.setdefault(name, np.full((count, points), np.nan))
    curve_names = [n for n in metrics if n not in COUNTED and n not in norms] + list(norms)
    repeated = chunk.keys().iloc[np.repeat(np.arange(count), points)]
    # At once: to insert columns one by one takes a third of the time that a small chunk takes.
    columns = {str(name): column.array for name, column in repeated.items()}
    columns["step"] = np.tile(steps.astype(np.int64), count)
    curves = pd.DataFrame(columns | {name: metrics[name].reshape(-1) for name in curve_names})
    runs = run_rows(chunk.rows, steps, metrics, curve_names)
    return {"curves": as_table(curves), "runs": as_table(runs)}


def run_rows(
    rows: pd.DataFrame, steps: np.ndarray, metrics: Mapping[str, np.ndarray], names: list[str]
) -> pd.DataFrame:
    """One labelled row a run: its last measurement, and what the curve says of the way there."""
    runs: dict[str, Any] = {str(name): column.array for name, column in rows.items()}
    train, test = metrics["train_accuracy"], metrics["test_accuracy"]
    losses = np.stack([metrics["train_loss"], metrics["test_loss"]])
    runs["status"] = np.where(np.isfinite(losses).all(axis=(0, 2)), "ok", "diverged")
    for name in names:
        runs[name] = metrics[name][:, -1]
    peak = test.argmax(axis=1)
    runs["peak_test_accuracy"] = test.max(axis=1)
    runs["peak_step"] = steps[peak].astype(np.int64)
    for column, name in SETTLED.items():
        runs[column] = end_of_curve(metrics[name])
    # For the whole training set; analysis/stages.py has when corrupted labels are fitted.
    runs["memorization_step"] = first_step(train > SOLVED, steps)
    runs["generalization_step"] = first_step(test > SOLVED, steps)
    if "event_value" in runs:
        runs[EVENT_STEP] = event_steps(rows, steps, train)
    # The norm that Forgetting is judged against: where the network last generalized.
    generalizes = test >= GENERALIZES
    last = test.shape[1] - 1 - generalizes[:, ::-1].argmax(axis=1)
    at = np.where(generalizes.any(axis=1), last, peak)
    runs["peak_weight_norm"] = metrics["weight_norm"][np.arange(len(rows)), at]
    frame = pd.DataFrame(runs)
    return frame.join(classify(frame))


def event_steps(
    rows: pd.DataFrame, steps: np.ndarray, train_accuracy: np.ndarray
) -> pd.arrays.IntegerArray:
    """The logged step at which each run's event came (:mod:`phasegrok.train.events`); null where it
    did not.

    Args:
        rows: of runs, with their settings.
        steps: (points,) logged steps.
        train_accuracy: (runs, points).
    """
    kind = rows["event"].to_numpy()[:, None]
    # Devices compare float32, which cannot hold 0.999.
    fitted = train_accuracy.astype(np.float32) > np.float32(SOLVED)
    at = rows.get("event_at_step", pd.Series(np.nan, rows.index)).to_numpy(np.float32)
    late = steps.astype(np.float32) >= at[:, None]
    came = ((kind == "memorized") & fitted) | ((kind == "at_step") & late)
    return first_step(came, steps)


def first_step(reached: np.ndarray, steps: np.ndarray) -> pd.arrays.IntegerArray:
    """First logged step at which each row of ``reached`` is true; null if never."""
    values = steps[reached.argmax(axis=1)].astype(np.int64)
    return pd.arrays.IntegerArray(values, np.asarray(~reached.any(axis=1)))


def schema(names: Iterable[str]) -> dict[str, list[str]]:
    """The arrays that each table has in a sweep, by table.

    Args:
        names: ``TABLE.GROUP.COLUMN`` of the snapshots of all programs.
    """
    arrays: dict[str, set[str]] = {}
    for name in names:
        table, _, column = name.split(".")
        arrays.setdefault(table, set()).add(column)
    return {table: sorted(arrays[table]) for table in sorted(arrays)}


def snapshot_tables(
    chunk: ChunkRuns,
    step: int,
    arrays: Mapping[str, np.ndarray],
    names: Mapping[str, Sequence[str]],
) -> dict[str, pd.DataFrame]:
    """The tables of one snapshot of a chunk's networks: those of ``names`` and no other.

    Args:
        chunk: its runs.
        step: optimizer step of the snapshot.
        arrays: (runs, ...) by ``TABLE.GROUP.COLUMN``, from ``train.snapshot``.
        names: from :func:`schema`, of the whole sweep.
    """
    grouped: dict[str, dict[str, dict[str, np.ndarray]]] = {table: {} for table in names}
    for name, values in arrays.items():
        table, group, column = name.split(".")
        grouped[table].setdefault(group, {})[column] = values[: len(chunk.rows)]
    runs = chunk.keys().assign(step=np.int64(step)).reset_index(drop=True)
    by_table = {measurement.table: measurement for measurement in MEASUREMENTS}
    return {
        table: pd.concat(
            [
                by_table[table].rows(Keys(runs, names[table], chunk.size, chunk.inputs), *item)
                for item in groups.items()
            ],
            ignore_index=True,
        )
        for table, groups in grouped.items()
    }
