"""Claims on data efficiency: each can say yes and no."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from phasegrok.reproduction.efficiency import data
from tests.reproduction.efficiency.made import STEPS, Made, made, verdicts


def ways(accuracy: dict[str, float], unstable: float = 0.0, grows: float = 2.0) -> Made:
    """A training of every name at two shares and two seeds, with the best test accuracy given, and
    a norm that grows by a factor without decay and falls to a half with decay to zero."""
    runs, curves = [], []
    decays = {"decay-to-zero": 0.1, "decay-to-start": 0.1}
    rates = {"lower-rate": 0.001, "higher-rate": 0.01}
    for (name, best), alpha, seed in product(accuracy.items(), (0.5, 0.9), (0, 1)):
        run = f"{name}{alpha}{seed}"
        runs.append(
            {
                "run": run,
                "variant": name,
                "data_fraction": alpha,
                "seed": seed,
                "peak_test_accuracy": best + 0.001 * seed,
                "weight_decay": decays.get(name, 0.0),
                "learning_rate": rates.get(name, 0.003),
            }
        )
        lost = int(unstable * len(STEPS)) if name == "higher-rate" else 0
        train = np.r_[np.ones(len(STEPS) - lost), np.zeros(lost)]
        norm = np.linspace(1.0, 0.5 if name == "decay-to-zero" else grows, len(STEPS))
        curves.append(
            pd.DataFrame({"run": run, "step": STEPS, "train_accuracy": train, "weight_norm": norm})
        )
    return made(runs, curves)


def test_data_efficiency() -> None:
    plain = dict.fromkeys(
        (data.PLAIN, "decay-to-start", "decay-to-zero", *data.NOISES, "lower-rate", "higher-rate"),
        0.5,
    )
    study = plain | {
        "decay-to-zero": 0.99,
        "decay-to-start": 0.7,
        **dict.fromkeys(data.NOISES, 0.8),
        "lower-rate": 0.2,
    }
    found = (data.decay_to_zero, data.decay_to_start, data.noise, data.learning_rate)
    yes = [verdicts(function, ways(study, 0.2)) for function in found]
    assert yes == [[True], [True], [True] * 3, [True]]
    no = [verdicts(f, ways(plain | {"decay-to-zero": 0.4})) for f in found]
    assert no == [[False], [False], [False] * 3, [False]]
    assert verdicts(data.pressures, ways(study)) == [True]
    assert verdicts(data.pressures, ways(study, grows=0.9)) == [None]
    assert verdicts(data.pressures, ways(study, grows=0.4)) == [False]
    # More data-efficient than decay to zero: helps, but not to a lesser extent.
    assert verdicts(data.decay_to_start, ways(study | {"decay-to-start": 0.995})) == [None]
