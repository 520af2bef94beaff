"""Claims on three models and the share of data: sections 1, 3.1 and 3.2, Figures 1 to 3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from phasegrok.analysis.efficiency import ascent
from phasegrok.analysis.phases import GENERALIZES
from phasegrok.analysis.stages import stages
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.words import by_value, spread, verdict

__all__ = [
    "MODELS",
    "closer_curves",
    "delayed",
    "higher_plateau",
    "memorizes_later",
    "more_data",
    "near_chance",
    "plateau",
    "rises_together",
    "squared_error",
    "swifter_ascent",
]

MODELS: Final = {"transformer": "Transformer", "lstm": "LSTM", "mlp": "MLP"}
CHANCE: Final = 0.1  # a test accuracy below it is no generalization, at 23 classes or more
DELAYED: Final = 3  # times the steps of memorization
HALF: Final = 0.5  # share of data in Figure 1
LESS: Final = 0.4  # the smallest share that is trained with the squared error
ABOVE: Final = 0.05  # an accuracy that much above the plateau has left it


def delays(results: Results) -> pd.DataFrame:
    """Runs by name, with ``memorized``, the step with training accuracy above 0.999, and
    ``grokked``, that with test accuracy of at least 90 %; NaN if never."""
    runs = results["runs"].set_index("run")
    runs["memorized"] = runs["memorization_step"].astype("float64")
    runs["grokked"] = stages(results["curves"])["grokking_step"].astype("float64")
    return runs


def at_memorization(results: Results) -> pd.Series[Any]:
    """Test accuracy of every run at the step at which its training set is memorized."""
    runs, curves = delays(results), results["curves"]
    at = curves.merge(runs["memorized"].rename("step").reset_index(), on=["run", "step"])
    accuracy: pd.Series[Any] = at.set_index("run")["test_accuracy"].reindex(runs.index)
    return accuracy


def _steps(runs: pd.DataFrame) -> str:
    """Steps of memorization and of grokking, by share of data."""
    words = []
    for fraction, group in runs.groupby("data_fraction"):
        grokked = group["grokked"].dropna()
        late = (
            spread(grokked, 0)
            if len(grokked) == len(group)
            else f"in {len(grokked)} of {len(group)} seeds"
        )
        words.append(f"{fraction}: {spread(group['memorized'], 0)}, {late}")
    return "step of training accuracy 0.999, of test accuracy 0.9, by share of data " + "; ".join(
        words
    )


def delayed(results: Results) -> Iterator[Claim]:
    """Transformer, LSTM and MLP generalize long after they have memorized"""
    runs = delays(results)
    for model, name in MODELS.items():
        one = runs[runs["variant"] == model]
        half = one[one["data_fraction"] == HALF]
        ratio = (half["grokked"] / half["memorized"]).fillna(0).min()
        yield Claim(
            "3.1, Fig. 1",
            f"{name}: generalizes long after it has memorized",
            _steps(one),
            bool(ratio > DELAYED),
            rule=f"with half of the data every seed's test accuracy reaches 0.9, after more than"
            f" {DELAYED} times the steps to a training accuracy of 0.999",
            also=(("10 times", bool(ratio > 10)),),
            why="A seed does not generalize within the steps, or not as late.",
        )


def rises_together(results: Results) -> Iterator[Claim]:
    """The Transformer's training and test accuracy rise together until the set is memorized"""
    runs = delays(results)
    one = runs[runs["variant"] == "transformer"]
    plateaus, at = _plateaus(results), at_memorization(results)[one.index]
    both = (at.groupby(one["data_fraction"]).mean(), plateaus.groupby(level="data_fraction").mean())
    share = (both[0] / both[1]).dropna()
    fully, partly = bool(len(share) and (share > 0.5).all()), bool((share > 0.5).any())
    yield Claim(
        "3.1, Fig. 1",
        "the Transformer's training and test accuracy rise together until the set is memorized",
        f"test accuracy at the step of memorization, by share of data {by_value(both[0], 2)};"
        f" plateau {by_value(both[1], 2)}",
        verdict(partly, fully),
        rule="at that step the mean test accuracy is above half of the plateau's, at every share;"
        " in part if at one",
        also=(("one seed's is above 0.2", bool((at > 2 * CHANCE).any())),),
        why=(
            "This network memorizes within 100 to 200 steps, faster than it learns m + n = n + m."
            " The plateau is reached several hundred steps later. The study's learning rate is not"
            " known, and its Transformer has more parameters."
        ),
    )


def _plateaus(results: Results) -> pd.Series[Any]:
    """Test accuracy of the Transformer before it groks: the median over the last third of the
    steps up to grokking, but for the last tenth, in which it rises. By run and share of data, of
    the runs that grok."""
    curves = results["curves"]
    runs = delays(results)
    found = {}
    for name, run in runs[runs["variant"] == "transformer"].dropna(subset="grokked").iterrows():
        curve = curves[curves["run"] == name]
        last = curve["step"].between(run["grokked"] * 2 / 3, run["grokked"] * 0.9)
        found[name, run["data_fraction"]] = curve.loc[last, "test_accuracy"].median()
    index = pd.MultiIndex.from_tuples(list(found), names=["run", "data_fraction"])
    return pd.Series(list(found.values()), index, dtype=np.float64)


def plateau(results: Results) -> Iterator[Claim]:
    """The Transformer's test accuracy stays at intermediate values before it rises to 1"""
    found = _plateaus(results).groupby(level="data_fraction").mean()
    between = bool(len(found) and found.between(2 * CHANCE, GENERALIZES).all())
    yield Claim(
        "3.1, Figs. 1, 2",
        "the Transformer's test accuracy stays at intermediate values before it rises to 1",
        f"on the last third of the way to grokking, by share of data {by_value(found, 2)}",
        between,
        rule="its median on the last third of the way is between 0.2 and 0.9, at every share",
        why="At one share it is outside of that.",
    )


def near_chance(results: Results) -> Iterator[Claim]:
    """LSTM and MLP are near chance on test data when the training set is memorized"""
    runs, at = delays(results), at_memorization(results)
    for model in ("lstm", "mlp"):
        one = runs["variant"] == model
        mean = at[one].groupby(runs.loc[one, "data_fraction"]).mean()
        near = mean < CHANCE
        yield Claim(
            "3.1, Fig. 1",
            f"{MODELS[model]}: near chance on test data when the training set is memorized",
            f"mean test accuracy there, by share of data {by_value(mean, 2)}",
            verdict(bool(near.any()), bool(near.all())),
            rule=f"below {CHANCE} at every share; in part if at one",
            also=(("with half of the data below 0.2", bool(mean.get(HALF, 1.0) < 2 * CHANCE)),),
            why=(
                "With much data part of the rule is learned while the rest is still memorized."
                " The study shows this claim with half of the data."
            ),
        )


def squared_error(results: Results) -> Iterator[Claim]:
    """Grokking under the squared error of softmax probabilities as well"""
    runs = delays(results)
    at = at_memorization(results)
    half, less = (runs[runs["data_fraction"] == share] for share in (HALF, LESS))

    def delayed(some: pd.DataFrame) -> bool:
        """Whether every seed generalizes after it has memorized, and from near chance."""
        later = some["grokked"] > some["memorized"]
        return bool(len(some) and later.all() and (at[some.index] < CHANCE).all())

    ratio = (half["grokked"] / half["memorized"]).fillna(0)
    near = at[half.index]
    yield Claim(
        "2, L_mse",
        "MLP: grokking under the squared error of softmax probabilities as well",
        f"{_steps(runs)}; test accuracy when memorized at most {at.max():.2f}",
        delayed(half),
        rule=f"with half of the data every seed has test accuracy below {CHANCE} when it has"
        " memorized, and reaches 0.9 later",
        also=(
            (f"with {LESS} of the data", delayed(less)),
            (f"after {DELAYED} times the steps", bool(ratio.min() > DELAYED)),
        ),
        why=(
            "With half of the data the last examples are memorized when the rule begins to be"
            f" learned (test accuracy {near.min():.2f} to {near.max():.2f} there), and test"
            f" accuracy 0.9 follows after {ratio.min():.1f} to {ratio.max():.1f} times the steps:"
            " this loss memorizes the last examples slowly."
        ),
    )


def more_data(results: Results) -> Iterator[Claim]:
    """The more data, the less delay between memorization and generalization"""
    runs = delays(results)
    budget = float(results["curves"]["step"].max())
    for model, source in (("transformer", "Fig. 2"), ("lstm", "Fig. 3"), ("mlp", "beyond")):
        one = runs[runs["variant"] == model]
        # A run that does not grok within its steps needs more than those.
        wait = (one["grokked"].fillna(budget) - one["memorized"]).groupby(one["data_fraction"])
        missing = one["grokked"].isna().groupby(one["data_fraction"]).any()
        words = [
            f"{fraction}: {'more than ' if never else ''}{delay:.0f}"
            for (fraction, delay), never in zip(wait.mean().items(), missing, strict=True)
        ]
        less = bool(wait.mean().diff().iloc[1:].lt(0).all())
        yield Claim(
            f"3.2, {source}",
            f"{MODELS[model]}: the more data, the less delay",
            "steps between the two, by share of data " + ", ".join(words),
            less,
            rule="the mean over seeds falls from every share to the next",
            also=(("every seed's falls", _falls_by_seed(one, budget)),),
            why="It rises between two shares.",
        )


def _falls_by_seed(runs: pd.DataFrame, budget: float) -> bool:
    wait = (runs["grokked"].fillna(budget) - runs["memorized"]).rename("wait")
    table = runs.assign(wait=wait).pivot_table(index="seed", columns="data_fraction", values="wait")
    return bool((table.diff(axis=1).iloc[:, 1:] < 0).all(axis=None))


def closer_curves(results: Results) -> Iterator[Claim]:
    """The more data, the closer training and test curves lie together, in every model"""
    curves = results["curves"]
    later = curves[curves["step"] > 0]
    gap = (later["train_accuracy"] - later["test_accuracy"]).groupby(later["run"]).mean()
    runs = results["runs"].set_index("run")
    mean = gap.groupby([runs["variant"], runs["data_fraction"]]).mean().unstack()
    falls = (mean.diff(axis=1).iloc[:, 1:] < 0).all(axis=1)
    yield Claim(
        "1, 3.2",
        "the more data, the closer training and test curves lie together, in every model",
        "training minus test accuracy, mean over the training, by share of data "
        + "; ".join(f"{name} {by_value(mean.T[model], 2)}" for model, name in MODELS.items()),
        verdict(bool(falls.any()), bool(falls.all())),
        rule="the mean falls from every share to the next, in all three; in part if in one",
        why="It rises between two shares of a model.",
    )


def higher_plateau(results: Results) -> Iterator[Claim]:
    """The more data, the closer the Transformer's plateau to full accuracy"""
    found = _plateaus(results).groupby(level="data_fraction")
    mean, seeds = found.mean(), found.size()
    fully = bool(mean.diff().iloc[1:].gt(0).all())
    yield Claim(
        "3.2, Fig. 2",
        "the more data, the closer the Transformer's plateau to full accuracy",
        f"by share of data {by_value(mean, 2)} (seeds that grok: {by_value(seeds)})",
        verdict(bool(mean.iloc[-1] > mean.iloc[0]), fully),
        rule="the mean rises from every share to the next; in part if from the first to the last",
        why=(
            "With 30 % of the data the test accuracy creeps up for thousands of steps and has no"
            " plateau of its own, so that one seed passes the height of the next share's."
        ),
    )


def swifter_ascent(results: Results) -> Iterator[Claim]:
    """The more data, the swifter the Transformer's rise from its plateau to full accuracy"""
    curves = results["curves"]
    heights = _plateaus(results)
    names = heights.index.get_level_values("run")
    steps = [
        ascent(curves[curves["run"] == name], height + ABOVE, GENERALIZES)
        for name, height in zip(names, heights, strict=True)
    ]
    mean: pd.Series[Any] = (
        pd.Series(steps, heights.index, dtype=np.float64).groupby(level="data_fraction").mean()
    )
    between = int(np.diff(np.sort(curves["step"].unique())).min())
    falls = bool(mean.iloc[-1] < mean.iloc[0] and mean.is_monotonic_decreasing)
    yield Claim(
        "3.2, Fig. 2",
        "the more data, the swifter the Transformer's rise from its plateau to full accuracy",
        f"steps from {ABOVE} above the plateau to test accuracy {GENERALIZES}, by share of data"
        f" {by_value(mean, 0)} (a point every {between} steps)",
        verdict(bool(mean.iloc[-1] < mean.iloc[0]), falls),
        rule="the mean over seeds that grok falls from the first share to the last and rises"
        " nowhere; in part if it rises between",
        why="Between two of the shares it does not fall.",
    )


def memorizes_later(results: Results) -> Iterator[Claim]:
    """The LSTM memorizes a little later with more data, and generalizes much earlier"""
    runs = delays(results)
    one = runs[runs["variant"] == "lstm"].groupby("data_fraction")
    memorized, between = one["memorized"].mean(), np.diff(np.sort(results["curves"]["step"]))
    budget = float(results["curves"]["step"].max())
    grokked = one["grokked"].apply(lambda steps: steps.fillna(budget).mean())
    later = bool(
        memorized.diff().iloc[1:].gt(0).all() and memorized.iloc[-1] < 2 * memorized.iloc[0]
    )
    earlier = bool(grokked.iloc[-1] < grokked.iloc[0] / 2)
    yield Claim(
        "3.2, Fig. 3",
        "the LSTM memorizes a little later with more data, and generalizes much earlier",
        f"step of training accuracy 0.999, by share of data {by_value(memorized, 0)} (a point"
        f" every {int(between[between > 0].min())} steps); of test accuracy 0.9"
        f" {by_value(grokked, 0)}, where runs that do not get there count {budget:.0f}",
        verdict(later or earlier, later and earlier),
        rule="the first rises from every share to the next, less than twofold in all; the second"
        " halves; in part if one of the two",
        why="Only one of the two is seen.",
    )
