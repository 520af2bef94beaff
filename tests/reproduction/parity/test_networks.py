"""Claims on weights and activations, on networks made for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phasegrok.reproduction.base import Results
from phasegrok.reproduction.parity import networks
from tests.reproduction.parity.made import held, results, save

BITS = 12


def test_neighbours_of_ones_kind() -> None:
    """Two groups far apart: all neighbours are of the group; kinds that are spread evenly over both
    have half of them."""
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1], 200)
    points = rng.normal(size=(400, 3)) + 100 * group[:, None]
    assert networks.like_neighbours(points, group) == 1
    assert networks.like_neighbours(points, rng.integers(0, 2, 400)) == pytest.approx(0.5, abs=0.03)


def wide(tmp_path: Path, after: np.ndarray) -> Results:
    """Three seeds: 60 random neurons once memorized, and the neurons ``after`` (width, bits) at the
    end."""
    runs = pd.DataFrame({"run": ["a", "b", "c"], "seed": [0, 1, 2]})
    found = results(tmp_path, runs, {"bits": BITS, "test_examples": 5})
    for seed, run in enumerate(runs["run"]):
        before = np.random.default_rng(seed).normal(size=(BITS, 60))
        save(found, run, 10, before, np.ones(60))
        save(found, run, 500, after.T, np.ones(len(after)))
    return found


def neurons(*patterns: tuple[float, float]) -> np.ndarray:
    """A neuron for each pair of weights of the first two bits, none of the others."""
    each = np.zeros((len(patterns), BITS))
    each[:, :2] = patterns
    return each


def test_clusters(tmp_path: Path) -> None:
    """A neuron a pattern tells all patterns; the two of the network by hand tell those of parity +1
    from each other and from the rest, whose two patterns look alike; other bits tell nothing."""
    four = neurons((1, 1), (-1, -1), (1, -1), (-1, 1))
    assert held(networks.clusters(wide(tmp_path / "four", four)), "clusters").held
    two = held(networks.clusters(wide(tmp_path / "two", four[:2])), "clusters")
    assert two.held is None and "1.000 ± 0.000" in two.measured
    other = np.roll(four, 5, axis=1)
    assert held(networks.clusters(wide(tmp_path / "other", other)), "clusters").held is False


def test_the_hidden_layer_condenses(tmp_path: Path) -> None:
    """Weights of the first two bits alone: ten of twelve are 0. Larger weights everywhere: none."""
    sparse = wide(tmp_path / "sparse", neurons((1, 1)))
    assert held(networks.hidden_sparser(sparse), "hidden layer").held
    dense = wide(tmp_path / "dense", np.full((3, BITS), 2.0))
    assert held(networks.hidden_sparser(dense), "hidden layer").held is False


def pairs(tmp_path: Path, first: float, outputs: list[tuple[float, float]]) -> Results:
    """Networks of two opposite neurons, the first layer's weights of one size; a last one that
    did not learn."""
    count = len(outputs)
    runs = pd.DataFrame(
        {
            "run": [f"r{i}" for i in range(count + 1)],
            "seed": range(count + 1),
            "test_accuracy": [0.99] * count + [0.5],
            "train_loss": [0.5 if a * b > 0 else 0.2 for a, b in outputs] + [1.0],
        }
    )
    found = results(tmp_path, runs)
    for run, w in zip(runs["run"], [*outputs, (9.0, 9.0)], strict=True):
        u = np.zeros((50, 2))
        u[:2] = [[first, -first], [first, -first]]
        save(found, run, 5000, u, w)
    return found


def test_two_neurons(tmp_path: Path) -> None:
    """The thesis' weights, and weights of another size; all networks of its kind, and some."""
    same = list(networks.two_neurons(pairs(tmp_path / "same", 0.62, [(0.85, 0.85)] * 3)))
    assert held(same, "first-layer weights").held and held(same, "mirrors").held
    other = list(networks.two_neurons(pairs(tmp_path / "other", 0.7, [(0.85, 0.85), (1, -1.5)])))
    assert held(other, "first-layer weights").held is False
    mirrors = held(other, "mirrors")
    assert mirrors.held is None and mirrors.measured.startswith("1 of 2 seeds")


@pytest.mark.parametrize(
    ("plain", "with_l1", "near", "zeros"),
    [
        (0.005, 0.0005, True, None),  # near zero, nearer with L1
        (0.005, 0.0, True, True),  # zero itself with L1
        (0.0, 0.005, False, False),  # zero without it
        (0.5, 0.5, False, False),  # not near at all
    ],
)
def test_five_neurons(
    tmp_path: Path, plain: float, with_l1: float, near: bool, zeros: bool | None
) -> None:
    """Only seeds that learn the parity count: the others' weights are large in all cases."""
    runs = pd.DataFrame(
        {
            "run": list("abcd"),
            "seed": [0, 0, 1, 1],
            "l1": [0.0, 0.001] * 2,
            "test_accuracy": [0.95, 0.95, 0.5, 0.5],
        }
    )
    found = results(tmp_path, runs)
    for run, size in zip(runs["run"], (plain, with_l1, 0.5, 0.5), strict=True):
        save(found, run, 100, np.full((50, 5), size), np.ones(5))
    claims = list(networks.five_neurons(found))
    assert held(claims, "do not fully reach it").held is near
    assert dict(held(claims, "do not fully reach it").also)["in seeds that do not"] is False
    assert held(claims, "exact zeros").held is zeros
