"""The parts of a table: Parquet files with a seal, each a chunk's rows.

All reading of tables goes through here. A part is verified before a byte of it is understood, and
what its path looks like does not matter: to other readers ``lr=0.1/runs`` is a column.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from phasegrok.errors import Damaged
from phasegrok.files.seal import BLANK, sealing, verify
from phasegrok.meanings import TABLES, meaning

__all__ = [
    "arrow_schema",
    "explained",
    "holds",
    "like",
    "merge_parts",
    "odd_parts",
    "parts",
    "read_part",
    "read_schema",
    "read_table",
    "run_ids",
    "write_part",
]

OPTIONS: Final[dict[str, Any]] = {"compression": "zstd", "write_page_checksum": True}
ROW_GROUP_BYTES: Final = 64 << 20  # of merged parts, in memory
# A column of floats that seldom repeat is smaller with the first bytes of all of them together, and
# so on; a dictionary of them is no smaller than they are.
SELDOM: Final = 0.25  # distinct values, as a share of rows
LOOKED_AT: Final = 1 << 14  # rows that are counted
KEYS = ("run", "seed")  # that every table of parts has


def parts(table: Path) -> list[Path]:
    """The published parts of a table, in order; names of unpublished ones begin with a dot."""
    return sorted(table.glob("[!.]*.parquet"))


def write_part(path: Path, table: pa.Table) -> None:
    """Write a table of one file, whole or not at all, with checksums of its pages and of itself.

    Its columns say what they mean, in their metadata.
    """
    table = explained(table, path)
    with _writing(path, table) as writer:
        writer.write_table(table)


@contextmanager
def _writing(path: Path, first: pa.Table) -> Iterator[pq.ParquetWriter]:
    """Write a sealed file of such columns as these rows have, which are its first."""
    split = [name for name in first.schema.names if _seldom_repeats(first[name])]
    encodings: dict[str, Any] = {
        "use_dictionary": [name for name in first.schema.names if name not in split],
        "column_encoding": dict.fromkeys(split, "BYTE_STREAM_SPLIT") or None,
    }
    with sealing(path) as file:
        sink = pa.PythonFile(file, mode="w")
        with pq.ParquetWriter(sink, first.schema, **OPTIONS, **encodings) as writer:
            # Behind the first magic bytes, where no reader looks. Metadata would go along when
            # somebody writes the rows to another file, and would be wrong there.
            sink.write(BLANK.encode())
            yield writer


def _seldom_repeats(column: pa.ChunkedArray) -> bool:
    if not pa.types.is_floating(column.type):
        return False
    looked = column.slice(0, LOOKED_AT)
    return bool(pc.count_distinct(looked).as_py() > SELDOM * len(looked))


def explained(table: pa.Table, path: Path) -> pa.Table:
    """A table whose columns have their meaning, unit and source as metadata.

    Whatever the columns said before is left out: parts that are written again, with more columns or
    by another version, are like new ones.
    """
    about = TABLES.get(path.stem)
    name = path.stem if about and about.one_file else path.parent.name
    fields = []
    for field in table.schema:
        found = meaning(name, field.name)
        words = {"meaning": found.text, "unit": found.unit, "source": found.source} if found else {}
        fields.append(field.with_metadata({key: text for key, text in words.items() if text}))
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields))


def merge_parts(sources: Sequence[Path], path: Path) -> None:
    """Write the rows of several parts as one, in order, with the columns of the first.

    Raises:
        Damaged: a part is not what was written, or is no part of this table.
    """
    schema = read_schema(sources[0])
    meant = explained(schema.empty_table(), path).schema
    groups = _row_groups(sources, schema, meant)
    first = next(groups)
    with _writing(path, first) as writer:
        for table in itertools.chain([first], groups):
            writer.write_table(table)


def _row_groups(sources: Sequence[Path], schema: pa.Schema, meant: pa.Schema) -> Iterator[pa.Table]:
    """The rows of some parts, as many at a time as a row group holds; parts without rows count."""
    waiting: list[pa.Table] = []
    for source in sources:
        waiting.append(_with_columns(read_part(source), schema, source))
        if sum(table.nbytes for table in waiting) > ROW_GROUP_BYTES:
            yield pa.concat_tables(waiting).cast(meant)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting).cast(meant)


def read_part(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A table of one file.

    Raises:
        Damaged: it is not what was written, or lacks one of the columns.
        FileNotFoundError: there is none.
    """
    verify(path)
    with _understanding(path), open(path, "rb") as file:
        found = pq.ParquetFile(file, page_checksum_verification=True)
        lacking = set(columns or ()) - set(found.schema_arrow.names)
        if lacking:
            raise Damaged(path, f"found no column {min(lacking)}")
        table = found.read(columns=columns)
        table.validate(full=True)  # what is written in a damaged page may be no text
    return table.replace_schema_metadata(None)


def read_schema(path: Path) -> pa.Schema:
    """The columns of a table of one file.

    Raises:
        Damaged: it is no Parquet file.
    """
    with _understanding(path), open(path, "rb") as file:
        return pq.ParquetFile(file).schema_arrow.remove_metadata()


@contextmanager
def _understanding(path: Path) -> Iterator[None]:
    """What pyarrow says of bytes that are no table, as damage of their file."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        # An error of the system has a number; pyarrow's own, of the bytes, has none.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise Damaged(path, _reason(error)) from None


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(". ") or type(error).__name__


def read_table(path: Path, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """A table, of one file or of parts in order. Columns of booleans with nulls are nullable
    booleans, also where no value is there.

    Args:
        path: of the file, or the folder of parts.
        columns: that every part should have, and their types, as the manifest has them. Without
            them they are those of the first part: versions may differ in what they write, and no
            column may be there in some rows only, as chance has it.

    Raises:
        Damaged: a part is not what was written, or is no part of this table.
        FileNotFoundError: there is no such file, or no part.
    """
    files = parts(path) if path.is_dir() else [path]
    if not files:
        raise FileNotFoundError(2, "No such table", str(path))
    tables = [read_part(file) for file in files]
    if columns:
        there = {file: table.schema for file, table in zip(files, tables, strict=True)}
        if odd := next(odd_parts(there, columns), None):
            raise odd
        schema = arrow_schema({k: v for k, v in columns.items() if k in tables[0].schema.names})
    else:
        schema = tables[0].schema
    alike = [_with_columns(table, schema, file) for file, table in zip(files, tables, strict=True)]
    frame = pa.concat_tables(alike).to_pandas()
    booleans = [field.name for field in schema if field.type == pa.bool_()]
    objects = [name for name in booleans if frame[name].dtype != bool]
    return frame.astype(dict.fromkeys(objects, "boolean"))


def odd_parts(there: Mapping[Path, pa.Schema], columns: Mapping[str, str]) -> Iterator[Damaged]:
    """The parts of a table that have other columns than it should have, and why.

    A column that no part has was removed from all of them, on purpose: a table may be shortened.

    Args:
        there: the columns of every part.
        columns: type by column.
    """
    anywhere = {name for schema in there.values() for name in schema.names}
    for path, schema in there.items():
        lacking = [name for name in columns if name in anywhere and name not in schema.names]
        more = [name for name in schema.names if name not in columns]
        if lacking:
            yield Damaged(path, f"found no column {lacking[0]}")
        elif more:
            yield Damaged(path, f"found a column {more[0]}, which this table does not have")
        else:
            for name in schema.names:
                found, wanted = schema.field(name).type, pa.type_for_alias(columns[name])
                if not pa.types.is_null(found) and _kind(found) != _kind(wanted):
                    yield Damaged(path, f"found {name} of {found}; this table has {wanted}")
                    break


def _kind(found: pa.DataType) -> str:
    """What a column holds. Whoever merges parts by other tools may have other numbers and texts."""
    if pa.types.is_integer(found) or pa.types.is_floating(found):
        return "number"
    return "text" if "string" in str(found) else str(found)


def arrow_schema(columns: Mapping[str, str]) -> pa.Schema:
    """Columns by the names of their types."""
    return pa.schema([pa.field(name, pa.type_for_alias(kind)) for name, kind in columns.items()])


def _with_columns(table: pa.Table, schema: pa.Schema, file: Path) -> pa.Table:
    """A part with the columns of the first one; null where it has none."""
    for name in KEYS:
        if name in schema.names and name not in table.column_names:
            raise Damaged(file, f"found no column {name}")
    columns = []
    try:
        for field in schema:
            there = field.name in table.column_names
            column = table.column(field.name) if there else pa.nulls(len(table))
            columns.append(column.cast(field.type))
    except (pa.ArrowException, ValueError) as error:
        raise Damaged(file, f"{field.name}: {_reason(error)}") from None
    return pa.table(columns, schema=schema)


def run_ids(path: Path) -> tuple[str, ...]:
    """The runs of a part, in order, each once for each of its rows there.

    Raises:
        Damaged: it has none.
    """
    column = read_part(path, ["run"]).column("run")
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        raise Damaged(path, f"found a column run of {column.type}")
    return tuple(column.to_pylist())


def like(table: pa.Table, begun: pa.Schema) -> pa.Table:
    """A part like those before it, for a folder that another version began.

    An earlier one had fewer columns; what is new is left out, or a table would have it in some rows
    only, as chance has it. It wrote booleans as the texts True and False. What is measured no
    longer is null.
    """
    columns = []
    for field in begun:
        if field.name not in table.column_names:
            columns.append(pa.nulls(len(table), field.type))
            continue
        column = table.column(field.name)
        if pa.types.is_boolean(column.type) and pa.types.is_string(field.type):
            column = pc.if_else(column, "True", "False")
        columns.append(column.cast(field.type))
    return pa.table(columns, schema=begun)


def holds(path: Path, table: pa.Table) -> bool:
    """Whether a file holds this very table."""
    try:
        return bool(read_part(path).equals(table))
    except (FileNotFoundError, Damaged):
        return False
