"""Claims on the width can be refuted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from phasegrok.reproduction.base import Results
from phasegrok.reproduction.variants import widths
from tests.reproduction.variants.made import RUNS, diagram, verdicts


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


def test_relu_of_ten_times_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less Confusion and better is a yes, one of the two in part. Without any Confusion at the
    usual width there is nothing to remove. Dead neurons are given as the reason where they are."""
    sweep = {"sweep": {"model": {"width": 2560}}}
    monkeypatch.setattr(Results, "manifest", sweep)

    def of(name: str, dead: int = 0) -> Results:
        results = diagram(lambda *_: name, (20.0,))
        results["runs"]["dead_neurons"] = dead
        return results

    assert verdicts(widths.wide_relu(of("I"), of("X"))) == [True]
    assert verdicts(widths.wide_relu(of("I"), of("M"))) == [None]
    (claim,) = widths.wide_relu(of("X", dead=2500), of("I"))
    assert claim.held is False and "98% of the neurons die" in claim.why
