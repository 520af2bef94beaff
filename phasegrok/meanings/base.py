"""What is said of a column and of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["About", "Meaning", "said"]


class Meaning(NamedTuple):
    """What a column holds.

    Attributes:
        text: one sentence, without a full stop; ``{}`` stands for what a ``*`` in the column's
            pattern matched.
        unit: of the numbers; empty for text and truth values.
        source: where the quantity is defined, if not here.
    """

    text: str
    unit: str = ""
    source: str = ""


class About(NamedTuple):
    """A table.

    Attributes:
        row: what a row is of.
        columns: meanings by name, or by pattern with a ``*`` at the end, in the table's order.
        key: of ``measure:``, that asks for it; empty for tables that need none.
        one_file: whether it is ``NAME.parquet`` instead of a folder of parts.
    """

    row: str
    columns: dict[str, Meaning]
    key: str = ""
    one_file: bool = False


def said(columns: Mapping[str, Meaning], more: str) -> dict[str, Meaning]:
    """The same columns, with something said after each meaning."""
    return {name: each._replace(text=f"{each.text}; {more}") for name, each in columns.items()}
