"""Two sweeps of the same cells: which labels differ, by how much accuracies do, and how far the
boundaries of generalization moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from phasegrok.errors import Refusal

__all__ = ["ACCURACIES", "Comparison", "compare", "shared_axes", "shifts"]

ACCURACIES: Final = ("train_accuracy", "test_accuracy")
DIGITS: Final = 12  # axis values are decimal numbers, rounded to as many
PLACE: Final = ("along", "at", "below", "above")


@dataclass(frozen=True)
class Comparison:
    """Two tables of cells, side by side.

    Attributes:
        axes: the swept columns by which cells are found in both.
        label: column that is compared.
        cells: one row a cell that is in both: the axes, ``LABEL_a``, ``LABEL_b``, ``same``, and
            ``train_accuracy`` and ``test_accuracy`` as B's minus A's.
        only_a, only_b: how many cells are in one of them alone.
    """

    axes: list[str]
    label: str
    cells: pd.DataFrame
    only_a: int
    only_b: int

    @property
    def differ(self) -> pd.DataFrame:
        """The cells whose labels differ."""
        return self.cells[~self.cells["same"]]


def shared_axes(
    a: pd.DataFrame, b: pd.DataFrame, axes_a: Sequence[str], axes_b: Sequence[str]
) -> list[str]:
    """The axes of two sweeps. One that a sweep does not vary must have one value in the other.

    Raises:
        Refusal: it has more, or no axis is shared.
    """
    for name, cells, other in (
        *((name, a, "the second") for name in axes_a if name not in axes_b),
        *((name, b, "the first") for name in axes_b if name not in axes_a),
    ):
        if (count := cells[name].nunique(dropna=False)) > 1:
            raise Refusal(
                f"{name}: found {count} values in one folder, and no such axis in {other}; allowed:"
                " two sweeps over the same axes"
            )
    return [name for name in axes_a if name in axes_b]


def compare(
    a: pd.DataFrame, b: pd.DataFrame, axes: Sequence[str], label: str = "subphase"
) -> Comparison:
    """Hold the cells of two sweeps against each other.

    Args:
        a, b: tables of labelled cells.
        axes: see :func:`shared_axes`.
        label: ``subphase``, ``phase`` or ``direct_phase``.

    Raises:
        Refusal: they have no cell in common.
    """
    columns = [label, *ACCURACIES]
    left, right = (_by_place(cells, axes)[columns] for cells in (a, b))
    both = left.add_suffix("_a").join(right.add_suffix("_b"), how="inner")
    if both.empty:
        raise Refusal("the two folders have no cell in common; allowed: sweeps that share values")
    cells = both[[f"{label}_a", f"{label}_b"]].copy()
    cells["same"] = both[f"{label}_a"] == both[f"{label}_b"]
    for name in ACCURACIES:
        cells[name] = both[f"{name}_b"] - both[f"{name}_a"]
    found = cells.reset_index() if axes else cells.reset_index(drop=True)
    return Comparison(list(axes), label, found, len(left) - len(both), len(right) - len(both))


def shifts(a: pd.DataFrame, b: pd.DataFrame, axes: Sequence[str]) -> pd.DataFrame:
    """How far boundaries moved from A to B.

    Args:
        a, b: tables of boundaries, see :func:`phasegrok.analysis.boundaries.boundaries`.
        axes: of both sweeps.

    Returns:
        One row for every boundary that both have once at a place: the slice, ``along``, ``at``,
        ``below``, ``above``; ``shift``, B's position minus A's, and ``half_width``, the sum of
        both (the shift lies within it for certain); ``fit_shift``, ``fit_low``, ``fit_high``, of
        the fits over seeds, with a 95 % interval, null where one of them has none.
    """
    slices = [name for name in axes if name in a and name in b]
    keys = [*slices, *PLACE]
    left, right = (_by_place(table[table["position"].notna()], keys) for table in (a, b))
    left, right = (each[~each.index.duplicated(keep=False)] for each in (left, right))
    both = left.add_suffix("_a").join(right.add_suffix("_b"), how="inner")
    moved = pd.DataFrame(index=both.index)
    moved["shift"] = both["position_b"] - both["position_a"]
    moved["half_width"] = both["half_width_a"] + both["half_width_b"]
    a_half, b_half = (
        ((both[f"fit_high_{side}"] - both[f"fit_low_{side}"]) / 2).to_numpy("float64")
        for side in "ab"
    )
    half = np.hypot(a_half, b_half)
    moved["fit_shift"] = both["fit_b"] - both["fit_a"]
    moved["fit_low"], moved["fit_high"] = moved["fit_shift"] - half, moved["fit_shift"] + half
    return moved.reset_index()


def _by_place(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """A table by its keys, which are the same number where they are the same decimal."""
    if not keys:
        return table
    rounded = {name: _rounded(table[name]) for name in keys}
    return table.assign(**rounded).set_index(list(keys))


def _rounded(column: pd.Series[Any]) -> pd.Series[Any]:
    if pd.api.types.is_float_dtype(column):
        return column.round(DIGITS)
    whole = pd.api.types.is_integer_dtype(column)
    return column.astype("float64") if whole else column
