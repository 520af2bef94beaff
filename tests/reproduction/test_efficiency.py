"""Claims of the efficiency study: each can say yes and no, on tables made for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.efficiency import circuits, claims, data, models, sizes

STEPS = np.arange(0, 2001, 50)
Curve = Callable[[float], tuple[np.ndarray, np.ndarray]]


class Made(Results):
    """Tables without a folder."""

    sweep: dict[str, Any]

    @property
    def manifest(self) -> dict[str, Any]:
        return {"sweep": self.sweep}


def made(runs: list[dict[str, Any]], curves: list[pd.DataFrame], **sweep: Any) -> Made:
    results = Made(Path("nowhere"))
    results["runs"] = pd.DataFrame(runs)
    results["curves"] = pd.concat(curves, ignore_index=True)
    results.sweep = sweep
    return results


def verdicts(function: Callable[[Results], Iterator[Claim]], results: Results) -> list[bool | None]:
    found = list(function(results))
    assert all((claim.held is not True) == bool(claim.why) for claim in found)
    assert all(claim.rule for claim in found)
    return [claim.held for claim in found]


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


def test_every_claim_is_there_without_any_folder(tmp_path: Path) -> None:
    """Nothing is silently missing: without results every row says so."""
    found = list(claims(tmp_path))
    assert len(found) > 30 and {claim.verdict for claim in found} == {"not run yet"}
    assert all(claim.text and claim.source for claim in found)
