"""Verdicts on images, on tables made by hand: each claim can hold, and can fail."""

from __future__ import annotations

from phasegrok.reproduction.variants.images import images
from tests.reproduction.variants.networks import results, run, verdicts

MEMORIZED = run(0.7, 1.0, 1.0)
CONFUSED = run(0.5, 0.4, 0.2)
INVERTED = run(0.95, 0.8, 0.02)


def test_the_papers_picture() -> None:
    """Decay inverts and then confuses, and dropout only takes accuracy away."""
    decayed = results(
        "mnist",
        [MEMORIZED, {**INVERTED, "weight_decay": 10.0}, {**CONFUSED, "weight_decay": 30.0}],
    )
    dropped = results(
        "mnist-dropout",
        [MEMORIZED, {**run(0.6, 0.9, 0.9), "dropout": 0.2}, {**CONFUSED, "dropout": 0.8}],
    )
    assert verdicts(images, decayed, dropped) == ["yes"] * 5


def test_the_opposite_picture() -> None:
    """Decay changes nothing, and dropout is what inverts."""
    decayed = results("mnist", [MEMORIZED, {**MEMORIZED, "weight_decay": 30.0}])
    dropped = results("mnist-dropout", [MEMORIZED, {**INVERTED, "dropout": 0.2}])
    assert verdicts(images, decayed, dropped) == ["no"] * 5


def test_a_rate_that_helps_before_one_that_hurts_is_in_part() -> None:
    decayed = results("mnist", [MEMORIZED, {**INVERTED, "weight_decay": 10.0}])
    middle = run(0.8, 0.9, 0.8)
    dropped = results(
        "mnist-dropout",
        [MEMORIZED, {**middle, "dropout": 0.2}, {**CONFUSED, "dropout": 0.8}],
    )
    assert verdicts(images, decayed, dropped)[-1] == "in part"
