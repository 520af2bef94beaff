"""Single cells as panels: which of a sweep's cells there are, and how they are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from phasegrok.analysis.at import rows_at
from phasegrok.errors import Refusal
from phasegrok.figures.layout import format_values, words

__all__ = ["MOST_CELLS", "OneCell", "closeup", "one_by_one"]

# A sweep of more cells is looked at as a diagram: a sheet of their curves could not be read.
MOST_CELLS: Final = 12


@dataclass(frozen=True)
class OneCell:
    """One cell of a sweep.

    Attributes:
        titles: a line for each swept value, and one for the phase.
        values: its value in every swept column.
    """

    titles: tuple[str, ...]
    values: dict[str, Any]

    def of(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of any result table that belong to this cell."""
        return rows_at(table, self.values)


def closeup(cells: pd.DataFrame, axes: Sequence[str], at: Mapping[str, Any]) -> pd.DataFrame:
    """The cells that lie at these values of some swept columns.

    Raises:
        Refusal: a column is not swept, no cell lies there, or more than can be shown do.
    """
    for name, value in at.items():
        if name not in axes:
            raise Refusal(f"--at {name}: found no such axis; allowed: {', '.join(axes)}")
        column = cells[name]
        if is_numeric_dtype(column) and not is_bool_dtype(column):
            same = np.isclose(column, pd.to_numeric(value, errors="coerce"), rtol=0, atol=1e-9)
        else:
            same = (column.astype(str).str.lower() == str(value).lower()).to_numpy()
        if not same.any():
            there = ", ".join(format_values(column.dropna().unique().tolist()))
            raise Refusal(f"--at {name}: found no cell at {value}; allowed: {there}")
        cells = cells[same]
    if len(cells) > MOST_CELLS:
        raise Refusal(f"--at: found {len(cells)} cells; allowed: at most {MOST_CELLS}")
    return cells


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
        yield OneCell((*named, str(row["subphase"])), values)
