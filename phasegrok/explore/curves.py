"""Training curves and labels over time, as few bytes as a screen needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phasegrok.analysis.phases import DIVERGED, LABELS, SUBPHASES
from phasegrok.explore.blob import Blob, quantized
from phasegrok.explore.folder import Shown

__all__ = ["NAMES", "Curves", "codes"]

# A label travels as its place in this list.
NAMES: Final = (*SUBPHASES, DIVERGED, "Inversion")
NO_LABEL: Final = 255

ACCURACIES: Final = ("train_accuracy", "test_accuracy", "corrupted_accuracy")
KEYS: Final = ("run", "seed", "step")

Scale = Literal["unit", "log", "linear"]
Floats = NDArray[np.float64]


def codes(labels: pd.Series[Any]) -> NDArray[np.uint8]:
    """Labels as their places in :data:`NAMES`."""
    found = labels.map({name: place for place, name in enumerate(NAMES)})
    return np.asarray(found.fillna(NO_LABEL), np.uint8)


@dataclass(frozen=True)
class _Group:
    """Runs that were logged at the same steps."""

    steps: NDArray[np.int64]  # (points,)
    runs: NDArray[np.int64]  # places in the table of runs
    rows: NDArray[np.int64]  # (runs, points) places in the table of curves


class Curves:
    """The curves of a folder, by cell."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        table = shown.context.tables["curves"] if shown.context.has("curves", *KEYS) else None
        self._table = table
        self.groups = [] if table is None else _groups(shown.runs, table)
        claimed = np.full(len(shown.cells), -1)
        cell = shown.runs["cell"].to_numpy(np.int64)
        for number, group in enumerate(self.groups):
            # The runs of a cell differ in their seed alone. In tables that were put together by
            # hand they may not; then those that were logged like the first are shown.
            mine = claimed[cell[group.runs]]
            claimed[cell[group.runs]] = np.where(mine < 0, number, mine)
            kept = claimed[cell[group.runs]] == number
            self.groups[number] = _Group(group.steps, group.runs[kept], group.rows[kept])

    @cached_property
    def columns(self) -> list[str]:
        """What can be drawn, the main ones first."""
        if self._table is None:
            return []
        return self._shown.numbers(self._table.drop(columns=["step"]))

    @property
    def longest(self) -> int:
        """Points of the longest curve."""
        return max((len(group.steps) for group in self.groups), default=0)

    def pack(self, columns: list[str], most: int, seeds: bool) -> tuple[Blob, dict[str, Any]]:
        """Curves and labels as arrays, and what a page needs to read them.

        Args:
            columns: which are packed.
            most: points that a curve may have; the first and the last are kept.
            seeds: whether every seed has its curve, or a cell has only mean, lowest and highest.
        """
        blob, grids = Blob(), []
        for number, group in enumerate(self.groups):
            kept = chosen(len(group.steps), most)
            blob.add(f"steps.{number}", group.steps[kept].astype("<u4"))
            grids.append(len(kept))
        blob.add("grid", self._grid_of_cells())
        if seeds:
            blob.add("grid of runs", self._grid_of_runs())
        for name in columns:
            self._pack_column(blob, name, most, seeds)
        about: dict[str, Any] = {
            "grids": grids,
            "columns": {name: scale_of(name) for name in columns},
            "seeds": seeds,
            "labels": self._pack_labels(blob, most),
        }
        return blob, about

    def _grid_of_runs(self) -> NDArray[np.uint16]:
        grid = np.full(len(self._shown.runs), 0xFFFF, "<u2")
        for number, group in enumerate(self.groups):
            grid[group.runs] = number
        return grid

    def _grid_of_cells(self) -> NDArray[np.uint16]:
        """The group of every cell's runs, which differ in nothing but the seed."""
        grid = np.full(len(self._shown.cells), 0xFFFF, "<u2")
        cell = self._shown.runs["cell"].to_numpy(np.int64)
        for number, group in enumerate(self.groups):
            grid[cell[group.runs]] = number
        return grid

    def _pack_column(self, blob: Blob, name: str, most: int, seeds: bool) -> None:
        assert self._table is not None
        cell = self._shown.runs["cell"].to_numpy(np.int64)
        count = len(self._shown.cells)
        bounds = np.full((2, count), np.nan)
        values = np.asarray(self._table[name].to_numpy(np.float64, na_value=np.nan), np.float64)
        scale = scale_of(name)
        if scale == "log":
            values = np.log(np.where(values > 0, values, np.nan))
        values = np.where(np.isfinite(values), values, np.nan)
        for number, group in enumerate(self.groups):
            kept = chosen(len(group.steps), most)
            curves, of = values[group.rows[:, kept]], cell[group.runs]
            low, high = _bounds(curves, of, count) if scale != "unit" else (0.0, 1.0)
            if scale != "unit":
                mine = np.unique(of)
                bounds[:, mine] = low[mine], high[mine]  # type: ignore[index]
                low, high = low[of, None], high[of, None]  # type: ignore[index]
            if seeds:
                blob.add(f"{name}.{number}", quantized(curves, low, high), delta=True)
                continue
            for part, summary in _summaries(curves, of, scale).items():
                every = np.unique(of)
                between = (0.0, 1.0) if scale == "unit" else bounds[:, every, None]
                packed = quantized(summary, between[0], between[1])
                blob.add(f"{name}.{part}.{number}", packed, delta=True)
        if scale != "unit":
            blob.add(f"{name}.bounds", bounds.astype("<f4"))

    def _pack_labels(self, blob: Blob, most: int) -> bool:
        """Labels at the same points, and whether there are any."""
        labels = self._shown.labels
        if labels is None or not self.groups:
            return False
        grid = self._grid_of_cells()
        labels = labels.sort_values(["cell", "step"], kind="stable")
        cell = labels["cell"].to_numpy(np.int64)
        for number, group in enumerate(self.groups):
            mine = grid[cell] == number
            points = len(group.steps)
            if mine.sum() != points * (grid == number).sum():
                return False
            kept = chosen(points, most)
            for name in LABELS:
                table = codes(labels[name][mine]).reshape(-1, points)
                blob.add(f"label {name}.{number}", table[:, kept], delta=True)
        return True


def scale_of(name: str) -> Scale:
    """How a column is quantized: shares between 0 and 1, the others over each cell's own range."""
    if name.endswith("_accuracy"):
        return "unit"
    return "log" if name.endswith("_loss") else "linear"


def chosen(points: int, most: int) -> NDArray[np.int64]:
    """Which of some points are kept: evenly spaced, the first and the last among them."""
    if points <= most:
        return np.arange(points)
    return np.unique(np.rint(np.linspace(0, points - 1, most)).astype(np.int64))


def _groups(runs: pd.DataFrame, curves: pd.DataFrame) -> list[_Group]:
    """The runs by the steps at which they were logged."""
    place = pd.Series(np.arange(len(runs)), index=runs["run"].to_numpy())
    of = curves["run"].map(place[~place.index.duplicated()])
    step = curves["step"].to_numpy(np.int64)
    number = of.fillna(-1).to_numpy(np.int64)
    order = np.lexsort((step, number))
    order = order[number[order] >= 0]
    ids, starts, counts = np.unique(number[order], return_index=True, return_counts=True)
    by_steps: dict[bytes, tuple[list[int], list[NDArray[np.int64]]]] = {}
    for run, start, count in zip(ids, starts, counts, strict=True):
        rows = order[start : start + count]
        found = by_steps.setdefault(step[rows].tobytes(), ([], []))
        found[0].append(int(run))
        found[1].append(rows)
    return [
        _Group(step[rows[0]], np.asarray(members, np.int64), np.stack(rows))
        for members, rows in by_steps.values()
    ]


def _bounds(curves: Floats, of: NDArray[np.int64], count: int) -> tuple[Floats, Floats]:
    """The lowest and highest value of every cell, NaN where it has none."""
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, of, np.where(np.isnan(curves), np.inf, curves).min(axis=1))
    np.maximum.at(high, of, np.where(np.isnan(curves), -np.inf, curves).max(axis=1))
    none = ~np.isfinite(low)
    low[none] = high[none] = np.nan
    return low, high


def _summaries(curves: Floats, of: NDArray[np.int64], scale: Scale) -> dict[str, Floats]:
    """Mean, lowest and highest over the runs of every cell that is there, in their order."""
    every, inverse = np.unique(of, return_inverse=True)
    shape = (len(every), curves.shape[1])
    known = ~np.isnan(curves)
    plain = np.where(known, np.exp(curves) if scale == "log" else curves, 0.0)
    total, number = np.zeros(shape), np.zeros(shape)
    np.add.at(total, inverse, plain)
    np.add.at(number, inverse, known)
    low, high = np.full(shape, np.inf), np.full(shape, -np.inf)
    np.minimum.at(low, inverse, np.where(known, curves, np.inf))
    np.maximum.at(high, inverse, np.where(known, curves, -np.inf))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / number
        mean = np.log(mean) if scale == "log" else mean
    return {"mean": mean, "low": low, "high": high}
