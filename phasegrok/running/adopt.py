"""Rows that are there already, in the columns of another sweep that has the same runs.

A run's id says all that decides its numbers, so its rows are the same in every sweep that has it.
Only the columns that tell runs apart differ: a sweep writes those that it varies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from phasegrok.analysis.phases import LABELS, classify
from phasegrok.analysis.settled import SETTLED, with_settled
from phasegrok.config import PATHS, column
from phasegrok.files.atomic import copy_whole
from phasegrok.plan.plan import Plan
from phasegrok.results.arrow import as_table
from phasegrok.results.folder import Folder
from phasegrok.results.parts import read_part, read_schema, write_part
from phasegrok.results.tables import EVENT_STEP, event_steps
from phasegrok.running.columns import Columns, tables_of
from phasegrok.running.manifest import Taken
from phasegrok.running.prepared import Prepared
from phasegrok.sweep.variants import COLUMN


def _settings() -> frozenset[str]:
    """The columns of all tables that say what a run is, and not what was measured of it."""
    return frozenset({"run", "seed", "n_train", "n_corrupted", COLUMN, *map(column, PATHS)})


def adopted(rows: pa.Table, name: str, planned: Plan, columns: Columns) -> pa.Table:
    """Rows of a table with the settings of ``planned``'s runs, and its labels.

    Args:
        rows: of runs that ``planned`` has, in any order.
        name: of the table.
        planned: whose settings the rows get.
        columns: what its tables have; columns that ``rows`` lack are null.
    """
    ids, settings = pd.Index(planned.runs["run"]), _settings()
    own = planned.table.rows(ids.get_indexer(rows["run"].to_pylist())).reset_index(drop=True)
    keys = list(own.columns) if name == "runs" else ["run", *planned.axes, "seed"]
    table = as_table(own[keys])
    labels = LABELS if name == "runs" else ()
    for field in rows.schema:
        if field.name not in settings and field.name not in labels:
            table = table.append_column(field, rows[field.name])
    whole = name in ("runs", "curves")
    more = [*columns.scalars, *columns.norms] if whole else columns.arrays[name]
    kind = pa.float64() if whole else pa.float32()
    for missing in (each for each in more if each not in table.column_names):
        table = table.append_column(missing, pa.nulls(len(table), kind))
    if name == "runs":
        for label, values in classify(rows.to_pandas()).items():
            table = table.append_column(str(label), pa.array(values, pa.string()))
    return table


def take(prepared: Prepared, name: str, taken: Taken) -> None:
    """Publish the rows and weights of another folder's runs as a part of this one."""
    folder, source, columns = prepared.folder, Folder(Path(taken.folder)), prepared.columns
    wanted = pa.array(taken.runs)
    tables = {}
    for table in tables_of(columns):
        rows = read_part(source.part_path(table, taken.part))
        rows = rows.filter(pc.is_in(rows["run"], wanted))
        tables[table] = adopted(rows, table, prepared.plan, columns)
    tables["runs"] = event_from(settled_from(tables["runs"], tables["curves"]), tables["curves"])
    for run in taken.runs:
        for file in weights_of(source, run):
            copy_whole(file, folder.path / file.relative_to(source.path))
    folder.publish(name, tables, prepared.manifest.columns)


def settled_from(runs: pa.Table, curves: pa.Table) -> pa.Table:
    """Runs with the settled accuracies that tables of earlier versions lack."""
    if set(SETTLED) <= set(runs.column_names):
        return runs
    columns = curves.select(["run", "step", *SETTLED.values()]).to_pandas()
    found = with_settled(runs.to_pandas(), columns)
    for name in SETTLED:
        if name not in runs.column_names:
            runs = runs.append_column(name, pa.array(found[name], pa.float64()))
    return runs


def event_from(runs: pa.Table, curves: pa.Table) -> pa.Table:
    """Runs with the steps of their events, which tables of earlier versions lack."""
    if "event_value" not in runs.column_names or EVENT_STEP in runs.column_names:
        return runs
    points = curves.select(["run", "step", "train_accuracy"]).to_pandas().set_index("run")
    steps = []
    for name, row in runs.to_pandas().groupby("run", sort=False):
        curve = points.loc[[name]]
        train = curve["train_accuracy"].to_numpy()[None]
        steps += list(event_steps(row, curve["step"].to_numpy(), train))
    column = pa.array(pd.array(steps, dtype="Int64"), pa.int64())
    return runs.append_column(EVENT_STEP, column)


def weights_of(folder: Folder, run: str) -> Iterator[Path]:
    """The files of a run's saved networks."""
    return (path for path in sorted((folder.path / "weights" / run).glob("*")) if path.is_file())


def adapt(folder: Folder, planned: Plan, columns: Columns) -> None:
    """Give the parts of a folder the settings' columns of a sweep with more axes.

    Every number that was measured stays as it is. Each part is replaced at once, and a part that
    has the columns already is left alone. So this can be interrupted and done again.
    """
    for name in tables_of(columns):
        for path in folder.parts(name):
            rows = read_part(path)
            table = adopted(rows, name, planned, columns)
            if table.schema != rows.schema:
                write_part(path, table)


def with_columns(prepared: Prepared) -> Prepared:
    """The sweep whose manifest says which columns its tables have; of an extension, after the parts
    that are there have got them.

    A folder that has parts and whose manifest does not say it goes on without: an earlier version
    began it, which wrote fewer.
    """
    folder, begun, planned = prepared.folder, prepared.begun, prepared.plan
    there = any(folder.parts("runs"))
    if prepared.extends and there:
        if begun and begun.columns:
            # While parts are rewritten, the manifest has to read both kinds.
            folder.write_manifest(replace(begun, columns={}).to_json())
        adapt(folder, planned, prepared.columns)
        columns = _columns_there(folder, tables_of(prepared.columns))
    elif there or prepared.manifest.columns:
        return prepared
    else:
        columns = prepared.columns.schemas(prepared.sweep, planned)
    return prepared.with_manifest(replace(prepared.manifest, columns=columns))


def _columns_there(folder: Folder, tables: Iterable[str]) -> dict[str, dict[str, str]]:
    """The columns of those tables whose parts all have the same."""
    found = {}
    for name in tables:
        schemas = [read_schema(path) for path in folder.parts(name)]
        if schemas and all(each == schemas[0] for each in schemas):
            found[name] = {field.name: str(field.type) for field in schemas[0]}
    return found


def incomplete(source: Folder, taken: Taken, columns: Columns, weights: bool) -> Path | None:
    """What of a part is not there, if anything; a shortened folder lacks tables."""
    for table in tables_of(columns):
        path = source.part_path(table, taken.part)
        if not path.exists():
            return path
    for run in taken.runs if weights else ():
        if not any(path.suffix == ".npz" for path in weights_of(source, run)):
            return source.path / "weights" / run
    return None
