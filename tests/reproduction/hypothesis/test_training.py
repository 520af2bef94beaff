"""Claims on stages of training can be refuted: on curves made for either verdict."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.hypothesis import training

Curve = list[tuple[int, float, float, float]]  # step, train, test, corrupted labels kept

PAPER: Curve = [(0, 0, 0, 0), (10, 1, 0, 1), (20, 1, 1, 0.9), (30, 0.65, 1, 0.01)]
NEVER: Curve = [(0, 0, 0, 0), (10, 1, 0, 1), (20, 1, 1, 1), (30, 1, 1, 1)]
BEFORE: Curve = [(0, 0, 0, 0), (10, 1, 0, 1), (20, 0.65, 0.5, 0.1), (30, 0.65, 1, 0.01)]
UNFITTED: Curve = [(0, 0, 0, 0), (10, 0.7, 0, 0.4), (20, 0.7, 1, 0.1), (30, 0.65, 1, 0.01)]


def stages(tmp_path: Path, *curves: Curve) -> Claim:
    names = ["step", "train_accuracy", "test_accuracy", "corrupted_accuracy"]
    table = pd.concat(
        pd.DataFrame(curve, columns=names).assign(run=f"{i}", dropout=0.6)
        for i, curve in enumerate(curves)
    )
    results = Results(tmp_path)
    other = table.assign(dropout=0.3)
    results["curves"] = pd.concat([table, other.assign(run="x" + other["run"])])
    results["runs"] = results["curves"].groupby("run", as_index=False).last()
    found = list(training.dropout_stages(results))
    assert found[0].held == found[1].held  # the same curves at both rates
    return found[1]


def test_two_stages(tmp_path: Path) -> None:
    """Memorized, then generalizing, then unlearned, in this order, or not."""
    assert stages(tmp_path, PAPER, PAPER).held is True
    assert stages(tmp_path, PAPER, NEVER).held is None
    assert [stages(tmp_path, curve).held for curve in (NEVER, BEFORE, UNFITTED)] == [False] * 3


def test_down_to_the_share_of_true_labels(tmp_path: Path) -> None:
    """Giving up half of the corrupted labels is less than what the abstract says."""
    half = [*PAPER[:3], (30, 0.8, 1.0, 0.4)]
    assert [dict(stages(tmp_path, c).also) for c in (PAPER, half)] == [
        {"down to 1 − ξ, within 0.02": True},
        {"down to 1 − ξ, within 0.02": False},
    ]


def grokking(tmp_path: Path, test: list[float]) -> list[Claim]:
    steps = [0, 10, 20, 30, 40, 50]
    results = Results(tmp_path)
    results["curves"] = pd.DataFrame(
        {
            "run": "a",
            "step": steps,
            "train_accuracy": [0.0, 1, 1, 1, 1, 1],
            "test_accuracy": test,
            "corrupted_accuracy": float("nan"),
        }
    )
    return list(training.grokking(results))


def test_long_after_is_not_just_after(tmp_path: Path) -> None:
    late = grokking(tmp_path, [0, 0, 0, 0, 0.05, 1])
    assert [claim.held for claim in late] == [True, True]
    soon = grokking(tmp_path, [0, 0, 1, 1, 1, 1])
    assert [claim.held for claim in soon] == [True, None]
    together = grokking(tmp_path, [0, 1, 1, 1, 1, 1])
    assert [claim.held for claim in together] == [False, False]
    slow = grokking(tmp_path, [0, 0, 0.2, 0.4, 0.6, 1])
    assert slow[0].held is False
