"""Verdicts on networks of three layers, on tables made by hand: each can hold, and can fail."""

from __future__ import annotations

import pandas as pd

from phasegrok.reproduction.base import Results
from phasegrok.reproduction.variants import deep
from tests.reproduction.variants.networks import results, run, verdicts


def test_three_layers_fail_to_memorize() -> None:
    kept = run(0.1, 1.0, 1.0)
    for at, expected in ((run(0.1, 0.6, 0.3), "yes"), (kept, "no")):
        found = results("mlp3-dropout", [kept, {**at, "dropout": 0.05}])
        assert verdicts(deep.deep_dropout, found) == [expected]


def parametrized(lazy_input: float, lazy_output: float) -> Results:
    """Both parametrizations at two decays; at the lower one the standard one has not learned."""
    found = results(
        "mlp3-parametrizations",
        [
            run(test, 1.0, 0.5, initialization=initialization, weight_decay=decay)
            for initialization, decay, test in (
                ("kaiming", 5.0, 0.1),
                ("lazy", 5.0, 1.0),
                ("kaiming", 10.0, 1.0),
                ("lazy", 10.0, 1.0),
            )
        ],
    )
    lazy = found["runs"]["initialization"] == "lazy"
    learned = found["runs"]["test_accuracy"] > 0.5
    inputs = (0.5 + lazy_input * lazy).where(learned, 0.1)
    found["neurons"] = pd.concat(
        pd.DataFrame({"run": found["runs"]["run"], "layer": layer, "ipr": ipr})
        for layer, ipr in (("input", inputs), ("output", 0.1 + lazy_output * lazy))
    )
    return found


def test_parametrizations_are_compared_where_both_generalize() -> None:
    assert verdicts(deep.parametrizations, parametrized(0.02, 0.1)) == ["yes"] * 3
    assert verdicts(deep.parametrizations, parametrized(0.3, -0.05)) == ["no", "no", "yes"]


def normalized(high: str, corrupted: tuple[float, float]) -> Results:
    """Batch normalization at two corruptions, with neurons of high IPR in one layer alone.

    In the other layer all are low, and weights do not go with them.

    Args:
        high: that layer.
        corrupted: train accuracy and share of corrupted labels kept at the higher corruption.
    """
    train, kept = corrupted
    rows = [
        run(1.0, 1.0, 1.0, corruption_fraction=0.1),
        run(1.0, train, kept, corruption_fraction=0.3),
    ]
    found = results("mlp3-batchnorm", rows)
    some = [0.1] * 4 + [0.15] * 4 + [0.8, 0.85, 0.9, 0.95]
    low, other = [0.05, 0.06] * 6, [1.0, 1.0, 0.5, 0.5] * 3
    found["neurons"] = pd.concat(
        pd.DataFrame(
            {
                "run": row.run,
                "seed": row.seed,
                "layer": layer,
                "ipr": some if layer == high else low,
                "normalization_weight": some if layer == high else other,
            }
        )
        for row in found["runs"].itertuples()
        for layer in ("input", "output")
    )
    return found


def test_batch_normalization_of_three_layers() -> None:
    """Of the paper's six sentences all hold, or those that should not do not."""
    assert verdicts(deep.deep_batchnorm, normalized("output", (0.95, 0.9))) == ["yes"] * 6
    assert verdicts(deep.deep_batchnorm, normalized("input", (0.72, 0.02))) == [
        "no",  # Full Inversion at the higher corruption
        "yes",  # the rows of the figure are at the lower one alone
        "no",
        "yes",  # two thirds of the input are low all the same
        "no",
        "no",
    ]
