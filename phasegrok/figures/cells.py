"""Single cells as panels: which of a sweep's cells there are, and how they are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from phasegrok.figures.layout import format_values, words

__all__ = ["LINES", "MOST_CELLS", "OneCell", "draw_line", "one_by_one"]

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
            same &= np.asarray(column.isna() if pd.isna(value) else column == value, dtype=bool)
        return table[same]


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
            seeds.index, seeds.min(axis=1), seeds.max(axis=1), color=style["color"], alpha=0.18,
            linewidth=0,
        )  # fmt: skip
    return line
