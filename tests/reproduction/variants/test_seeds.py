"""What holds in how many seeds, on tables made by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from phasegrok.reproduction.variants.seeds import (
    best,
    falls,
    in_seeds,
    labels,
    of,
    random_ipr,
    rises,
    seed_means,
    settled,
    spreads,
)

# Two cells, two seeds, two decays: seed 1 rises by more.
RUNS = pd.DataFrame(
    {
        "weight_decay": [0.0, 0.0, 0.0, 0.0, 5.0, 5.0, 5.0, 5.0],
        "data_fraction": [0.5, 0.6] * 4,
        "seed": [0, 0, 1, 1] * 2,
        "test_accuracy": [0.1, 0.3, 0.2, 0.2, 0.4, 0.4, 0.7, 0.9],
    }
)


def test_means_are_over_cells_and_spreads_over_seeds() -> None:
    table = seed_means(RUNS, "weight_decay", "test_accuracy")
    assert table.loc[0].tolist() == pytest.approx([0.2, 0.4])
    assert table.loc[1].tolist() == pytest.approx([0.2, 0.8])
    assert spreads(table, 2) == "0: 0.20 ± 0.00, 5: 0.60 ± 0.28"


def test_the_best_of_a_part_of_an_axis() -> None:
    """The means over cells, not single cells, and bounds as in (above, up_to]."""
    everything = best(RUNS, "weight_decay", "test_accuracy")
    assert everything.tolist() == pytest.approx([0.4, 0.8])
    assert best(RUNS, "weight_decay", "test_accuracy", up_to=0).tolist() == pytest.approx([0.2] * 2)
    above = best(RUNS, "weight_decay", "test_accuracy", above=0)
    assert above.tolist() == pytest.approx([0.4, 0.8])


@pytest.mark.parametrize(
    ("numbers", "up", "down"),
    [
        ([0.1, 0.5, 0.9], True, False),
        ([0.1, 0.9, 0.895], True, False),  # within a hundredth
        ([0.1, 0.9, 0.8], False, False),
        ([0.9, 0.905, 0.895], False, False),  # nothing happens
        ([0.9, 0.9, 0.1], False, True),
    ],
)
def test_a_row_rises_or_falls(numbers: list[float], up: bool, down: bool) -> None:
    table = pd.DataFrame([numbers], columns=[0.0, 5.0, 10.0])
    assert rises(table).tolist() == [up] and falls(table).tolist() == [down]


def test_verdicts_over_seeds() -> None:
    for held, verdict in (
        ([1, 1, 1], True),
        ([1, 1, 0], None),
        ([1, 0, 0], False),
        ([1, 0], False),
    ):
        assert in_seeds(pd.Series(held, dtype=bool)) is verdict
    assert of(pd.Series([True, False, True])) == "2 of 3"


def test_labels_are_counted_by_value() -> None:
    runs = pd.DataFrame({"dropout": [0.0, 0.0, 0.1], "subphase": ["A", "A", "B"]})
    assert labels(runs, "dropout") == "0: A 2, 0.1: B 1"


def test_settled_values_stand_in_where_they_are_there() -> None:
    """Tables of earlier versions have none: nothing is made up for them."""
    assert settled(RUNS) is None
    steady = settled(RUNS.assign(settled_test_accuracy=0.5))
    assert steady is not None and set(steady["test_accuracy"]) == {0.5}


def test_initial_weights_are_those_of_step_0() -> None:
    curves = pd.DataFrame({"step": [0, 10, 0, 10], "mean_ipr": [0.1, 0.9, 0.3, 0.9]})
    assert random_ipr(curves) == pytest.approx(0.2)
