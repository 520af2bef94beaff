"""Claims on data efficiency: section 3.3, Figure 4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from phasegrok.analysis.efficiency import share_below
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.words import by_value, verdict

__all__ = ["decay_to_start", "decay_to_zero", "learning_rate", "noise", "pressures"]

PLAIN: Final = "full-batch"
ZERO: Final = "decay-to-zero"
START: Final = "decay-to-start"  # the first letters of several, at different decays
NOISES: Final = ("update-noise", "dropout", "weight-noise")
RATES: Final = ("lower-rate", PLAIN, "higher-rate")
SOLVES: Final = 0.99
STEADY: Final = 0.99  # a training accuracy that, once reached, a stable training keeps
MATTERS: Final = 0.05  # a difference of mean accuracies that is more than one of seeds


def areas(results: Results) -> pd.DataFrame:
    """Best test accuracy of every way of training, its mean over shares of data: rows are seeds,
    columns variants."""
    runs = results["runs"]
    return runs.pivot_table(
        index="seed", columns="variant", values="peak_test_accuracy", aggfunc="mean"
    )


def needed(results: Results) -> pd.Series[Any]:
    """Smallest share of data at which the mean over seeds solves the task, by variant; 1 if none
    does."""
    runs = results["runs"]
    best = runs.pivot_table(
        index="variant", columns="data_fraction", values="peak_test_accuracy", aggfunc="mean"
    )
    return (best >= SOLVES).apply(lambda row: row.index[row].min() if row.any() else 1.0, axis=1)


def _decay(results: Results, variant: str) -> float:
    runs = results["runs"]
    return float(runs.loc[runs["variant"] == variant, "weight_decay"].iloc[0])


def _trained(results: Results) -> str:
    return f"{results['curves']['step'].max():.0f} steps"


def pressures(results: Results) -> Iterator[Claim]:
    """The training loss drives parameters up, weight decay holds them down"""
    curves = results["curves"].sort_values("step").groupby("run")["weight_norm"]
    runs = results["runs"].set_index("run")
    grows = curves.last() / curves.first()
    plain, decayed = (
        grows[runs["variant"] == name].set_axis(
            pd.MultiIndex.from_frame(runs.loc[runs["variant"] == name, ["data_fraction", "seed"]])
        )
        for name in (PLAIN, ZERO)
    )
    up, down = bool((plain > 1).all()), bool((decayed < plain).all())
    yield Claim(
        "2, 4.1",
        "the training loss drives parameters up, weight decay holds them down",
        f"norm of all weights at the end divided by that at the start, over {len(plain)} pairs of"
        f" runs: without decay {plain.min():.2f} to {plain.max():.2f}, with"
        f" {_decay(results, ZERO):g} to zero {decayed.min():.2f} to {decayed.max():.2f}",
        verdict(up or down, up and down),
        rule="above 1 in every run without decay, and larger than in the same run with it; in part"
        " if one of the two",
        why="Only one of the two is seen.",
    )


def decay_to_zero(results: Results) -> Iterator[Claim]:
    """Weight decay to zero is the most data-efficient of the ways of training"""
    area, needs, decay = areas(results).mean(), needed(results), _decay(results, ZERO)
    shares = results["runs"]["data_fraction"]
    solved = needs[needs < 1].sort_values()
    held = area.idxmax() == ZERO
    yield Claim(
        "3.3, Fig. 4",
        f"weight decay to zero (here {decay:g}) is the most data-efficient of {len(area)} ways",
        f"best test accuracy within {_trained(results)}, mean over shares of data"
        f" {shares.min():g} to {shares.max():g}: {by_value(area.sort_values(ascending=False), 2)};"
        f" smallest share with {SOLVES}: {by_value(solved) if len(solved) else 'none'}",
        held,
        rule="its mean over shares and seeds is the highest",
        also=(
            (
                f"it alone, or with others, solves ({SOLVES}) at the smallest share",
                bool(needs[ZERO] < 1 and needs[ZERO] == needs.min()),
            ),
        ),
        why=f"Within these steps {area.idxmax()} gets further.",
    )


def decay_to_start(results: Results) -> Iterator[Claim]:
    """Weight decay to the start helps, to a lesser extent than to zero"""
    by_seed = areas(results)
    area, plain, zero = by_seed.mean(), by_seed[PLAIN].mean(), by_seed[ZERO].mean()
    starts = [name for name in map(str, by_seed) if name.startswith(START)]
    by_decay = dict(sorted((_decay(results, name), float(area[name])) for name in starts))
    helps = [value > plain for value in by_decay.values()]
    lesser = all(value < zero for value in by_decay.values())
    every = any((by_seed[name] > by_seed[PLAIN]).all() for name in starts)
    yield Claim(
        "3.3, Fig. 4",
        "weight decay to the start helps, to a lesser extent than to zero",
        f"best test accuracy, mean over shares of data, by decay {by_value(by_decay, 2)}; without"
        f" {plain:.2f}, {_decay(results, ZERO):g} to zero {zero:.2f}",
        verdict(any(helps), any(helps) and lesser and every),
        rule="at one of these decays it is above that without decay in every seed, and at all of"
        " them below that of decay to zero; in part if above in the mean",
        also=(("at every decay above that without", all(helps)),),
        why=(
            "It holds the weights near large random ones. That is no pressure towards a smaller"
            " norm, which is what makes a network generalize here."
        ),
    )


def noise(results: Results) -> Iterator[Claim]:
    """Update noise, weight noise and dropout each help"""
    by_seed = areas(results)
    for name in NOISES:
        gain = by_seed[name] - by_seed[PLAIN]
        held = verdict(bool(gain.mean() > 0), bool((gain > 0).all()))
        yield Claim(
            "3.3, Fig. 4",
            f"{name.replace('-', ' ')} helps",
            f"best test accuracy, mean over shares of data, {by_seed[name].mean():.2f} against"
            f" {by_seed[PLAIN].mean():.2f} without; by seed"
            f" {', '.join(f'{value:+.2f}' for value in gain)}",
            held,
            rule="above that without noise in every seed; in part if in the mean",
            also=((f"by {MATTERS} in the mean", bool(gain.mean() > MATTERS)),),
            why="It is not above it in every seed.",
        )


def learning_rate(results: Results) -> Iterator[Claim]:
    """Learning rates need tuning, for data efficiency and for a stable training"""
    runs, area = results["runs"], areas(results).mean()
    rates = runs.groupby("variant")["learning_rate"].first()[list(RATES)]
    lost = share_below(results["curves"], "train_accuracy", STEADY)
    unstable = lost.groupby(runs.set_index("run")["variant"]).mean()
    efficient = {float(rates[name]): float(area[name]) for name in RATES}
    swings = {float(rates[name]): float(unstable[name]) for name in RATES}
    matters = max(efficient.values()) - min(efficient.values()) > MATTERS
    stability = swings[max(swings)] > max(0.01, swings[min(swings)])
    held = verdict(matters or stability, matters and stability)
    yield Claim(
        "3.3, Fig. 4",
        "learning rates need tuning, for data efficiency and for a stable training",
        f"by rate: best test accuracy, mean over shares of data, {by_value(efficient, 2)}; share of"
        f" the points after training accuracy {STEADY} that fall below it {by_value(swings, 3)}",
        held,
        rule=f"the best rate is more than {MATTERS} above the worst, and the highest rate loses"
        " more than 1 % of the points, and more than the lowest; in part if one of the two",
        why="Without decay a tenfold range of rates makes that little difference.",
    )
