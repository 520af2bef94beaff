"""Verdicts on Transformers, on tables made by hand: each claim can hold, and can fail."""

from __future__ import annotations

from collections.abc import Callable

from phasegrok.reproduction.variants import transformers
from tests.reproduction.variants.networks import results, run, verdicts


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
