"""Claims on few neurons, on shares made for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phasegrok.reproduction.base import Results
from phasegrok.reproduction.parity import neurons
from tests.reproduction.parity.made import held, results

SEEDS = 100


def cell(number: int, **columns: float | str) -> pd.DataFrame:
    """Seeds of one cell, so many of which learn the parity."""
    learned = np.arange(SEEDS) < number
    accuracy = np.where(learned, 1.0, 0.6)
    steps = pd.Series(np.where(learned, 100, -1), dtype="Int64").mask(~learned)
    return pd.DataFrame(
        {
            "seed": range(SEEDS),
            "test_accuracy": accuracy,
            "peak_test_accuracy": accuracy,
            "generalization_step": steps,
            **columns,
        }
    )


def widths(tmp_path: Path, numbers: dict[int, int], bits: int) -> Results:
    cells = [cell(n, width=w, l1=l1) for w, n in numbers.items() for l1 in (0.0, 0.001)]
    return results(tmp_path, pd.concat(cells), {"parity_bits": bits})


def test_more_neurons_more_often(tmp_path: Path) -> None:
    """A share that grows with the width does so by more than chance. One that is the same from two
    neurons on does not from there on. One neuron that learns refutes the minimum."""
    grows = list(neurons.few(widths(tmp_path / "a", {1: 0, 2: 30, 4: 60, 8: 90}, 2)))
    assert held(grows, "more neurons").held and held(grows, "minimum").held
    assert held(grows, "two neurons can").held
    flat = list(neurons.few(widths(tmp_path / "b", {1: 0, 2: 50, 4: 50, 8: 50}, 2)))
    assert dict(held(flat, "more neurons").also)["from 2 neurons on"] is False
    (minimum,) = (
        claim
        for claim in neurons.few(widths(tmp_path / "c", {1: 1, 2: 1, 4: 1}, 2))
        if "minimum" in claim.text
    )
    assert minimum.held is False


def test_three_bits(tmp_path: Path) -> None:
    """Five neurons that learn it, and none."""
    some = list(neurons.few(widths(tmp_path / "a", {4: 2, 5: 6, 6: 10, 16: 30}, 3)))
    assert held(some, "five neurons").held and held(some, "six neurons").held
    (five,) = (
        claim
        for claim in neurons.few(widths(tmp_path / "b", {4: 2, 5: 0, 6: 10, 16: 30}, 3))
        if "five neurons" in claim.text
    )
    assert five.held is False


@pytest.mark.parametrize(
    ("numbers", "helps", "share"),
    [((5, 8, 40, 0), True, True), ((5, 6, 8, 0), False, True), ((40, 5, 2, 0), False, False)],
)
def test_l1(tmp_path: Path, numbers: tuple[int, ...], helps: bool, share: bool) -> None:
    """A share of 0.40 against 0.05 is no chance, one of 0.08 may be."""
    cells = [
        cell(number, l1=strength, variant=variant)
        for variant in ("two", "five")
        for strength, number in zip((0.0, 0.0003, 0.001, 0.003), numbers, strict=True)
    ]
    for claim in neurons.l1(results(tmp_path, pd.concat(cells))):
        assert claim.held is helps and bool(claim.why) is not helps
        assert dict(claim.also)["a larger share alone"] is share
