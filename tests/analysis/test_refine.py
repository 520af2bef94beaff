"""Refinement: which cells are trained, what the others are said to be, and what can be missed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phasegrok.analysis.refine import UNKNOWN, refine, stops

Shape = tuple[int, int]


def complete(
    truth: np.ndarray, levels: int, unsure: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Train what is asked for until nothing is: labels, what was inferred, and cells by round."""
    trained = np.full(truth.shape, UNKNOWN)
    doubt = np.zeros(truth.shape, bool) if unsure is None else unsure
    rounds = []
    while True:
        found = refine(trained, doubt & (trained != UNKNOWN), levels)
        assert not (found.needed & (trained != UNKNOWN)).any()
        if not found.needed.any():
            return found.labels, found.inferred, rounds
        rounds.append(int(found.needed.sum()))
        trained[found.needed] = truth[found.needed]


def plane(shape: Shape, label: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    return label(y, x).astype(np.int64)


def test_stops_are_nested_and_hold_both_ends() -> None:
    assert list(stops(17, 2)) == [0, 4, 8, 12, 16]
    assert list(stops(19, 2)) == [0, 4, 8, 12, 16, 18]  # 18 is no multiple of 4
    for level in range(4):
        assert set(stops(19, level + 1)) <= set(stops(19, level))


def test_one_phase_needs_the_coarsest_grid_only() -> None:
    labels, inferred, rounds = complete(np.zeros((17, 19), np.int64), 2)
    assert rounds == [30] and (labels == 0).all() and inferred.sum() == 17 * 19 - 30


def test_boundaries_as_in_figure_3_are_found_exactly() -> None:
    """Three phases with curved boundaries on the paper's grid: every label, with less than half of
    the trainings."""
    truth = plane((19, 17), lambda y, x: (y < 0.9 * x - 0.2).astype(int) + (y < 0.6 * x**2 - 0.2))
    labels, inferred, rounds = complete(truth, 2)
    assert (labels == truth).all() and len(np.unique(truth)) == 3
    assert sum(rounds) == (~inferred).sum() < 0.5 * truth.size


def test_an_island_that_a_level_has_seen_is_followed_to_its_edge() -> None:
    """One coarse cell in it is enough; an island between the coarse cells can be missed."""
    truth = np.zeros((17, 17), np.int64)
    truth[6:11, 6:11] = 1  # the coarse cell (8, 8) is inside
    labels, _, rounds = complete(truth, 2)
    assert (labels == truth).all() and sum(rounds) < 0.6 * truth.size
    small = np.zeros((17, 17), np.int64)
    small[9:11, 9:11] = 1
    labels, _, _ = complete(small, 2)
    assert (labels == 0).all()


def test_a_contradicted_cell_is_trained() -> None:
    """A tongue that reaches between coarse cells is followed along the trained cells beside it."""
    truth = np.zeros((17, 17), np.int64)
    truth[8, 4:] = 1
    truth[9, 9:12] = 1  # beside row 8, between coarse rows
    labels, _, _ = complete(truth, 2)
    assert (labels == truth).all()


def test_seeds_that_disagree_are_looked_at_closely() -> None:
    """The cells around one of them are trained, though all labels are the same."""
    truth, unsure = np.zeros((9, 9), np.int64), np.zeros((9, 9), bool)
    unsure[4, 4] = True
    _, inferred, _ = complete(truth, 2, unsure)
    assert not inferred[2:7:2, 2:7:2].any() and inferred[0, 1]


def test_level_0_trains_everything() -> None:
    _, inferred, rounds = complete(plane((5, 4), lambda y, x: y > x), 0)
    assert rounds == [20] and not inferred.any()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(2, 14),
    st.integers(1, 14),
    st.integers(0, 3),
    st.integers(0, 2**32 - 1),
)
def test_trained_cells_keep_their_labels_and_every_cell_gets_one(
    height: int, width: int, levels: int, seed: int
) -> None:
    """On any labels at all: it ends, and nothing that was trained is overwritten."""
    truth = np.random.default_rng(seed).integers(0, 3, (height, width))
    labels, inferred, _ = complete(truth, levels)
    assert (labels != UNKNOWN).all() and (labels == truth)[~inferred].all()


@pytest.mark.parametrize("levels", [1, 2])
def test_half_planes_are_exact_at_any_slope(levels: int) -> None:
    for slope in np.linspace(-3, 3, 13):
        truth = plane((17, 17), lambda y, x, slope=slope: y > 0.5 + slope * (x - 0.5))
        labels, _, _ = complete(truth, levels)
        assert (labels == truth).mean() >= 0.99
