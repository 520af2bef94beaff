"""Verdicts on any architecture, on tables made by hand: each claim can hold, and can fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from phasegrok.analysis.phases import classify
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.variants import deep, general, transformers

SEEDS = 3


def results(name: str, rows: list[dict[str, object]], **columns: object) -> Results:
    """A folder's tables, whose every row is there for three seeds."""
    found = Results(Path(name))
    runs = pd.DataFrame([{**row, "seed": seed} for seed in range(SEEDS) for row in rows])
    runs = runs.assign(run=range(len(runs)), **columns)
    runs = runs.assign(
        peak_test_accuracy=runs["test_accuracy"], weight_norm=1.0, peak_weight_norm=1.0
    )
    found["runs"] = runs.join(classify(runs))
    found["curves"] = pd.DataFrame({"step": [0, 1], "mean_ipr": [0.08, 0.5]})
    return found


def run(
    test: float, train: float, kept: float, ipr: float = 0.08, **axes: float | str
) -> dict[str, object]:
    return {
        "test_accuracy": test,
        "train_accuracy": train,
        "corrupted_accuracy": kept,
        "mean_ipr": ipr,
        "data_fraction": 0.8,
        "corruption_fraction": 0.2,
        "weight_decay": 0.0,
        "dropout": 0.0,
        **axes,
    }


MEMORIZED = run(0.1, 1.0, 1.0)
INVERTED = run(1.0, 0.8, 0.0, ipr=0.5)


def verdicts(function: Callable[..., Iterator[Claim]], *given: Results) -> list[str]:
    """The verdicts, each with a rule, and with a reason where and only where it is not yes."""
    claims = list(function(*given))
    assert all(claim.rule and (claim.held is not True) == bool(claim.why) for claim in claims)
    return [claim.verdict for claim in claims]


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


def dropout_rows(high: float) -> list[dict[str, object]]:
    rates = ((0.0, 0.5, 0.08), (0.05, 0.7, 0.1), (0.1, 0.8, 0.1), (0.5, high, 0.1))
    return [
        run(1.0 if xi == 0.1 else test, 0.95, 0.95, ipr=ipr, dropout=rate, corruption_fraction=xi)
        for xi in (0.1, 0.3)
        for rate, test, ipr in rates
    ]


def test_rates_above_a_tenth_help_or_not() -> None:
    """Where accuracies have room to differ; at their ceiling the row says that it is weak."""
    assert (
        verdicts(transformers.dropout, results("transformer-dropout", dropout_rows(0.8)))
        == ["yes"] * 3
    )
    assert (
        verdicts(transformers.dropout, results("transformer-dropout", dropout_rows(0.9)))[2] == "no"
    )
    full = [row | {"test_accuracy": 1.0} for row in dropout_rows(1.0)]
    *_, claim = transformers.dropout(results("transformer-dropout", full))
    assert "ceiling" in claim.weak and claim.held


def test_configurations_differ_as_claimed() -> None:
    def rows(ipr: Callable[[int, int, bool], float]) -> list[dict[str, object]]:
        return [
            run(1.0, 0.9, 0.5, ipr=ipr(layers, heads, tied), layers=layers, heads=heads, tied=tied)
            for layers in (1, 2)
            for heads in (4, 8)
            for tied in (False, True)
        ]

    claimed = results("transformer-configurations", rows(lambda _, h, t: 0.2 + 0.02 * h - 0.1 * t))
    assert verdicts(transformers.configurations, claimed) == ["yes"] * 4
    other = results(
        "transformer-configurations", rows(lambda n, h, t: 0.2 * n - 0.02 * h + 0.1 * t)
    )
    assert verdicts(transformers.configurations, other) == ["no", "no", "no", "in part"]


def test_three_layers_fail_to_memorize() -> None:
    kept = run(0.1, 1.0, 1.0)
    for at, expected in ((run(0.1, 0.6, 0.3), "yes"), (kept, "no")):
        found = results("mlp3-dropout", [kept, {**at, "dropout": 0.05}])
        assert verdicts(deep.deep_dropout, found) == [expected]
