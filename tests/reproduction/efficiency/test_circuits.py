"""Claims on memorizing and generalizing networks: each can say yes and no."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd

from phasegrok.reproduction.efficiency import circuits
from tests.reproduction.efficiency.made import STEPS, Made, made, verdicts


def efficiency(
    memorizing: Callable[[float], float], generalizing: Callable[[float], float]
) -> Made:
    """Networks of a correct logit of 16 with these norms, by share of data; from half of the data
    on true labels generalize at step 1000 - 500 alpha, below they are memorized."""
    runs, curves = [], []
    for alpha, xi, seed in product((0.1, 0.3, 0.5, 0.7, 0.9), (0.0, 1.0), (0, 1)):
        solves = xi == 0 and alpha >= 0.5
        norm = (generalizing if solves else memorizing)(alpha) * (1 + 0.001 * seed)
        run = f"{alpha}{xi}{seed}"
        values = {
            "train_accuracy": 1.0,
            "weight_norm": norm,
            "train_logit": 16.0,
            "corrupted_accuracy": np.nan,
        }
        test = np.where((1000 - 500 * alpha < STEPS) & solves, 1.0, 0.0)
        curves.append(pd.DataFrame({"run": run, "step": STEPS, "test_accuracy": test, **values}))
        runs.append(
            {
                "run": run,
                "corruption_fraction": xi,
                "data_fraction": alpha,
                "seed": seed,
                "memorization_step": 100.0,
                "test_accuracy": test[-1],
                **values,
            }
        )
    return made(runs, curves, model={"depth": 3, "embedding": 32})


EFFICIENCIES = (
    circuits.memorizing_efficiency,
    circuits.generalizing_efficiency,
    circuits.more_efficient,
    circuits.same_efficiency,
)


def test_efficiencies() -> None:
    """C_mem's norm grows past C_gen's at a share of 0.4, where half of the test set is answered;
    with the two exchanged every claim fails."""
    study = efficiency(lambda alpha: 20 + 20 * alpha, lambda alpha: 28)
    assert [verdicts(function, study) for function in EFFICIENCIES] == [[True]] * 4
    other = efficiency(lambda alpha: 28, lambda alpha: 29 + 20 * alpha)
    assert [verdicts(function, other) for function in EFFICIENCIES] == [[False]] * 4


def test_speeds_and_the_control() -> None:
    study = efficiency(lambda alpha: 20 + 20 * alpha, lambda alpha: 28)
    assert verdicts(circuits.slower_to_learn, study) == [True]
    assert verdicts(circuits.large_share, study) == [None]
    assert verdicts(circuits.random_labels, study) == [True]
    quick = efficiency(lambda alpha: 20 + 20 * alpha, lambda alpha: 28)
    quick["runs"]["memorization_step"] = 1500.0
    true = quick["runs"]["corruption_fraction"] == 0
    quick["curves"].loc[
        quick["curves"]["run"].isin(quick["runs"].loc[true, "run"]), "weight_norm"
    ] *= 2
    assert verdicts(circuits.slower_to_learn, quick) == [False]
    assert verdicts(circuits.large_share, quick) == [True]
    assert verdicts(circuits.random_labels, quick) == [False]


def test_both_exist() -> None:
    def of(early: float, late: float) -> Made:
        curve = pd.DataFrame(
            {"run": "a", "step": [0, 300], "train_accuracy": [0.0, 1.0], "test_accuracy": early}
        )
        return made([{"run": "a", "test_accuracy": late}], [curve], measure={"steps": [300]})

    assert verdicts(circuits.both_exist, of(0.01, 1.0)) == [True]
    assert verdicts(circuits.both_exist, of(0.4, 1.0)) == [False]
    assert verdicts(circuits.both_exist, of(0.01, 0.5)) == [False]


def mixed(rises: dict[float, float], kept: float = 0.5) -> Made:
    """A pair of networks whose test loss peaks at so many times its start, by ratio of speeds."""
    curves = []
    for scale, rise in rises.items():
        way = STEPS / STEPS[-1]
        test = np.interp(way, [0, 0.2, 1], [3.0, 3.0 * rise, 0.1])
        mem = np.interp(way, [0, 0.2, 1], [0.0, 1.0, kept])
        curves.append(
            pd.DataFrame(
                {
                    "run": f"{scale}",
                    "memorizing_scale": scale,
                    "step": STEPS,
                    "test_loss": test,
                    "train_loss": np.interp(way, [0, 0.2, 1], [3.0, 0.05, 0.0]),
                    "test_accuracy": way,
                    "norm_memorizing": mem,
                    "norm_generalizing": way,
                }
            )
        )
    return made([], curves)


def test_mixture() -> None:
    study = mixed({0.3: 0.9, 1.0: 0.9, 3.0: 1.05, 10.0: 1.5, 30.0: 2.0})
    assert verdicts(circuits.mixture, study) == [True, True, True]
    assert verdicts(circuits.replaced, study) == [True]
    other = mixed({0.3: 1.5, 1.0: 1.5, 10.0: 1.0}, kept=1.0)
    assert verdicts(circuits.mixture, other) == [False, False, False]
    assert verdicts(circuits.replaced, other) == [False]
