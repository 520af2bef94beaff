"""Tables of runs made by hand, and what claims say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from phasegrok.analysis.phases import classify
from phasegrok.reproduction.base import Claim, Results

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
