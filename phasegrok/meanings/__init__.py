"""Every column of every table: what it means, its unit, and where the quantity is defined.

The words are in the Parquet files themselves (``pyarrow.parquet.read_schema(file).field(name)
.metadata``, keys ``b"meaning"``, ``b"unit"`` and ``b"source"``) and in docs/tables.md. The columns
of a new measurement are declared in its own file, with :func:`declare`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from phasegrok.config import PATHS, column
from phasegrok.meanings.base import About, Meaning, said
from phasegrok.meanings.columns import INPUTS, KEYS, SHARE, STEP
from phasegrok.meanings.tables import LAST, MEAN, TABLES

__all__ = ["TABLES", "About", "Meaning", "declare", "meaning", "setting"]

SHARES: Final = ("data_fraction", "corruption_fraction", "dropout")


def declare(table: str, columns: Mapping[str, Meaning], row: str = "", key: str = "") -> None:
    """Say what the columns of a new measurement mean.

    Args:
        table: its own, or ``curves`` for a scalar, which ``runs`` and ``cells`` have too.
        columns: meanings by name or pattern.
        row, key: of :class:`About`, for a table of its own.
    """
    TABLES.setdefault(table, About(row, KEYS | STEP, key)).columns.update(columns)
    if table == "curves":
        TABLES["runs"].columns.update(said(columns, LAST))
        TABLES["cells"].columns.update(said(columns, MEAN))


def meaning(table: str, name: str) -> Meaning | None:
    """What a column of a table means; None for one that nobody has declared."""
    own = TABLES[table].columns if table in TABLES else {}
    return _match(own, name) or setting(name) or _match(INPUTS, name)


def setting(name: str) -> Meaning | None:
    """What a column means that holds a setting of the sweep file."""
    if name == "variant":
        return Meaning("name of the variant")
    paths = [path for path in PATHS if column(path) == name]
    if not paths:
        return None
    described = dict.fromkeys(info.description for path in paths for info in PATHS[path])
    words = "; or ".join(each for each in described if each)
    text = f"setting {' or '.join(paths)}"
    return Meaning(f"{text}: {words}" if words else text, SHARE if name in SHARES else "")


def _match(columns: Mapping[str, Meaning], name: str) -> Meaning | None:
    if name in columns:
        return columns[name]
    for pattern, found in columns.items():
        start = pattern.removesuffix("*")
        if start != pattern and name.startswith(start) and name != start:
            return found._replace(text=found.text.format(name.removeprefix(start)))
    return None
