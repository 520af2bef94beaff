"""Claims on three models and the share of data: each can say yes and no."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import pandas as pd
import pytest

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.efficiency import models
from tests.reproduction.efficiency.made import STEPS, Made, made, verdicts

Curve = Callable[[float], tuple[np.ndarray, np.ndarray]]


def as_in_the_study(alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Memorized between steps 100 and 140; a plateau as high as the share of data; solved later,
    the earlier and the faster the more data."""
    begin, takes = 2400 - 2400 * alpha, 300 - 300 * alpha
    train = np.minimum(1.0, STEPS / (50 + 50 * (1 + alpha)))
    rise = np.clip((STEPS - begin) / takes, 0, 1)
    test = np.where(STEPS < 100, 0.0, alpha) + (1 - alpha) * rise
    return np.where(train > 0.99, 1.0, train), test


def at_once(alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Training and test accuracy rise together to 1, later with more data."""
    both = np.clip(STEPS / (400 * (1 + alpha)), 0, 1)
    return both, both


def never(alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Memorized, the later the less data, with a test accuracy of 0.15; never more."""
    return np.minimum(1.0, STEPS / (1000 - 1000 * alpha)), np.full(len(STEPS), 0.15)


def chance(alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """As in the study, with no plateau."""
    train, test = as_in_the_study(alpha)
    return train, np.where(test > alpha, test, 0.0)


def grokking(transformer: Curve, other: Curve) -> Made:
    runs, curves = [], []
    for variant, alpha in product(models.MODELS, (0.3, 0.5, 0.7)):
        train, test = (transformer if variant == "transformer" else other)(alpha)
        run = f"{variant}{alpha}"
        memorized = STEPS[train > 0.999]
        runs.append(
            {
                "run": run,
                "variant": variant,
                "data_fraction": alpha,
                "seed": 0,
                "memorization_step": float(memorized[0]) if len(memorized) else np.nan,
            }
        )
        curves.append(
            pd.DataFrame(
                {
                    "run": run,
                    "step": STEPS,
                    "train_accuracy": train,
                    "test_accuracy": test,
                    "corrupted_accuracy": np.nan,
                }
            )
        )
    return made(runs, curves)


@pytest.mark.parametrize(
    ("function", "refuting"),
    [
        (models.delayed, never),
        (models.rises_together, chance),
        (models.near_chance, never),
        (models.squared_error, never),
        (models.more_data, never),
        (models.closer_curves, at_once),
    ],
)
def test_models(function: Callable[[Results], Iterator[Claim]], refuting: Curve) -> None:
    found = verdicts(function, grokking(as_in_the_study, chance))
    assert set(found) == {True} or function is models.squared_error
    assert True not in verdicts(function, grokking(refuting, refuting))


def test_squared_error_asks_for_a_delay_from_chance() -> None:
    """With half of the data: from chance, yes; a plateau of a half when memorized, no."""
    assert verdicts(models.squared_error, grokking(chance, chance)) == [True]
    assert verdicts(models.squared_error, grokking(as_in_the_study, chance)) == [False]


def test_plateau_height_and_ascent() -> None:
    """They follow the share of data; where the order of the shares is turned around, they do not.
    The plateau stays one then."""

    def turned(alpha: float) -> tuple[np.ndarray, np.ndarray]:
        return as_in_the_study(1 - alpha)

    functions = (models.plateau, models.higher_plateau, models.swifter_ascent)
    study, other = grokking(as_in_the_study, chance), grokking(turned, chance)
    assert [verdicts(f, study) for f in functions] == [[True]] * 3
    assert [verdicts(f, other) for f in functions] == [[True], [False], [False]]

    def low(alpha: float) -> tuple[np.ndarray, np.ndarray]:
        train, test = as_in_the_study(alpha)
        return train, np.where(test <= alpha, 0.1, test)

    assert verdicts(models.plateau, grokking(low, low)) == [False]


def test_memorizes_later() -> None:
    """A little later and much earlier; no memorization that falls with the data and no rule."""

    def later(alpha: float) -> tuple[np.ndarray, np.ndarray]:
        train = np.clip(STEPS / (400 * (1 + alpha)), 0, 1)
        return train, np.where(2400 - 2500 * alpha < STEPS, 1.0, 0.0)

    assert verdicts(models.memorizes_later, grokking(later, later)) == [True]
    assert verdicts(models.memorizes_later, grokking(never, never)) == [False]
