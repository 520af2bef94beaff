"""Single cells as panels: which of a sweep's cells there are, and how they are called."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from phasegrok.analysis.at import rows_at
from phasegrok.errors import Refusal
from phasegrok.figures.layout import format_values, words

__all__ = ["MOST_CELLS", "OneCell", "closeup", "one_by_one", "panels_across", "title_lines"]

# A sweep of more cells is looked at as a diagram: a sheet of their curves could not be read.
MOST_CELLS: Final = 12
MOST_ACROSS: Final = 4  # panels of single cells beside each other


@dataclass(frozen=True)
class OneCell:
    """One cell of a sweep.

    Attributes:
        named: a line for each swept value.
        phase: it ends in.
        values: its value in every swept column.
    """

    named: tuple[str, ...]
    phase: str
    values: dict[str, Any]

    @property
    def titles(self) -> tuple[str, ...]:
        """A line for each swept value, and one for the phase."""
        return (*self.named, self.phase)

    def titles_at(self, is_last: bool) -> tuple[str, ...]:
        """The lines over a picture of one step: a phase is that of the last."""
        return self.titles if is_last else self.named

    def of(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of any result table that belong to this cell."""
        return rows_at(table, self.values)


def closeup(cells: pd.DataFrame, axes: Sequence[str], at: Mapping[str, Any]) -> pd.DataFrame:
    """The cells that lie at these values of some swept columns.

    Args:
        cells: table of cells.
        axes: the swept columns.
        at: by column one value, or a list of values of which a cell has one.

    Raises:
        Refusal: a column is not swept, no cell lies there, or more than can be shown do.
    """
    for name, values in at.items():
        if name not in axes:
            allowed = ", ".join(axes) or "none, since nothing is swept"
            raise Refusal(f"--at {name}: found no such axis; allowed: {allowed}")
        there = np.zeros(len(cells), dtype=bool)
        for value in values if isinstance(values, list) else [values]:
            same = _is_at(cells[name], value)
            if not same.any():
                known = ", ".join(format_values(cells[name].dropna().unique().tolist()))
                raise Refusal(f"--at {name}: found no cell at {value}; allowed: {known}")
            there |= same
        cells = cells[there]
    if len(cells) > MOST_CELLS:
        advice = _narrower(cells, [name for name in axes if name not in at])
        raise Refusal(f"--at: found {len(cells)} cells; allowed: at most {MOST_CELLS}{advice}")
    return cells


def _is_at(column: pd.Series[Any], value: Any) -> NDArray[np.bool_]:
    """Which rows have a value, numbers whatever their last bit."""
    if is_numeric_dtype(column) and not is_bool_dtype(column):
        found = np.isclose(column, pd.to_numeric(value, errors="coerce"), rtol=0, atol=1e-9)
    else:
        found = (column.astype(str).str.lower() == str(value).lower()).to_numpy()
    return np.asarray(found, dtype=bool)


def _narrower(cells: pd.DataFrame, free: Sequence[str]) -> str:
    """Which axes to add so that few enough cells are left: the fewest, with values to copy."""
    added: list[str] = []
    for name in sorted(free, key=lambda each: -cells[each].nunique()):
        present = cells[name].dropna().unique().tolist()
        if len(present) < 2:
            continue
        middle = present[len(present) // 2]
        text = dict(zip(present, format_values(present), strict=True))[middle]
        cells = cells[(cells[name] == middle).fillna(False).astype(bool)]
        added.append(f"--at {name}={text}")
        if len(cells) <= MOST_CELLS:
            break
    if len(cells) > MOST_CELLS or not added:
        return ", so fewer values"
    return f"; add {' '.join(added)} (or another value), which leaves {len(cells)}"


def one_by_one(cells: pd.DataFrame, axes: Sequence[str]) -> Iterator[OneCell]:
    """Every cell of a sweep, in the table's order."""
    texts = {
        name: dict(zip(present, format_values(present), strict=True))
        for name in axes
        if (present := cells[name].dropna().unique().tolist())
    }
    for _, row in cells.iterrows():
        values = {name: row[name] for name in axes}
        named = [
            f"{words(name)} {texts[name][value]}"
            for name, value in values.items()
            if not pd.isna(value)
        ]
        yield OneCell(tuple(named), str(row["subphase"]), values)


def title_lines(cells: Sequence[OneCell]) -> int:
    """Most lines over a panel of one of the cells."""
    return max((len(cell.titles) for cell in cells), default=0)


def panels_across(cells: Sequence[OneCell]) -> int:
    """How many panels of single cells stand beside each other.

    Where the last of several swept columns go through the same values over and over, a row of
    panels is one round of them, so that the sheet has the shape of the axes. Other cells are shared
    out evenly over as few rows as there must be.
    """
    vary = [
        name
        for name in (cells[0].values if cells else ())
        if len({str(cell.values[name]) for cell in cells}) > 1
    ]
    for outer in range(1, len(vary)):
        rounds = _rounds(cells, vary[:outer], vary[outer:])
        if 1 < rounds <= MOST_ACROSS:
            return rounds
    return max(1, math.ceil(len(cells) / math.ceil(len(cells) / MOST_ACROSS)))


def _rounds(cells: Sequence[OneCell], outer: Sequence[str], inner: Sequence[str]) -> int:
    """Length of the rounds that the inner columns make while the outer ones stand still; 0 if they
    make none."""

    def at(cell: OneCell, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(str(cell.values[name]) for name in names)

    length = len({at(cell, inner) for cell in cells})
    rows = [cells[start : start + length] for start in range(0, len(cells), length)]
    first = [at(cell, inner) for cell in rows[0]]
    same = all(
        [at(cell, inner) for cell in row] == first and len({at(cell, outer) for cell in row}) == 1
        for row in rows
    )
    return length if same else 0
