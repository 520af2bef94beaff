"""Claims on losses, activations and widths can be refuted: on diagrams made for either verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.variants import activations, losses, operations, widths

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


def sensitive(decay: float, alpha: float, xi: float) -> str:
    if decay == 0:
        return "M"
    return "X" if decay > 6 else square(5, alpha, xi) if decay > 3 else "M"


def wide_band(decay: float, alpha: float, xi: float) -> str:
    return square(5, alpha, xi) if decay else "M"


def test_cross_entropy() -> None:
    """Weaker, similar diagrams, a narrow band, no Forgetting."""
    decays = (0.0, 1.0, 3.0, 4.0, 5.0, 8.0)
    assert verdicts(losses.cross_entropy(diagram(sensitive, decays), SMALL)) == [True] * 4
    assert verdicts(losses.cross_entropy(diagram(wide_band, decays), SMALL))[2] is False
    assert verdicts(losses.cross_entropy(diagram(lambda *_: "M", decays), SMALL)) == [
        True,
        False,
        False,
        True,
    ]
    (first, *_, last) = verdicts(losses.cross_entropy(diagram(square, DECAYS), SMALL))
    assert first is False and last is False


def test_cross_entropy_under_dropout() -> None:
    rates = (0.0, 0.5, 0.9)

    def late(rate: float, alpha: float, xi: float) -> str:
        few = "C" if alpha - xi > (0.65 if rate else 0.8) else "M"
        return square(5, alpha, xi) if rate > 0.5 else few

    assert verdicts(losses.cross_entropy_dropout(diagram(late, rates, "dropout"))) == [True, True]

    def early(rate: float, alpha: float, xi: float) -> str:
        return square(5, alpha, xi) if rate > 0 else "M"

    assert verdicts(losses.cross_entropy_dropout(diagram(early, rates, "dropout"))) == [
        False,
        None,
    ]


def test_relu() -> None:
    """No Forgetting, more regularization needed, otherwise similar."""
    decays = (0.0, 5.0, 10.0, 20.0)

    def like(decay: float, alpha: float, xi: float) -> str:
        return square(min(decay, 5), alpha, xi) if alpha - xi > 0.45 or decay else "M"

    assert verdicts(activations.relu(diagram(like, decays), SMALL)) == [True] * 3
    assert verdicts(activations.relu(SMALL, SMALL)) == [False, False, True]
    assert verdicts(activations.relu(diagram(lambda *_: "X", decays), SMALL)) == [True, True, False]


def test_relu_under_dropout() -> None:
    rates = (0.0, 0.1, 0.3, 0.6)
    decayed = diagram(square, (0.0, 5.0))
    confused = diagram(lambda rate, *_: "X" if rate > 0.2 else "M", rates, "dropout")
    assert verdicts(activations.dropout(decayed, confused)) == [True, True]
    late = diagram(lambda rate, *_: "X" if rate > 0.5 else "I", rates, "dropout")
    assert verdicts(activations.dropout(decayed, late)) == [False, False]
    assert verdicts(activations.moderate_dropout(confused)) == [True]
    (claim,) = activations.moderate_dropout(late)
    assert claim.held is False and claim.also == (("any cell", False),)


def test_confusion_at_the_usual_width() -> None:
    some = diagram(lambda decay, alpha, xi: "X" if alpha > 0.6 else "M", (5.0, 20.0))
    assert verdicts(activations.confusion(some)) == [True]
    assert verdicts(activations.confusion(diagram(lambda *_: "M", (5.0, 20.0)))) == [False]


def test_multiplication() -> None:
    assert verdicts(operations.multiplication(SMALL, SMALL)) == [True]
    assert verdicts(operations.multiplication(diagram(lambda *_: "M", DECAYS), SMALL)) == [False]


def both_widths(narrow: str, broad: str) -> Results:
    runs = pd.concat(
        diagram(lambda *_, name=name: name, (0.0,))["runs"].assign(
            width=width, corrupted_accuracy=RUNS[name][0]
        )
        for width, name in ((500, narrow), (5000, broad))
    )
    results = Results(Path("nowhere"))
    results["runs"] = runs
    return results


@pytest.mark.parametrize(
    ("narrow", "broad", "expected"),
    [
        ("P", "C", [True, True, False]),
        ("P", "P", [False, False, False]),
        ("I", "M", [False, True, True]),
    ],
)
def test_width_without_decay(narrow: str, broad: str, expected: list[bool]) -> None:
    """Partial Inversion is gone, more is memorized, generalization is worse."""
    assert verdicts(widths.wide_none(both_widths(narrow, broad))) == expected


def test_dead_neurons() -> None:
    def results(dead: int) -> Results:
        found = both_widths("M", "M")
        found["runs"]["dead_neurons"] = (found["runs"]["width"] == 5000) * dead
        found["curves"] = pd.DataFrame({"step": [0, 300]})
        return found

    assert verdicts(widths.dead_neurons(results(10))) == [True]
    assert verdicts(widths.dead_neurons(results(4900))) == [False]
    (claim,) = widths.dead_neurons(results(1000))
    assert claim.held is True and claim.also == (("less than a tenth", False),)
