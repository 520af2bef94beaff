"""Claims of the study of model and training efficiency: Figures 1 to 9."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from phasegrok.analysis.critical import crossings, estimate, settled
from phasegrok.analysis.phases import GENERALIZES
from phasegrok.analysis.stages import stages
from phasegrok.config import SOLVED
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.words import interval, spread

__all__ = ["claims"]

MODELS: Final = ("transformer", "lstm", "mlp")
NAMES: Final = {"transformer": "Transformer", "lstm": "LSTM", "mlp": "MLP"}
CHANCE: Final = 0.1  # a test accuracy below it is no generalization, at 31 classes or more
MARGIN: Final = 0.1  # well above what a network that memorizes answers
NOISES: Final = ("update-noise", "dropout", "weight-noise")


def claims(root: Path) -> Iterator[Claim]:
    """Every claim, from the result folders under ``root``, in the study's order."""
    models = Results(root / "model-grokking")
    yield from _delayed(models)
    yield _plateau(models)
    yield _near_chance(models)
    yield from _more_data(models)
    yield from _data_efficiency(Results(root / "data-efficiency")["runs"])
    yield from _mixture(Results(root / "mixture")["curves"])
    circuits = Results(root / "model-efficiency")
    yield from _model_efficiency(
        settled(
            circuits["runs"],
            circuits["curves"],
            ("test_accuracy", "train_accuracy", "weight_norm", "train_logit"),
        )
    )
    yield from _ungrokking(Results(root / "ungrokking"))
    yield from _critical(Results(root / "critical-size")["runs"])
    near = Results(root / "semi-grokking")
    yield from _semi_grokking(settled(near["runs"], near["curves"]))


def _delays(results: Results) -> pd.DataFrame:
    """Runs with ``memorized``, the step with training accuracy above 0.999, and ``grokked``, that
    with test accuracy of at least 90 %; null if never."""
    runs = results["runs"].set_index("run")
    runs["memorized"] = runs["memorization_step"].astype("Float64")
    runs["grokked"] = stages(results["curves"])["grokking_step"].astype("Float64")
    return runs


def _delayed(results: Results) -> Iterator[Claim]:
    runs = _delays(results)
    for model in MODELS:
        one = runs[runs["variant"] == model]
        words, delayed = [], False
        for fraction, group in one.groupby("data_fraction"):
            grokked = group["grokked"].dropna()
            late = (
                spread(grokked, 0)
                if len(grokked) == len(group)
                else f"in {len(grokked)} of {len(group)} seeds"
            )
            words.append(f"{fraction}: {spread(group['memorized'], 0)}, {late}")
            ratio = (group["grokked"] / group["memorized"]).min()
            delayed |= len(grokked) == len(group) and bool(ratio > 3)
        yield Claim(
            "3.1, Fig. 1",
            f"{NAMES[model]}: generalizes long after it has memorized",
            "step of training accuracy 0.999, of test accuracy 0.9, by share of data "
            + "; ".join(words),
            delayed,
        )


def _plateau(results: Results) -> Claim:
    runs, curves = _delays(results), results["curves"]
    plateau = _on_the_way(runs[runs["variant"] == "transformer"], curves)
    between = all(2 * CHANCE < value < GENERALIZES for value in plateau.values())
    ordered = list(plateau.values()) == sorted(plateau.values())
    return Claim(
        "3.1, Figs. 1, 2",
        "the Transformer's test accuracy stays at intermediate values, the higher the more data",
        "on the last third of the way to grokking, by share of data "
        + ", ".join(f"{fraction}: {value:.2f}" for fraction, value in plateau.items()),
        (True if ordered else None) if between else False,
    )


def _near_chance(results: Results) -> Claim:
    runs, curves = _delays(results), results["curves"]
    at = curves.merge(runs["memorized"].rename("step").reset_index(), on=["run", "step"])
    known = at.groupby(["variant", "data_fraction"])["test_accuracy"].mean()
    low = [known[model] for model in ("lstm", "mlp")]
    near = [bool((values < CHANCE).all()) for values in low]
    return Claim(
        "3.1, Fig. 1",
        "LSTM and MLP: near chance on test data when the training set is memorized",
        "; ".join(
            f"{NAMES[model]} by share of data "
            + ", ".join(f"{fraction}: {value:.2f}" for fraction, value in values.items())
            for model, values in zip(("lstm", "mlp"), low, strict=True)
        ),
        True if all(near) else (None if any(near) else False),
    )


def _on_the_way(runs: pd.DataFrame, curves: pd.DataFrame) -> dict[float, float]:
    """Median test accuracy over the last third of the steps up to grokking, but for the last tenth,
    in which it rises; by share of data, over the runs that grok."""
    found: dict[float, list[float]] = {}
    for name, run in runs.dropna(subset=["grokked"]).iterrows():
        curve = curves[curves["run"] == name]
        last = curve["step"].between(run["grokked"] * 2 / 3, run["grokked"] * 0.9)
        values = found.setdefault(float(run["data_fraction"]), [])
        values.append(curve.loc[last, "test_accuracy"].median())
    return {fraction: float(np.mean(values)) for fraction, values in sorted(found.items())}


def _more_data(results: Results) -> Iterator[Claim]:
    runs = _delays(results)
    budget = float(results["curves"]["step"].max())
    for model, source in (("transformer", "3.2, Fig. 2"), ("lstm", "3.2, Fig. 3")):
        one = runs[runs["variant"] == model]
        # A run that does not grok within its steps needs more than those.
        wait = (one["grokked"].fillna(budget) - one["memorized"]).groupby(one["data_fraction"])
        words = [
            f"{fraction}: {'more than ' if missing else ''}{delay:.0f}"
            for (fraction, delay), missing in zip(
                wait.mean().items(),
                one["grokked"].isna().groupby(one["data_fraction"]).any(),
                strict=True,
            )
        ]
        yield Claim(
            source,
            f"{NAMES[model]}: the more data, the less delay",
            "steps between the two, by share of data " + ", ".join(words),
            bool(wait.mean().diff().iloc[1:].lt(0).all()),
        )


def _data_efficiency(runs: pd.DataFrame) -> Iterator[Claim]:
    best = runs.groupby(["variant", "data_fraction"])["peak_test_accuracy"].mean().unstack()
    area = best.mean(axis=1)
    plain = area["full-batch"]
    words = ", ".join(f"{name} {value:.2f}" for name, value in area.sort_values()[::-1].items())
    yield Claim(
        "3.3, Fig. 4",
        "weight decay to zero is the most data-efficient of the nine",
        f"best test accuracy, mean over shares of data {best.columns.min():g} to"
        f" {best.columns.max():g}: {words}",
        area.idxmax() == "decay-to-zero",
    )
    yield Claim(
        "3.3, Fig. 4",
        "weight decay to the start helps, to a lesser extent",
        f"{area['decay-to-start']:.2f}, to zero {area['decay-to-zero']:.2f}, without {plain:.2f}",
        bool(plain < area["decay-to-start"] < area["decay-to-zero"]),
    )
    better = [name for name in NOISES if area[name] > plain]
    yield Claim(
        "3.3, Fig. 4",
        "update noise, weight noise and dropout all help",
        ", ".join(f"{name} {area[name] - plain:+.2f}" for name in NOISES)
        + " against the full batch without",
        True if len(better) == len(NOISES) else (None if better else False),
    )


def _mixture(curves: pd.DataFrame) -> Iterator[Claim]:
    for scale, source, grokks in (
        (10.0, "5.1, Fig. 5 above", True),
        (1.0, "5.1, Fig. 5 below", False),
    ):
        one = curves[curves["memorizing_scale"] == scale].groupby("step")
        train, test = one["train_loss"].mean(), one["test_loss"].mean()
        peak = int(str(test.idxmax()))
        rise = test[peak] / test.iloc[0]
        words = (
            f"test loss {test.iloc[0]:.2f} at the start, {test[peak]:.2f} at step {peak}, where the"
            f" training loss is {train[peak]:.3f}, {test.iloc[-1]:.3f} at the end"
        )
        if grokks:
            yield Claim(
                source,
                "the memorizing part learns faster: the test loss rises while the training"
                " loss falls, and falls once that is near zero",
                words,
                bool(rise > 1.1 and test.iloc[-1] < test[peak] / 2 and train[peak] < train[0] / 2),
            )
        else:
            yield Claim(
                source,
                "equal speeds: the losses fall together, there is no grokking",
                words,
                bool(rise <= 1.0 and test.is_monotonic_decreasing),
            )


def _model_efficiency(runs: pd.DataFrame) -> Iterator[Claim]:
    generalizes = (runs["corruption_fraction"] > 0) | (runs["test_accuracy"] > GENERALIZES)
    runs = runs[(runs["train_accuracy"] > SOLVED) & generalizes]
    runs = runs.assign(per=runs["weight_norm"] / runs["train_logit"])
    means = {
        xi: one.groupby("data_fraction")[["weight_norm", "train_logit", "per"]].mean()
        for xi, one in runs.groupby("corruption_fraction")
    }
    trend = {
        xi: float(one["data_fraction"].corr(one["per"], method="spearman"))
        for xi, one in runs.groupby("corruption_fraction")
    }

    def words(xi: float) -> str:
        first, last = means[xi].iloc[0], means[xi].iloc[-1]
        return (
            f"share {means[xi].index[0]:g} to {means[xi].index[-1]:g}: norm"
            f" {first['weight_norm']:.1f} to {last['weight_norm']:.1f}, correct logit"
            f" {first['train_logit']:.1f} to {last['train_logit']:.1f}, norm per logit"
            f" {first['per']:.2f} to {last['per']:.2f}, rank correlation with the share over runs"
            f" {trend[xi]:.2f}"
        )

    yield Claim(
        "5.2, Fig. 6",
        "C_mem needs a larger norm for the same logit, the more data",
        words(1.0),
        bool(trend[1.0] > 0.8),
    )
    smaller = means[0.0]["weight_norm"] < means[1.0]["weight_norm"].reindex(means[0.0].index)
    yield Claim(
        "5.2, Fig. 6",
        "C_gen's norm stays as it is",
        f"{words(0.0)}; smaller than C_mem's at {smaller.sum()} of {len(smaller)} shares",
        True if abs(trend[0.0]) < 0.3 else (None if smaller.all() else False),
    )


def _ungrokking(results: Results) -> Iterator[Claim]:
    runs, curves = results["runs"], results["curves"]
    begun = float(runs["event_at_step"].iloc[0])
    before = curves[curves["step"] == begun].groupby("variant")["test_accuracy"].mean()
    for model in MODELS:
        one = runs[runs["variant"] == model].groupby("event_value")
        final, train = one["test_accuracy"].mean(), one["train_accuracy"].mean()
        yield Claim(
            "5.3, Fig. 7",
            f"{NAMES[model]}: ungrokking on a small enough training set",
            f"test accuracy {before[model]:.2f} before; at the end, by share of data kept "
            + ", ".join(f"{share:g}: {value:.2f}" for share, value in final.items())
            + f"; training accuracy there at least {train.min():.2f}",
            # A Transformer that memorizes still answers the mirror images of what it is given.
            bool(
                before[model] > GENERALIZES
                and final.iloc[0] - final.index[0] < CHANCE
                and train.iloc[0] > 0.99
            ),
        )


def _critical(runs: pd.DataFrame) -> Iterator[Claim]:
    smallest = runs["event_value"].min()
    later = runs["event_at_step"] > 0
    lost = runs[later & (runs["event_value"] == smallest)]
    final = lost.groupby("weight_decay")["test_accuracy"].mean()
    yield Claim(
        "5.3, Fig. 8",
        "ungrokking at every weight decay",
        f"final test accuracy with {smallest:g} of the data, by decay "
        + ", ".join(f"{decay:g}: {value:.2f}" for decay, value in final.items()),
        bool((final < CHANCE).all()),
    )
    found: dict[bool, dict[float, Any]] = {True: {}, False: {}}
    for (old, decay), one in runs.groupby([later, "weight_decay"]):
        found[bool(old)][float(str(decay))] = estimate(crossings(one, "event_value"))
    words = [
        f"{decay:g}: {interval(found[True][decay])} against {interval(found[False][decay])}"
        for decay in found[True]
    ]
    alike = [found[True][d].high > found[False][d].low for d in found[True]]
    yield Claim(
        "beyond",
        "the critical size of networks that have grokked is that of new ones",
        "critical share of data by decay, grokked before against new: " + "; ".join(words),
        True if all(alike) else (None if any(alike) else False),
    )


def _semi_grokking(runs: pd.DataFrame) -> Iterator[Claim]:
    # A Transformer that only knows m + n = n + m answers a share of the test set as large as that
    # of the training set: intermediate is what is well above it, and no solution.
    above = runs["test_accuracy"] - runs["data_fraction"]
    inside = ((above > MARGIN) & (runs["test_accuracy"] < GENERALIZES)).groupby(
        runs["data_fraction"]
    )
    size = estimate(crossings(runs, "data_fraction"))
    ends = runs.groupby("data_fraction")["test_accuracy"].agg(["min", "median", "max"])
    yield Claim(
        "5.3, Fig. 9",
        "intermediate test accuracies near the critical size",
        f"D_crit at a share of {interval(size)}, {size.seeds} seeds; settled accuracies (least,"
        " median, largest) by share "
        + ", ".join(
            f"{at:g}: {' '.join(f'{x:.2f}' for x in values)}"
            for at, values in zip(ends.index, ends.to_numpy(), strict=True)
        )
        + "; seeds between memorizing and solving "
        + ", ".join(
            f"{at:g}: {number} of {count}"
            for at, number, count in zip(ends.index, inside.sum(), inside.size(), strict=True)
        ),
        bool(inside.sum().max() >= 2),
    )
