"""Which cells of a diagram have to be trained, when phases differ only along a few curves.

Training begins on every 2^K-th value of two axes. Level by level the grid gets twice as fine. A new
cell is trained where the coarser cells around it have different labels, or seeds that disagree.
Elsewhere it is inferred: it gets the label that they share. A cell that was inferred is trained
after all as soon as one of its eight neighbours was trained and has another label.

An island that lies between the coarsest cells, smaller than their spacing, can be missed. What a
level has seen is followed to its edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

__all__ = ["UNKNOWN", "Refined", "refine", "stops"]

UNKNOWN = -1

_Labels = NDArray[np.int64]
_Mask = NDArray[np.bool_]
_NEIGHBOURS = [shift for shift in product((-1, 0, 1), repeat=2) if shift != (0, 0)]


@dataclass(frozen=True)
class Refined:
    """What is known of a slice.

    Attributes:
        labels: of trained and inferred cells; :data:`UNKNOWN` elsewhere.
        inferred: cells that have a label without training.
        needed: cells to train next; where there are none, every cell has a label.
    """

    labels: _Labels
    inferred: _Mask
    needed: _Mask


def stops(count: int, level: int) -> NDArray[np.int64]:
    """The positions of an axis that a level looks at: every 2^level-th, and the last."""
    return np.union1d(np.arange(0, count, 2**level), [count - 1])


def refine(trained: _Labels, unsure: _Mask, levels: int) -> Refined:
    """The next cells of a slice to train.

    Args:
        trained: [y, x] labels of the cells that are trained, :data:`UNKNOWN` elsewhere.
        unsure: [y, x] trained cells whose seeds disagree.
        levels: K; 0 trains everything.
    """
    labels = trained.copy()
    for level in range(levels, -1, -1):
        rows, columns = (stops(count, level) for count in trained.shape)
        if level == levels:
            coarse = np.zeros(trained.shape, dtype=bool)
            coarse[np.ix_(rows, columns)] = True
            needed = coarse & (trained == UNKNOWN)
        else:
            needed = _infer(labels, unsure, rows, columns, level)
        if not needed.any() and level < levels:
            needed = _contradicted(labels, trained, rows, columns)
        if needed.any():
            return Refined(labels, (labels != UNKNOWN) & (trained == UNKNOWN), needed)
    return Refined(labels, trained == UNKNOWN, np.zeros(trained.shape, dtype=bool))


def _infer(
    labels: _Labels, unsure: _Mask, rows: NDArray[np.int64], columns: NDArray[np.int64], level: int
) -> _Mask:
    """Give labels to a level's new cells where those around them agree; the others are needed."""
    above = [_around(count, level + 1) for count in labels.shape]
    needed = np.zeros(labels.shape, dtype=bool)
    known = labels.copy()
    for y, x in product(rows.tolist(), columns.tolist()):
        if labels[y, x] != UNKNOWN:
            continue
        corners = [(j, i) for j in above[0][y] for i in above[1][x]]
        around = {int(known[corner]) for corner in corners}
        if len(around) == 1 and not any(unsure[corner] for corner in corners):
            labels[y, x] = around.pop()
        else:
            needed[y, x] = True
    return needed


def _around(count: int, level: int) -> list[tuple[int, ...]]:
    """For every position of an axis, the one or two positions of a level around it."""
    there = stops(count, level)
    right = np.searchsorted(there, np.arange(count))
    return [
        (int(there[r]),) if there[r] == i else (int(there[r - 1]), int(there[r]))
        for i, r in enumerate(right.tolist())
    ]


def _contradicted(
    labels: _Labels, trained: _Labels, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> _Mask:
    """Inferred cells of a level with a trained neighbour, also across corners, of another label."""
    at = np.ix_(rows, columns)
    here, sure = labels[at], trained[at]
    padded = np.pad(sure, 1, constant_values=UNKNOWN)
    height, width = here.shape
    wrong = np.zeros(here.shape, dtype=bool)
    for down, right in _NEIGHBOURS:
        neighbour = padded[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        wrong |= (neighbour != UNKNOWN) & (neighbour != here)
    needed = np.zeros(labels.shape, dtype=bool)
    needed[at] = wrong & (sure == UNKNOWN)
    return needed
