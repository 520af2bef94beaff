"""Single cells as panels: which of a sweep's cells there are, and how they are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from phasegrok.errors import Refusal
from phasegrok.figures.layout import format_values, words

__all__ = ["LINES", "MOST_CELLS", "OneCell", "closeup", "draw_line", "one_by_one"]

# A sweep of more cells is looked at as a diagram: a sheet of their curves could not be read.
MOST_CELLS: Final = 12

# One colour a quantity in every figure, apart for colour-blind eyes (Okabe and Ito's palette).
LINES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "train_accuracy": ("train", {"color": "#0072b2"}),
    "test_accuracy": ("test", {"color": "#d55e00"}),
    "corrupted_accuracy": ("corrupted, as given", {"color": "#cc79a7", "linestyle": "--"}),
    "restored_accuracy": ("corrupted, true label", {"color": "#8c6d1f", "linestyle": ":"}),
    "clean_accuracy": ("train, uncorrupted", {"color": "#009e73", "linestyle": "-."}),
    "true_accuracy": ("all, true labels", {"color": "#000000", "linestyle": ":"}),
    "mean_ipr": ("mean IPR", {"color": "#000000", "linestyle": ":"}),
    "train_loss": ("train", {"color": "#0072b2"}),
    "test_loss": ("test", {"color": "#d55e00"}),
}


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
        same = np.ones(len(table), dtype=bool)
        for name, value in self.values.items():
            column = table[name]
            there = column.isna() if pd.isna(value) else (column == value).fillna(False)
            same &= np.asarray(there, dtype=bool)
        return table[same]


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


def draw_line(axes: Axes, table: pd.DataFrame, x: str, y: str, style: dict[str, Any]) -> Artist:
    """Mean over seeds of one column against another, with a band from lowest to highest."""
    seeds = table.pivot_table(index=x, columns="seed", values=y, sort=True)
    (line,) = axes.plot(seeds.index, seeds.mean(axis=1), linewidth=1.2, **style)
    if seeds.shape[1] > 1:
        axes.fill_between(
            seeds.index,
            seeds.min(axis=1),
            seeds.max(axis=1),
            color=style["color"],
            alpha=0.18,
            linewidth=0,
        )
    return line
