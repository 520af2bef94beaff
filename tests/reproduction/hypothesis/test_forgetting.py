"""Claims on Forgetting can be refuted: on tables made for either verdict."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.hypothesis import forgetting


def results(tmp_path: Path, runs: pd.DataFrame, curves: pd.DataFrame) -> Results:
    found = Results(tmp_path)
    found["runs"], found["curves"] = runs, curves
    return found


def raised(tmp_path: Path, final: dict[float, tuple[float, float]]) -> list[Claim]:
    """Networks that have grokked at step 100 and get a new decay there: its test accuracy and
    weight norm at step 200."""
    runs, curves = [], []
    for value, (accuracy, norm) in final.items():
        for seed in (0, 1):
            run = f"{value}-{seed}"
            runs.append((run, value, 100, accuracy, norm))
            curves += [(run, 100, 1.0, 10.0), (run, 180, 1.0, norm), (run, 200, accuracy, norm)]
    names = ["run", "event_value", "event_at_step", "test_accuracy", "weight_norm"]
    return list(
        forgetting.raised(
            results(
                tmp_path,
                pd.DataFrame(runs, columns=names),
                pd.DataFrame(curves, columns=["run", "step", "test_accuracy", "weight_norm"]),
            )
        )
    )


def test_gradient_descent_that_collapses_refutes_the_paper(tmp_path: Path) -> None:
    """One decay at which all is lost is enough for a no. The control is not counted."""
    kept, at_rest = raised(tmp_path, {0.1: (1.0, 10.0), 0.2: (1.0, 9.0), 0.3: (0.95, 8.0)})
    assert kept.held is True and not kept.why and at_rest.held is True
    lost, at_rest = raised(tmp_path, {0.1: (1.0, 10.0), 0.2: (1.0, 9.0), 0.3: (0.02, 0.0)})
    assert lost.held is False and lost.why and "2 of 4 have forgotten" in lost.measured
    assert at_rest.held is True  # the networks that keep their accuracy are
    everything, at_rest = raised(tmp_path, {0.1: (1.0, 10.0), 0.2: (0.02, 0.0)})
    assert everything.held is False and at_rest.held is False and "0 networks" in at_rest.measured
    assert raised(tmp_path, {0.1: (0.02, 0.0), 0.2: (1.0, 9.0)})[0].held is True


def test_a_network_between_the_thresholds_shows_in_the_other_verdict(tmp_path: Path) -> None:
    (kept, _) = raised(tmp_path, {0.1: (1.0, 10.0), 0.2: (0.7, 9.0)})
    assert kept.held is True and [held for _, held in kept.also] == [False]


def immune(tmp_path: Path, final: list[tuple[float, float, float, float]]) -> Claim:
    """Peak test, final test, highest train and final train accuracy of networks at decay 20."""
    runs = pd.DataFrame(
        [(f"{i}", 20.0, peak, test, train) for i, (peak, test, _, train) in enumerate(final)],
        columns=["run", "weight_decay", "peak_test_accuracy", "test_accuracy", "train_accuracy"],
    )
    curves = pd.DataFrame(
        [(f"{i}", 20.0, highest) for i, (_, _, highest, _) in enumerate(final)],
        columns=["run", "weight_decay", "train_accuracy"],
    )
    (claim,) = forgetting.immune(results(tmp_path, runs, curves))
    return claim


def test_memorizing_networks_may_forget(tmp_path: Path) -> None:
    grokked = (1.0, 0.02, 1.0, 0.02)
    memorized = (0.1, 0.02, 1.0, 0.95)
    assert immune(tmp_path, [grokked, memorized]).held is True
    assert immune(tmp_path, [grokked, (0.1, 0.02, 1.0, 0.3)]).held is False
    # What never memorized is not asked, and grokked networks have to forget.
    assert immune(tmp_path, [grokked, memorized, (0.1, 0.02, 0.5, 0.3)]).held is True
    assert immune(tmp_path, [(1.0, 1.0, 1.0, 1.0), memorized]).held is False
    part = immune(tmp_path, [grokked, *[memorized] * 4, (0.1, 0.02, 1.0, 0.85)])
    assert part.held is None and dict(part.also) == {"keep 0.8": True, "keep 0.5": True}


def test_no_run_that_generalizes_is_no_evidence(tmp_path: Path) -> None:
    """Without a network that has something to forget, a claim that none forgets is not held."""
    runs = pd.DataFrame(
        {"weight_decay": [1.0, 5.0], "peak_test_accuracy": [0.1, 0.2], "test_accuracy": [0.1, 0.2]}
    )
    found = results(tmp_path, runs, pd.DataFrame())
    for function in (forgetting.rectified, forgetting.from_the_start):
        (claim,) = function(found)
        assert claim.held is False
