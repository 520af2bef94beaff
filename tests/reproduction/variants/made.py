"""Diagrams made for either verdict of a claim."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from phasegrok.reproduction.base import Claim, Results

FRACTIONS, CORRUPTION, SEEDS = (0.3, 0.5, 0.7, 0.9), (0.0, 0.15, 0.3, 0.45), (0, 1, 2)
Cell = Callable[[float, float, float], str]
# Train, test, peak test accuracy and the subphase of a run of each name.
RUNS: Mapping[str, tuple[float, float, float, str]] = {
    "C": (1.0, 1.0, 1.0, "Coexistence"),
    "I": (0.7, 1.0, 1.0, "Full Inversion"),
    "P": (0.85, 1.0, 1.0, "Partial Inversion"),
    "M": (1.0, 0.1, 0.1, "Memorization"),
    "F": (0.1, 0.1, 1.0, "Forgetting"),
    "X": (0.5, 0.1, 0.1, "Confusion"),
}


def diagram(cell: Cell, values: tuple[float, ...], name: str = "weight_decay") -> Results:
    table: list[dict[str, Any]] = []
    for value, alpha, xi, seed in product(values, FRACTIONS, CORRUPTION, SEEDS):
        train, test, peak, label = RUNS[cell(value, alpha, xi)]
        table.append(
            {
                name: value,
                "data_fraction": alpha,
                "corruption_fraction": xi,
                "seed": seed,
                "train_accuracy": train,
                "test_accuracy": test,
                "peak_test_accuracy": peak,
                "settled_test_accuracy": test,
                "subphase": label,
                "direct_phase": label,
                "phase": "Inversion" if label.endswith("Inversion") else label,
                "mean_ipr": 0.1 * list(RUNS).index(cell(value, alpha, xi)),
                "learning_rate": 0.01,
                "dead_neurons": 0,
            }
        )
    results = Results(Path("nowhere"))
    results["runs"] = pd.DataFrame(table)
    return results


def verdicts(claims: Iterator[Claim]) -> list[bool | None]:
    found = list(claims)
    assert all(bool(claim.why) == (claim.held is not True) and claim.rule for claim in found)
    return [claim.held for claim in found]


def square(decay: float, alpha: float, xi: float) -> str:
    """Generalizes where alpha - xi is large enough, inverts at 5 and 15, forgets at 20."""
    if alpha - xi < 0.35:
        return "M"
    return {0: "C", 5: "I", 15: "I", 20: "F"}[int(decay)]


DECAYS = (0.0, 5.0, 15.0, 20.0)
SMALL = diagram(square, DECAYS)
