"""Cells counted and compared."""

from __future__ import annotations

import pandas as pd

from phasegrok.reproduction.variants.cells import by_seed, every_seed, over_seeds, same_cells


def table(seeds: list[int], test: float) -> pd.DataFrame:
    return pd.DataFrame(
        [(0.1 + 0.2, 0.15, 5.0, seed, test) for seed in seeds],
        columns=["data_fraction", "corruption_fraction", "weight_decay", "seed", "test_accuracy"],
    )


def test_cells_are_compared_seed_by_seed() -> None:
    """A seed that only one of the tables has is left out. 0.1 + 0.2 is 0.3."""
    other = table([0, 7], 0.5).assign(data_fraction=0.3)
    both = same_cells(table([0, 1, 2], 0.9), other, "weight_decay")
    assert both[["seed", "test_accuracy", "test_accuracy_other"]].to_numpy().tolist() == [
        [0, 0.9, 0.5]
    ]


def test_counts_by_seed_in_words() -> None:
    runs = pd.DataFrame({"decay": [0.0, 0.0, 5.0, 5.0], "seed": [0, 1, 0, 1]})
    counts = every_seed(pd.Series([True, False, True, True]), runs, "decay")
    assert by_seed(counts) == "0: 1 / 0, 5: 1 / 1"


def test_one_seed_has_no_spread() -> None:
    assert over_seeds([0.5]) == "0.500" and over_seeds([1, 2, 3], 1) == "2.0 ± 1.0"
