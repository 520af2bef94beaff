"""Verdicts on any architecture, on tables made by hand: each claim can hold, and can fail."""

from __future__ import annotations

import pytest

from phasegrok.reproduction.variants import general
from tests.reproduction.variants.networks import INVERTED, MEMORIZED, results, run, verdicts


def test_weight_decay_holds_and_fails() -> None:
    better = [MEMORIZED, {**INVERTED, "weight_decay": 5.0}]
    worse = [{**INVERTED, "weight_decay": 0.0}, {**MEMORIZED, "weight_decay": 5.0}]
    assert verdicts(general.decayed, results("mlp3", better)) == ["yes"] * 3
    assert verdicts(general.decayed, results("transformer", worse)) == ["no"] * 3


def test_weight_decay_in_most_seeds_holds_in_part() -> None:
    found = results("mlp3", [MEMORIZED, {**INVERTED, "weight_decay": 5.0}])
    runs = found["runs"]
    last = (runs["seed"] == 2) & (runs["weight_decay"] == 5)
    runs.loc[last, ["test_accuracy", "mean_ipr"]] = 0.08
    assert verdicts(general.decayed, found)[:2] == ["in part", "in part"]


def test_settled_accuracies_are_the_other_threshold() -> None:
    """A last point in a dip takes the claim away, and its settled value gives it back."""
    rows = [MEMORIZED, {**INVERTED, "weight_decay": 2.0}, {**INVERTED, "weight_decay": 5.0}]
    found = results("transformer", rows)
    runs = found["runs"]
    runs["settled_test_accuracy"] = runs["test_accuracy"]
    runs.loc[runs["weight_decay"] == 5, "test_accuracy"] = 0.3
    first, *_ = general.decayed(found)
    assert first.verdict == "no" and ("with settled test accuracies", True) in first.also


@pytest.mark.parametrize(
    ("dropped", "corruption", "table_2", "directly"),
    [
        (MEMORIZED, 0.2, True, True),
        (INVERTED, 0.2, False, False),
        # Table 2 is blind at 0.1: training accuracy 0.9 counts as Coexistence.
        (run(1.0, 0.91, 0.02), 0.1, True, False),
    ],
)
def test_decay_is_essential(
    dropped: dict[str, object], corruption: float, table_2: bool, directly: bool
) -> None:
    under = results("mlp3", [MEMORIZED, {**INVERTED, "weight_decay": 5.0}])
    without = results(
        "mlp3-dropout", [{**dropped, "dropout": 0.1, "corruption_fraction": corruption}]
    )
    (claim,) = general.essential(under, without)
    assert claim.held is table_2 and claim.also == (
        ("by the corrupted labels themselves", directly),
    )


def test_dropout_confuses() -> None:
    confused = run(0.2, 0.5, 0.2, dropout=0.1)
    for rows, expected in (
        ([MEMORIZED, confused], "yes"),
        ([confused, MEMORIZED | {"dropout": 0.2}], "no"),
    ):
        assert verdicts(general.confused, results("mlp3-dropout", rows)) == [expected]


def test_hypothesis_2_2_is_about_networks_that_generalize() -> None:
    """A network that memorizes may have any IPR; one that generalizes with random rows refutes."""
    good = results("mlp3", [MEMORIZED, INVERTED])
    assert verdicts(general.periodic, good) == ["yes", "yes"]
    blind = results("transformer", [MEMORIZED, {**INVERTED, "mean_ipr": 0.081}])
    assert verdicts(general.periodic, blind)[0] == "no"
    assert verdicts(general.periodic, results("mlp3", [MEMORIZED])) == ["no", "no"]
