"""Claims on shrinking training sets and critical sizes: each can say yes and no."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd

from phasegrok.reproduction.efficiency import models, sizes
from tests.reproduction.efficiency.made import STEPS, Made, made, verdicts


def shrinking(final: Callable[[float, float, float], float]) -> Made:
    """Networks that have grokked at step 1000 and, with these final accuracies by share, decay and
    step of the event, settle at once; in three models and at three decays."""
    runs, curves = [], []
    cells = product((0.1, 0.2, 0.3, 0.4), (0.0, 1.0, 3.0), (0.0, 1000.0), (0, 1), models.MODELS)
    for share, decay, event, seed, variant in cells:
        run = f"{share}{decay}{event}{seed}{variant}"
        end = final(share, decay, event) + 0.001 * seed
        test = np.where(STEPS <= 1000, 1.0, end)
        curves.append(
            pd.DataFrame({"run": run, "step": STEPS, "test_accuracy": test, "train_accuracy": 1.0})
        )
        runs.append(
            {
                "run": run,
                "variant": variant,
                "event_value": share,
                "event_at_step": event,
                "weight_decay": decay,
                "seed": seed,
                "test_accuracy": end,
                "train_accuracy": 1.0,
            }
        )
    return made(runs, curves)


def by_decay(results: Made) -> Made:
    """Of one model, without the column of variants."""
    runs = results["runs"]
    results["runs"] = runs[runs["variant"] == "mlp"].drop(columns="variant")
    return results


def test_ungrokking() -> None:
    lost = shrinking(lambda share, decay, event: 0.05 if share < 0.25 else 0.95)
    kept = shrinking(lambda share, decay, event: 0.95)
    assert verdicts(sizes.ungrokking, lost) == [True] * 3
    assert verdicts(sizes.ungrokking, kept) == [False] * 3
    assert verdicts(sizes.any_decay, by_decay(lost)) == [True, True]
    assert verdicts(sizes.any_decay, by_decay(kept)) == [False, False]
    without = shrinking(lambda share, decay, event: 0.05 if decay else 0.95)
    assert verdicts(sizes.any_decay, by_decay(without)) == [True, False]


def test_critical_sizes_of_old_and_new() -> None:
    """The same within seeds, or at decay 3 alone, or nowhere."""

    def at(size: Callable[[float, float], float]) -> list[bool | None]:
        made = shrinking(lambda s, decay, event: 0.05 if s < size(decay, event) else 0.95)
        return verdicts(sizes.same_size, by_decay(made))

    assert at(lambda decay, event: 0.25) == [True]
    assert at(lambda decay, event: 0.25 if event or decay == 3 else 0.35) == [None]
    assert at(lambda decay, event: 0.15 if event else 0.35) == [False]


def near(ends: dict[float, list[float]]) -> Made:
    """Seeds that end at these accuracies, by share, and have been there since the middle."""
    runs, curves = [], []
    for share, values in ends.items():
        for seed, end in enumerate(values):
            run = f"{share}{seed}"
            runs.append({"run": run, "data_fraction": share, "seed": seed, "test_accuracy": end})
            test = np.where(STEPS < 1000, 0.0, end)
            curves.append(pd.DataFrame({"run": run, "step": STEPS, "test_accuracy": test}))
    return made(runs, curves)


def test_semi_grokking() -> None:
    functions = (sizes.either_side, sizes.intermediate, sizes.any_outcome)
    study = near({0.2: [0.1, 0.2, 0.2, 0.2], 0.3: [0.3, 0.6, 0.7, 0.95], 0.4: [1.0, 1.0, 0.9, 1.0]})
    assert [verdicts(function, study) for function in functions] == [[True]] * 3
    (claim,) = sizes.intermediate(study)
    assert claim.also == (("and have settled", True),)
    sharp = near({0.2: [0.9, 0.95, 1.0, 0.95], 0.3: [1.0] * 4, 0.4: [1.0] * 4})
    assert [verdicts(function, sharp) for function in functions] == [[False]] * 3


def test_accuracies_that_still_rise_have_not_settled() -> None:
    study = near({0.2: [0.1, 0.2], 0.3: [0.6, 0.7], 0.4: [1.0, 1.0]})
    last = study["curves"]["step"] > 1600
    study["curves"].loc[last, "test_accuracy"] += 0.1
    (claim,) = sizes.intermediate(study)
    assert claim.held is True and claim.also == (("and have settled", False),)
