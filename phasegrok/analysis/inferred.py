"""The cells of a refined sweep: those that were trained, those inferred, and those to train."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phasegrok.analysis.at import rows_at
from phasegrok.analysis.phases import DIVERGED, LABELS, SUBPHASES
from phasegrok.analysis.refine import UNKNOWN, Refined, refine
from phasegrok.config import column

__all__ = ["INFERRED", "Grid", "grid_of", "replayed", "with_inferred"]

INFERRED: Final = "inferred"
VARIANTS: Final = "variants"  # the block, and the column that it makes
VARIANT: Final = "variant"
NAMES: Final = (*SUBPHASES, DIVERGED)


class Grid(NamedTuple):
    """What is refined, and how.

    Attributes:
        values: of every swept column, in order; those of the two axes ascending.
        across, up: columns of the two axes.
        levels: K of :func:`~phasegrok.analysis.refine.refine`.
        label: in which neighbours may not differ.
    """

    values: Mapping[str, Sequence[Any]]
    across: str
    up: str
    levels: int
    label: str

    @property
    def others(self) -> list[str]:
        """The columns that tell slices apart."""
        return [name for name in self.values if name not in (self.across, self.up)]


def grid_of(sweep: Mapping[str, Any]) -> Grid | None:
    """What a resolved sweep refines; None if it trains every cell."""
    block = sweep.get("refine") or {}
    if not block.get("levels"):
        return None
    values = {VARIANT: list(sweep[VARIANTS])} if sweep.get(VARIANTS) else {}
    for path, axis in sweep["axes"].items():
        values[column(path)] = [_typed(value) for value in axis]
    across, up = map(column, block["axes"])
    return Grid(values, across, up, block["levels"], block["label"])


def _typed(value: Any) -> Any:
    """A value as tables have it: numbers are float64."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number else value


def with_inferred(cells: pd.DataFrame, grid: Grid) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Complete the cells of a refined sweep.

    Args:
        cells: from :func:`~phasegrok.analysis.phases.label_cells`, of what was trained by now.
        grid: what is refined.

    Returns:
        The cells with those inferred, which have labels and no metrics, and a column
        :data:`INFERRED`; and the swept values of the cells to train next, none if it is complete.
    """
    found, needed = [cells.assign(**{INFERRED: False})], []
    for place, rows in _slices(cells, grid):
        trained, unsure, where = _grids(rows, grid)
        refined = refine(trained, unsure, grid.levels)
        needed.append(_at(place, refined.needed, grid))
        if refined.inferred.any():
            found.append(_inferred(place, refined, trained, where, cells, grid))
    every = pd.concat(found, ignore_index=True) if len(found) > 1 else found[0]
    return every.astype({INFERRED: bool}), pd.concat(needed, ignore_index=True)


def replayed(cells: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """What refinement would have said of a sweep whose cells were all trained.

    Args:
        cells: every cell of the grid, labelled.
        grid: what is refined.

    Returns:
        The cells of :func:`with_inferred` at the end, had only those been trained that it asks for.
    """
    columns = list(grid.values)
    trained = cells.iloc[:0]
    while True:
        found, needed = with_inferred(trained, grid)
        if needed.empty:
            return found
        more = needed.merge(cells, on=columns, how="left", validate="one_to_one")
        trained = pd.concat([trained, more[cells.columns]], ignore_index=True)


def _slices(cells: pd.DataFrame, grid: Grid) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """The swept values of every slice, and its cells."""
    for values in product(*(grid.values[name] for name in grid.others)):
        place = dict(zip(grid.others, values, strict=True))
        yield place, rows_at(cells, place)


def _grids(
    rows: pd.DataFrame, grid: Grid
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """[y, x]: labels as numbers, whether seeds disagree, and where in the table a cell stands."""
    shape = (len(grid.values[grid.up]), len(grid.values[grid.across]))
    trained, where = np.full(shape, UNKNOWN), np.full(shape, UNKNOWN)
    unsure = np.zeros(shape, dtype=bool)
    y = pd.Index(grid.values[grid.up]).get_indexer(pd.Index(rows[grid.up]))
    x = pd.Index(grid.values[grid.across]).get_indexer(pd.Index(rows[grid.across]))
    trained[y, x] = [NAMES.index(name) for name in rows[grid.label]]
    unsure[y, x] = rows["seed_agreement"].to_numpy(np.float64) < 1
    where[y, x] = rows.index.to_numpy()
    return trained, unsure, where


def _at(place: Mapping[str, Any], chosen: NDArray[np.bool_], grid: Grid) -> pd.DataFrame:
    """The swept values of some cells of a slice, in the sweep's order of columns."""
    up, across = np.nonzero(chosen)
    columns: dict[str, Any] = {name: [value] * len(up) for name, value in place.items()}
    columns[grid.across] = np.asarray(grid.values[grid.across])[across]
    columns[grid.up] = np.asarray(grid.values[grid.up])[up]
    return pd.DataFrame({name: columns[name] for name in grid.values})


def _inferred(
    place: Mapping[str, Any],
    refined: Refined,
    trained: NDArray[np.int64],
    where: NDArray[np.int64],
    cells: pd.DataFrame,
    grid: Grid,
) -> pd.DataFrame:
    """Rows of inferred cells: labels, and what all cells share, of the nearest trained cell that
    has the same label."""
    sources = []
    for y, x in np.argwhere(refined.inferred):
        alike = np.argwhere(trained == refined.labels[y, x])
        nearest = alike[np.abs(alike - [y, x]).sum(axis=1).argmin()]
        sources.append(where[tuple(nearest)])
    rows = _at(place, refined.inferred, grid)
    shared = [name for name in ("data_fraction", "corruption_fraction") if name not in grid.values]
    kept = [name for name in (*shared, *LABELS) if name in cells]
    rows[kept] = cells.loc[sources, kept].to_numpy()
    rows["seeds"] = 0
    rows["diverged"] = 0
    rows[INFERRED] = True
    return rows.reindex(columns=[*cells.columns, INFERRED]).astype(
        {name: cells[name].dtype for name in kept}
    )
