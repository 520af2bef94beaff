"""Claims on the meaning of phases can be refuted: on tables made for either verdict."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.hypothesis import labels

KEPT = {
    "Coexistence": 0.95,
    "Partial Inversion": 0.5,
    "Full Inversion": 0.02,
    "Memorization": 1.0,
    "Forgetting": 0.02,
    "Confusion": 0.02,
}


def table_1(tmp_path: Path, **changed: float) -> Claim:
    kept = {**KEPT, **{name.replace("_", " "): value for name, value in changed.items()}}
    results = Results(tmp_path)
    results["runs"] = pd.DataFrame(
        {
            "subphase": list(kept),
            "corrupted_accuracy": list(kept.values()),
            "corruption_fraction": 0.35,
        }
    )
    (claim,) = labels.table_1(results, results)
    return claim


def test_table_1(tmp_path: Path) -> None:
    """One phase elsewhere is in part, and is named; two are a no."""
    assert table_1(tmp_path).held is True
    confused = table_1(tmp_path, Confusion=0.5)
    assert confused.held is None and "Confusion" in confused.why
    assert table_1(tmp_path, Confusion=0.5, Full_Inversion=0.3).held is False
    assert table_1(tmp_path, Full_Inversion=0.15).also == (("0.8 and 0.2", True),)


def dropout(tmp_path: Path, at_six: str, kept: float) -> list[bool | None]:
    names = {**labels.RATES, 0.6: at_six}
    results = Results(tmp_path)
    results["runs"] = pd.DataFrame(
        [
            (rate, name, name, 0.7, 1.0, kept if rate == 0.6 else KEPT[name])
            for rate, name in names.items()
            for _ in range(3)
        ],
        columns=[
            "dropout",
            "subphase",
            "direct_phase",
            "train_accuracy",
            "test_accuracy",
            "corrupted_accuracy",
        ],
    )
    return [claim.held for claim in labels.dropout_phases(results)]


def test_phases_under_dropout(tmp_path: Path) -> None:
    assert dropout(tmp_path, "Full Inversion", 0.02) == [True, True]
    assert dropout(tmp_path, "Partial Inversion", 0.02) == [False, True]
    assert dropout(tmp_path, "Full Inversion", 0.3) == [True, False]


def population(tmp_path: Path, sign: int) -> Claim:
    results = Results(tmp_path)
    results["runs"] = pd.DataFrame(
        [
            (decay, 0.1 * i, 0.55 + 0.1 * (i if sign > 0 else 4 - i) if decay < 20 else 0.0)
            for decay in (0.0, 5.0, 20.0)
            for i in range(5)
        ],
        columns=["weight_decay", "mean_ipr", "test_accuracy"],
    )
    (claim,) = labels.population(results)
    return claim


def test_more_periodic_neurons_generalize_better_or_worse(tmp_path: Path) -> None:
    assert population(tmp_path, 1).held is True
    assert population(tmp_path, -1).held is False
