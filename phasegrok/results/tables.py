"""From a chunk's arrays to rows: every table's columns, and nothing of files.

Column names and their meaning are in docs/contracts.md. All tables of a sweep have one schema,
whichever programs their parts come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from phasegrok.analysis.phases import GENERALIZES, classify
from phasegrok.config import SOLVED

if TYPE_CHECKING:  # tables are read and labelled where JAX is not loaded
    from phasegrok.tasks import Size

ACCURACIES = {  # which rows each is a share of
    "train_accuracy": "train",
    "test_accuracy": "test",
    "corrupted_accuracy": "corrupted",
    "restored_accuracy": "corrupted",
    "clean_accuracy": "clean",
    "true_accuracy": "all",
}
COUNTED = ("n_train", "n_corrupted")


def exact_accuracies(records: Mapping[str, np.ndarray], size: Size) -> dict[str, np.ndarray]:
    """Measurements as float64, accuracies exactly k / n.

    Devices count in float32, where 0.9 is less than 0.9: a cell on a phase boundary would get
    the wrong label. The count is recovered (it is exact below 2^23 rows) and divided again.
    """
    n_train = records["n_train"].astype(np.float64)
    n_corrupted = records["n_corrupted"].astype(np.float64)
    test = size.pool - n_train if size.test is None else np.full_like(n_train, size.test)
    sizes = {
        "train": n_train,
        "test": test,
        "corrupted": n_corrupted,
        "clean": n_train - n_corrupted,
        "all": n_train + test,
    }
    out = {}
    for name, values in records.items():
        values = values.astype(np.float64)
        if name in ACCURACIES:
            n = sizes[ACCURACIES[name]]
            with np.errstate(invalid="ignore", divide="ignore"):
                values = np.where(n > 0, np.round(values * n) / n, np.nan)
        out[name] = values
    return out


def chunk_tables(
    rows: pd.DataFrame,
    axes: list[str],
    steps: np.ndarray,
    records: Mapping[str, np.ndarray],
    size: Size,
    norms: list[str],
) -> dict[str, pa.Table]:
    """The ``runs`` and ``curves`` tables of one chunk.

    Args:
        rows: the chunk's part of the table of runs.
        axes: swept columns.
        steps: (points,) optimizer steps at which the network was measured, from 0.
        records: float32 measurements by name, each (runs, points).
        size: of the task.
        norms: ``norm_*`` columns of the sweep, the union over its programs.
    """
    points = len(steps)
    metrics = exact_accuracies(records, size)
    for name in norms:
        metrics.setdefault(name, np.full((len(rows), points), np.nan))
    curve_names = [n for n in metrics if n not in COUNTED and n not in norms] + norms
    repeated = rows[["run", *axes, "seed"]].iloc[np.repeat(np.arange(len(rows)), points)]
    curves = repeated.reset_index(drop=True)
    curves["step"] = np.tile(steps.astype(np.int64), len(rows))
    for name in curve_names:
        curves[name] = metrics[name].reshape(-1)
    runs = run_rows(rows, steps, metrics, curve_names)
    return {"curves": as_table(curves), "runs": as_table(runs)}


def run_rows(
    rows: pd.DataFrame, steps: np.ndarray, metrics: Mapping[str, np.ndarray], names: list[str]
) -> pd.DataFrame:
    """One labelled row a run: its last measurement, and what the curve says of the way there."""
    runs = rows.reset_index(drop=True).copy()
    train, test = metrics["train_accuracy"], metrics["test_accuracy"]
    losses = np.stack([metrics["train_loss"], metrics["test_loss"]])
    runs["status"] = np.where(np.isfinite(losses).all(axis=(0, 2)), "ok", "diverged")
    for name in names:
        runs[name] = metrics[name][:, -1]
    peak = test.argmax(axis=1)
    runs["peak_test_accuracy"] = test.max(axis=1)
    runs["peak_step"] = steps[peak].astype(np.int64)
    # Of the training set; stages.py has the step at which the corrupted labels are fitted.
    runs["memorization_step"] = first_step(train > SOLVED, steps)
    runs["generalization_step"] = first_step(test > SOLVED, steps)
    # The norm that Forgetting is judged against: where the network last generalized.
    generalizes = test >= GENERALIZES
    last = test.shape[1] - 1 - generalizes[:, ::-1].argmax(axis=1)
    at = np.where(generalizes.any(axis=1), last, peak)
    runs["peak_weight_norm"] = metrics["weight_norm"][np.arange(len(runs)), at]
    return runs.join(classify(runs))


def first_step(reached: np.ndarray, steps: np.ndarray) -> pd.arrays.IntegerArray:
    """First logged step at which each row of ``reached`` is true; null if never."""
    values = steps[reached.argmax(axis=1)].astype(np.int64)
    return pd.arrays.IntegerArray(values, np.asarray(~reached.any(axis=1)))


# Columns that stand first in a table of findings; the others follow in alphabetical order.
FIRST = (
    "ipr",
    "dead",
    "frequency",
    "test_accuracy",
    "train_accuracy",
    "corrupted_accuracy",
    "restored_accuracy",
    "clean_accuracy",
    "true_accuracy",
    "train_loss",
    "test_loss",
)


def schema(names: Iterable[str]) -> dict[str, list[str]]:
    """Columns that each table of findings has in a sweep, from the findings' names of all its
    programs."""
    columns: dict[str, set[str]] = {}
    for name in names:
        table, _, column = name.split(".")
        columns.setdefault(table, set()).update({column} - set(COUNTED))

    def place(column: str) -> tuple[int, str]:
        return (FIRST.index(column) if column in FIRST else len(FIRST)), column

    return {table: sorted(columns[table], key=place) for table in sorted(columns)}


def findings_tables(
    rows: pd.DataFrame,
    axes: list[str],
    step: int,
    found: Mapping[str, np.ndarray],
    columns: Mapping[str, list[str]],
    size: Size,
    inputs: Sequence[str],
) -> dict[str, pd.DataFrame]:
    """The tables of one look into a chunk's networks: those of ``columns`` and no other.

    Args:
        rows: the chunk's part of the table of runs, with ``n_train`` and ``n_corrupted``.
        axes: swept columns.
        step: optimizer step of the look.
        found: arrays (runs, ...) by ``TABLE.GROUP.COLUMN``, from ``train.inspection``.
        columns: from :func:`schema`, of the whole sweep.
        size: of the task.
        inputs: names of an example's inputs.
    """
    grouped: dict[tuple[str, str], dict[str, np.ndarray]] = {}
    for name, values in found.items():
        table, group, column = name.split(".")
        grouped.setdefault((table, group), {})[column] = values[: len(rows)]
    keys = rows[["run", *axes, "seed"]].assign(step=np.int64(step)).reset_index(drop=True)
    frames: dict[str, list[pd.DataFrame]] = {table: [] for table in columns}
    for (table, group), arrays in grouped.items():
        if table == "neurons":
            frame = _neurons(keys, group, arrays, columns[table])
        elif table == "pruning":
            frame = _pruning(keys, group, arrays, columns[table], size)
        elif table == "logits":
            frame = _logits(keys, arrays, inputs)
        elif table == "activations":
            frame = _activations(keys, arrays, inputs)
        elif table == "readout":
            frame, (neuron, output) = _spread(keys, *arrays["weight"].shape[1:])
            frame["neuron"], frame["output"] = neuron, output
            frame["weight"] = arrays["weight"].reshape(-1)
        else:
            frame = _weight_rows(keys, group, arrays)
        frames[table].append(frame)
    return {table: pd.concat(parts, ignore_index=True) for table, parts in frames.items()}


def _spread(keys: pd.DataFrame, *sizes: int) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Every run's key, once for every place in an array of these sizes, and the places."""
    each = int(np.prod(sizes))
    places = [np.tile(axis.reshape(-1), len(keys)) for axis in np.indices(sizes)]
    return keys.iloc[np.repeat(np.arange(len(keys)), each)].reset_index(drop=True), places


def _neurons(
    keys: pd.DataFrame, layer: str, values: Mapping[str, np.ndarray], columns: list[str]
) -> pd.DataFrame:
    frame, (neuron,) = _spread(keys, values["ipr"].shape[1])
    frame["layer"], frame["neuron"] = layer, neuron
    nameless = values["dead"].reshape(-1) | np.isnan(values["ipr"].reshape(-1))
    for name in columns:
        column = values[name].reshape(-1) if name in values else np.full(len(frame), np.nan, "f4")
        if name.startswith("frequency"):
            # Dead neurons have no frequency, nor have diverged ones, nor layers without the matrix.
            none = nameless | (name not in values)
            whole = np.where(none, 0, column).astype(np.int64)
            frame[name] = pd.arrays.IntegerArray(whole, none)
        else:
            frame[name] = column
    return frame


def _pruning(
    keys: pd.DataFrame,
    order: str,
    values: Mapping[str, np.ndarray],
    columns: Sequence[str],
    size: Size,
) -> pd.DataFrame:
    frame, (pruned,) = _spread(keys, values["test_loss"].shape[1])
    frame["order"], frame["pruned"] = order, pruned
    counted = {name: values[name][:, None] for name in COUNTED}
    exact = exact_accuracies({**values, **counted}, size)
    for name in columns:
        kind = np.float64 if name in ACCURACIES else np.float32
        frame[name] = exact[name].astype(kind).reshape(-1)
    return frame


def _logits(
    keys: pd.DataFrame, values: Mapping[str, np.ndarray], inputs: Sequence[str]
) -> pd.DataFrame:
    labels = ("true_label", "corrupted_label")
    frame = _by_example(keys, values, inputs, labels, across="output", measured="outputs")
    output = frame["output"]
    marks = [output == frame["true_label"], output == frame["corrupted_label"]]
    frame["mark"] = np.select(marks, ["true", "corrupted"], "other")
    frame["logit"] = values["outputs"].reshape(-1)
    # A run with fewer corrupted examples than were asked for has no more rows.
    return frame[np.repeat(values["wrong"].reshape(-1), values["outputs"].shape[2])]


def _activations(
    keys: pd.DataFrame, values: Mapping[str, np.ndarray], inputs: Sequence[str]
) -> pd.DataFrame:
    labels = ("true_label", "shown_label")
    frame = _by_example(keys, values, inputs, labels, across="neuron", measured="activation")
    frame["activation"] = values["activation"].reshape(-1)
    # A run with a smaller training set than examples were asked for has no more rows.
    return frame[np.repeat(values["trains"].reshape(-1), values["activation"].shape[2])]


def _by_example(
    keys: pd.DataFrame,
    values: Mapping[str, np.ndarray],
    inputs: Sequence[str],
    labels: Sequence[str],
    across: str,
    measured: str,
) -> pd.DataFrame:
    """A row for every entry of an array (runs, examples, ...): the example's number, its inputs
    and labels, and its place ``across``."""
    sizes = values[measured].shape[1:]
    frame, (example, place) = _spread(keys, *sizes)
    frame["example"] = example
    columns = {name: values["inputs"][..., i] for i, name in enumerate(inputs)}
    for name, column in (columns | {name: values[name] for name in labels}).items():
        frame[name] = np.repeat(column.reshape(-1), sizes[1])
    frame[across] = place
    return frame


def _weight_rows(keys: pd.DataFrame, layer: str, values: Mapping[str, np.ndarray]) -> pd.DataFrame:
    frames = []
    for matrix, weights in values.items():
        frame, (neuron, token) = _spread(keys, *weights.shape[1:])
        frame["layer"], frame["matrix"] = layer, matrix
        frame["neuron"], frame["token"] = neuron, token
        frame["weight"] = weights.reshape(-1)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def as_table(frame: pd.DataFrame) -> pa.Table:
    """Arrow table without an index and with NaN stored as null; one schema for every part."""
    arrays, fields = [], []
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_float_dtype(values):
            kind = pa.float32() if values.dtype == np.float32 else pa.float64()
        elif pd.api.types.is_bool_dtype(values):
            kind = pa.bool_()
        elif pd.api.types.is_integer_dtype(values):
            kind = pa.int64()
        else:
            kind = pa.string()
        arrays.append(pa.Array.from_pandas(values, type=kind))
        fields.append(pa.field(name, kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
