"""The axes that a page spreads out, shared by one sweep or two, and where every cell lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phasegrok.analysis.inferred import VARIANT
from phasegrok.analysis.plane import ALPHA, XI, across_and_up, is_number
from phasegrok.explore.command import set_of
from phasegrok.figures.layout import SYMBOLS, format_values, words

__all__ = ["Spread"]

DIGITS: Final = 12  # axis values are decimal numbers, rounded to as many


class Spread:
    """Every axis with all of its values, over all folders.

    Attributes:
        names: the swept columns.
        values: of each, numbers ascending, texts in the tables' order; a None is last.
    """

    def __init__(self, names: Sequence[str], tables: Sequence[pd.DataFrame]) -> None:
        self.names = list(names)
        both = pd.concat([table[self.names] for table in tables], ignore_index=True)
        self._numbers = {name: is_number(both[name]) for name in self.names}
        self.values = {name: _values(both[name], self._numbers[name]) for name in self.names}
        self._across, self._up = across_and_up(both, self.names)

    def places(self, cells: pd.DataFrame) -> NDArray[np.uint16]:
        """(axes, cells) the place of every cell's value on every axis."""
        found = np.zeros((len(self.names), len(cells)), "<u2")
        for row, name in enumerate(self.names):
            place = {_key(value): i for i, value in enumerate(self.values[name])}
            found[row] = [place[_key(value)] for value in cells[name]]
        return found

    def described(self, sweeps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What a page is told of the axes."""
        return [
            {
                "column": name,
                "name": words(name),
                "symbol": SYMBOLS.get(name, ""),
                "texts": format_values(self.values[name]),
                "numbers": [float(v) for v in self.values[name] if v is not None]
                if self._numbers[name]
                else None,
                "sets": [set_of(name, self.values[name], sweep) for sweep in sweeps],
            }
            for name in self.names
        ]

    @property
    def first(self) -> dict[str, str | None]:
        """What runs across and up until somebody chooses otherwise."""
        x, y = self._across, self._up
        free = [name for name in self.names if name not in (x, y) and len(self.values[name]) > 1]
        free.sort(key=lambda name: name != VARIANT)
        if y is None and free:
            y = free.pop(0)
        if x is None and free:
            x = free.pop(0)
        return {"x": x, "y": y}


def _values(column: pd.Series[Any], numbers: bool) -> list[Any]:
    present = {_key(value): value for value in column.dropna().tolist()}
    values = [present[key] for key in (sorted(present) if numbers else present)]
    return [*values, None] if column.isna().any() else values


def _key(value: Any) -> Any:
    """Equal for values that are the same decimal number."""
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA:
        return None
    if isinstance(value, str | bool | np.bool_):
        return value
    return round(float(value), DIGITS)


if ALPHA not in SYMBOLS or XI not in SYMBOLS:
    raise AssertionError("the two fractions are written as the paper writes them")
