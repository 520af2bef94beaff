"""Claims on memorizing and generalizing networks: sections 4, 5.1 and 5.2, Figures 5 and 6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from phasegrok.analysis.critical import crossings, estimate
from phasegrok.analysis.efficiency import norm_at_logit, reaches
from phasegrok.analysis.phases import GENERALIZES
from phasegrok.analysis.settled import settled
from phasegrok.analysis.stages import stages
from phasegrok.config import SOLVED
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.words import by_value, interval, spread, verdict

__all__ = [
    "both_exist",
    "generalizing_efficiency",
    "large_share",
    "memorizing_efficiency",
    "mixture",
    "more_efficient",
    "random_labels",
    "replaced",
    "same_efficiency",
    "slower_to_learn",
]

CHANCE: Final = 0.1
COLUMNS: Final = ("test_accuracy", "train_accuracy", "weight_norm", "train_logit")
RISES: Final = 0.8  # rank correlations from which on something rises
FLAT: Final = 0.3  # and below which it does not depend on the share
TOGETHER: Final = 1.5  # times the steps of memorization: both accuracies are there at once


def both_exist(results: Results) -> Iterator[Claim]:
    """C_mem and C_gen coexist in one training: memorized first, generalizing at its end"""
    first = results.manifest["sweep"]["measure"]["steps"][0]
    curves, runs = results["curves"], results["runs"]
    early = curves[curves["step"] == first]
    held = bool(
        (early["train_accuracy"] > SOLVED).all()
        and (early["test_accuracy"] < CHANCE).all()
        and (runs["test_accuracy"] > 0.99).all()
    )
    yield Claim(
        "2, 4.1",
        "C_mem and C_gen coexist in one training: memorized first, generalizing at its end",
        f"{len(runs)} networks: at step {first} training accuracy at least"
        f" {early['train_accuracy'].min():.3f} and test accuracy at most"
        f" {early['test_accuracy'].max():.3f}; at the end test accuracy at least"
        f" {runs['test_accuracy'].min():.3f}",
        held,
        rule=f"every network: training accuracy above {SOLVED} with test accuracy below {CHANCE},"
        " later test accuracy above 0.99",
        why="One of the networks is not there at that step.",
    )


class Measured:
    """The runs of `model-efficiency`, settled, with what they need for a common logit."""

    def __init__(self, results: Results) -> None:
        runs = settled(results["runs"], results["curves"], COLUMNS).set_index("run")
        runs["grokked"] = stages(results["curves"])["grokking_step"].astype("float64")
        model = results.manifest["sweep"]["model"]
        # With an embedding the bias-free network of `depth` layers has one layer more.
        degree = model["depth"] + (model["embedding"] is not None)
        solved = runs["train_accuracy"] > SOLVED
        self.logit = float(runs.loc[solved, "train_logit"].median())
        runs["norm"] = norm_at_logit(runs["weight_norm"], runs["train_logit"], self.logit, degree)
        runs["per"] = runs["weight_norm"] / runs["train_logit"]
        random = runs["corruption_fraction"] == 1
        self.runs = runs
        self.memorizing = runs[random & solved]
        self.generalizing = runs[~random & solved & (runs["test_accuracy"] > GENERALIZES)]
        self.unfinished = runs[~random & solved & (runs["test_accuracy"] < CHANCE)]

    def by_share(self, runs: pd.DataFrame, column: str = "norm") -> pd.Series[Any]:
        mean: pd.Series[Any] = runs.groupby("data_fraction")[column].mean()
        return mean


def _trend(runs: pd.DataFrame, column: str = "norm") -> float:
    return float(runs["data_fraction"].corr(runs[column], method="spearman"))


def _course(measured: Measured, runs: pd.DataFrame) -> str:
    """Norm at the common logit by share of data, and the study's own two numbers at the ends."""
    shares = sorted(runs["data_fraction"].unique())
    ends = [runs[runs["data_fraction"] == share] for share in (shares[0], shares[-1])]
    values = ", ".join(
        f"{share:g}: {spread(one['norm'], 1)}" for share, one in runs.groupby("data_fraction")
    )
    norms, logits = (
        " to ".join(f"{one[column].mean():.1f}" for one in ends)
        for column in ("weight_norm", "train_logit")
    )
    return (
        f"norm at a correct logit of {measured.logit:.1f}, by share of data {values} (norm as"
        f" trained {norms}, logit {logits}); rank correlation with the share over {len(runs)} runs"
        f" {_trend(runs):.2f}"
    )


def memorizing_efficiency(results: Results) -> Iterator[Claim]:
    """C_mem needs a larger norm for the same logit, the more data"""
    measured = Measured(results)
    runs = measured.memorizing
    held = _trend(runs) > RISES
    yield Claim(
        "4.2, 5.2, Fig. 6",
        "C_mem needs a larger norm for the same logit, the more data",
        _course(measured, runs),
        held,
        rule=f"the rank correlation is above {RISES}",
        also=(("of the norm divided by the logit", _trend(runs, "per") > RISES),),
        why="The norm does not grow with the data.",
    )


def generalizing_efficiency(results: Results) -> Iterator[Claim]:
    """C_gen's norm at the same logit does not depend on the amount of data"""
    measured = Measured(results)
    runs, trend = measured.generalizing, _trend(measured.generalizing)
    shares = measured.by_share(runs).index
    memorizing = measured.memorizing[measured.memorizing["data_fraction"].isin(shares)]
    changes = [
        one.iloc[-1] / one.iloc[0] - 1
        for one in (measured.by_share(runs), measured.by_share(memorizing))
    ]
    held = abs(trend) < FLAT
    yield Claim(
        "4.2, 5.2, Fig. 6",
        "C_gen's norm at the same logit does not depend on the amount of data",
        f"{_course(measured, runs)}; from the first of these shares to the last it changes by"
        f" {changes[0]:+.0%}, C_mem's by {changes[1]:+.0%}",
        held,
        rule=f"the rank correlation is between -{FLAT} and {FLAT}",
        also=(
            ("it grows by less than half of C_mem's growth", bool(changes[0] < changes[1] / 2)),
            ("of the norm divided by the logit", abs(_trend(runs, "per")) < FLAT),
        ),
        why=(
            f"The norm {'grows' if trend > 0 else 'falls'} with the share. Networks near the"
            " critical size are the last to finish, and some hold on to memorized examples."
        ),
    )


def more_efficient(results: Results) -> Iterator[Claim]:
    """C_gen produces the same logits as C_mem with a smaller norm"""
    measured = Measured(results)
    mem, gen = (measured.by_share(runs) for runs in (measured.memorizing, measured.generalizing))
    both = gen.index.intersection(mem.index)
    ratio = gen[both] / mem[both]
    spreads = measured.generalizing.groupby("data_fraction")["norm"].max()[both] < mem[both]
    held = verdict(bool((ratio < 1).any()), bool((ratio < 1).all()))
    yield Claim(
        "4.1",
        "C_gen produces the same logits as C_mem with a smaller norm",
        f"norm at a correct logit of {measured.logit:.1f}, C_gen's divided by C_mem's, by share of"
        f" data {by_value(ratio, 2)}",
        held,
        rule="below 1 at every share of data at which both exist; in part if at one",
        also=(
            ("below 0.9", bool((ratio < 0.9).all())),
            ("every seed's is below C_mem's mean", bool(spreads.all())),
        ),
        why="It is above 1 at one of the shares.",
    )


def slower_to_learn(results: Results) -> Iterator[Claim]:
    """C_gen is learned more slowly than C_mem"""
    measured = Measured(results)
    mem = measured.memorizing.groupby("data_fraction")["memorization_step"].mean().astype(float)
    gen = measured.generalizing.groupby("data_fraction")["grokked"].mean()
    ratio = (gen / mem).dropna()
    held = verdict(bool((ratio > 1).any()), bool((ratio > 1).all()))
    yield Claim(
        "4.1",
        "C_gen is learned more slowly than C_mem",
        "steps to test accuracy 0.9 with true labels, divided by those to training accuracy 0.999"
        f" with random ones, by share of data {by_value(ratio, 1)}{_points(results)}",
        held,
        rule="above 1 at every share at which both exist; in part if at one",
        also=(("above 3", bool((ratio > 3).all())),),
        why="At one of the shares the rule is learned as fast.",
    )


def _points(results: Results) -> str:
    """How often a training was measured: a step is known to no more than that."""
    steps = results["curves"]["step"].drop_duplicates().sort_values()
    return f" (a point every {steps.diff().min():.0f} steps)"


def large_share(results: Results) -> Iterator[Claim]:
    """With a large share of data both accuracies may become perfect at once"""
    runs = Measured(results).generalizing
    ratio = (runs["grokked"] / runs["memorization_step"].astype(float)).groupby(
        runs["data_fraction"]
    )
    mean = ratio.mean()
    together, falls = bool(mean.iloc[-1] < TOGETHER), bool(mean.iloc[-1] < mean.iloc[0])
    yield Claim(
        "4.1",
        "with a large share of data both accuracies may become perfect at once",
        f"steps to test accuracy 0.9 divided by those to memorization, by share of data"
        f" {by_value(mean, 1)}{_points(results)}",
        verdict(falls, together),
        rule=f"below {TOGETHER} at the largest share; in part if it falls with the share",
        why="The delay becomes shorter with the data, but there is one at the largest share too.",
    )


def same_efficiency(results: Results) -> Iterator[Claim]:
    """C_mem is the more efficient one below a critical share of data, and C_gen above it"""
    measured = Measured(results)
    mem, level = measured.by_share(measured.memorizing), measured.generalizing["norm"].mean()
    crossing = reaches(mem.index, mem, level)
    inside = bool(mem.index[0] < crossing < mem.index[-1])
    true = measured.runs[measured.runs["corruption_fraction"] == 0]
    size = estimate(crossings(true, "data_fraction"))
    near = [inside and abs(crossing - size.mean) < most for most in (0.1, 0.2)]
    held = verdict(inside, near[0])
    yield Claim(
        "4.2",
        "C_mem is the more efficient one below a critical share of data, and C_gen above it",
        f"at a correct logit of {measured.logit:.1f} C_mem's norm is {mem.iloc[0]:.1f} at a share"
        f" of {mem.index[0]:g} and {mem.iloc[-1]:.1f} at {mem.index[-1]:g}, C_gen's {level:.1f};"
        f" they are equal at a share of {crossing:.2f}; networks generalize from"
        f" {interval(size)} on",
        held,
        rule="C_mem's norm passes C_gen's mean between the smallest and the largest share, within"
        " 0.1 of the share from which on half of the test set is answered; in part if it passes it",
        also=(("within 0.2", near[1]),),
        why=(
            "The two are equal at a smaller share than the one that networks need within these"
            " steps. Near the critical size the pressure towards C_gen is weak, and takes long."
        ),
    )


def random_labels(results: Results) -> Iterator[Claim]:
    """Networks that memorized random labels are like those that memorized true ones"""
    measured = Measured(results)
    true, random = (measured.by_share(r) for r in (measured.unfinished, measured.memorizing))
    ratio = (true / random).dropna()
    close = [bool(len(ratio) and (abs(ratio - 1) < most).all()) for most in (0.05, 0.1)]
    yield Claim(
        "control",
        "networks that memorized random labels are as efficient as those that memorized true ones",
        f"norm at a correct logit of {measured.logit:.1f}, with true labels and test accuracy below"
        f" {CHANCE} divided by that with random ones, by share of data {by_value(ratio, 2)}",
        close[0],
        rule="within 5 % of each other at every share at which both exist",
        also=(("within 10 %", close[1]),),
        why="They differ by more at one share.",
    )


def _pairs(curves: pd.DataFrame, scale: float) -> Iterator[pd.DataFrame]:
    """The curve of every pair of networks at a ratio of speeds, indexed by step."""
    one = curves[curves["memorizing_scale"] == scale]
    for _, curve in one.groupby("run", sort=False):
        yield curve.sort_values("step").set_index("step", drop=False)


def _rise(curve: pd.DataFrame) -> float:
    return float(curve["test_loss"].max() / curve["test_loss"].iloc[0])


def _ends(values: list[float], digits: int = 2) -> str:
    low, high = min(values), max(values)
    return f"{low:.{digits}f}" if len(values) == 1 else f"{low:.{digits}f} to {high:.{digits}f}"


def mixture(results: Results) -> Iterator[Claim]:
    """A mixture groks if its memorizing part learns faster, and only then"""
    curves = results["curves"]
    fast, equal = list(_pairs(curves, 10.0)), list(_pairs(curves, 1.0))
    peaks = [curve.iloc[int(curve["test_loss"].to_numpy().argmax())] for curve in fast]
    rises = [_rise(curve) for curve in fast]
    lasts = [c["test_loss"].iloc[-1] / p["test_loss"] for c, p in zip(fast, peaks, strict=True)]
    trains = [p["train_loss"] / c["train_loss"].iloc[0] for c, p in zip(fast, peaks, strict=True)]
    groks = [r > 1.1 and e < 0.5 and t < 0.5 for r, e, t in zip(rises, lasts, trains, strict=True)]
    yield Claim(
        "5.1, Fig. 5 above",
        "the memorizing part learns ten times as fast: the test loss rises while the training loss"
        " falls, and falls once that is near zero",
        f"{len(fast)} pairs: the test loss peaks at {_ends(rises)} times its start, at steps"
        f" {_ends([float(peak['step']) for peak in peaks], 0)}, where the training loss is"
        f" {_ends(trains)} times its own; at the end it is {_ends(lasts)} times its peak",
        verdict(any(groks), all(groks)),
        rule="every pair's test loss rises by 10 % and ends below half of its peak, at which the"
        " training loss has halved; in part if one pair's",
        also=(("the training loss below a tenth", max(trains) < 0.1),),
        why="One pair's test loss does not rise or not fall as much.",
    )
    falls = [_rise(curve) <= 1 for curve in equal]
    yield Claim(
        "5.1, Fig. 5 below",
        "equal speeds: the losses fall together, there is no grokking",
        f"{len(equal)} pairs: the test loss is at most {_ends([_rise(c) for c in equal])} times its"
        f" start, test accuracy at step 100 {_ends([c['test_accuracy'][100] for c in equal])}",
        verdict(any(falls), all(falls)),
        rule="no pair's test loss is ever above its start; in part if one pair's is not",
        why="In one pair it rises at first.",
    )
    scales = sorted(curves["memorizing_scale"].unique())
    by_scale = {scale: [_rise(curve) for curve in _pairs(curves, scale)] for scale in scales}
    slower = [rise for scale in scales if scale <= 1 for rise in by_scale[scale]]
    faster = [rise for scale in scales if scale >= 10 for rise in by_scale[scale]]
    sides = [max(slower) <= 1.01, min(faster) > 1.1]
    yield Claim(
        "5.1",
        "a difference in speeds is necessary",
        "largest test loss divided by that at the start, over the pairs, by how many times faster"
        f" the memorizing part is {by_value({s: _ends(r) for s, r in by_scale.items()})}",
        verdict(any(sides), all(sides)),
        rule="at most 1.01 in every pair if it is as fast or slower, above 1.1 in every pair if it"
        " is ten times as fast or more; in part if one of the two",
        why="Only one of the two is so.",
    )


def replaced(results: Results) -> Iterator[Claim]:
    """The memorizing part dominates at first and gives way to the generalizing one"""
    found, words = [], []
    for curve in _pairs(results["curves"], 10.0):
        mem, gen = curve["norm_memorizing"], curve["norm_generalizing"]
        learned = curve.index[curve["train_loss"] < 0.1]
        first = bool(len(learned)) and mem[learned[0]] > gen[learned[0]]
        later = mem.iloc[-1] < 0.9 * mem.max() and gen.iloc[-1] == gen.max()
        found.append(bool(first and later))
        words.append(
            f"{mem.max():.2f} at step {mem.idxmax()}, then {mem.iloc[-1]:.2f} and"
            f" {gen.iloc[-1]:.2f}"
        )
    yield Claim(
        "4.1",
        "the memorizing part dominates at first and gives way to the generalizing one",
        "largest w_mem, and w_mem and w_gen at the end, by pair: " + "; ".join(words),
        verdict(any(found), all(found)),
        rule="in every pair w_mem is above w_gen when the training loss is below 0.1, and ends"
        " below 0.9 of its maximum, w_gen at its own; in part if in one pair",
        why="In one pair w_mem has not fallen that far, or w_gen not risen.",
    )
