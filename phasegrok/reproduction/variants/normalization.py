"""Claims on the weights of normalization: section 2.1 (Figure 5) and the abstract."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd

from phasegrok.analysis.phases import CORRUPTED_IGNORED, GENERALIZES
from phasegrok.analysis.phases_of_weights import PERIODIC
from phasegrok.analysis.stages import first_step
from phasegrok.analysis.trends import normalization_correlation
from phasegrok.reproduction.base import Claim, Results, Verdict
from phasegrok.reproduction.variants.cells import WEAK, counted
from phasegrok.reproduction.words import spread, verdict

__all__ = ["ignored", "normalization_weights"]

SIMILAR: Final = 0.1  # largest distance of two distributions that do not differ significantly


def normalization_weights(results: Results) -> Iterator[Claim]:
    """The weights of batch normalization go with the IPR of their neurons."""
    neurons = results["neurons"]
    columns = neurons.groupby(["normalization", "seed"])[["ipr", "normalization_weight"]]
    found = columns.apply(normalization_correlation)
    batch, layer = found["batch"], found["layer"]

    def strong(least: float) -> bool:
        return bool(batch.min() > least)

    yield Claim(
        "2.1, Fig. 5",
        "the weights of batch normalization are strongly correlated with the IPR of their neurons",
        f"rank correlation {spread(batch)}",
        strong(0.5),
        rule="above 0.5 in every seed",
        also=(("above 0.7", strong(0.7)),),
        why="The correlation is weaker.",
    )
    weak = bool(layer.abs().max() < WEAK)
    yield Claim(
        "F",
        "there is no such effect for layer normalization",
        f"rank correlation {', '.join(f'{rank:.2f}' for rank in layer)}",
        weak,
        rule=f"below {WEAK:g} in size in every seed",
        also=(("below 0.2", bool(layer.abs().max() < 0.2)),),
        why="There is a correlation.",
    )
    high = neurons["ipr"] > PERIODIC
    size = (
        neurons["normalization_weight"]
        .abs()
        .groupby([neurons["normalization"], neurons["seed"], high])
    )
    ratio = (size.mean().unstack()[False] / size.mean().unstack()[True]).dropna()
    lower = {name: ratio[name] for name in ("batch", "layer")}
    held = bool((lower["batch"] < 0.8).all())
    yield Claim(
        "abstract (iv), 2.1, Fig. 5",
        "batch normalization gives neurons of low IPR lower weights than those of high IPR",
        f"mean weight of neurons with an IPR below {PERIODIC} over that of the others:"
        f" {spread(lower['batch'])}; layer normalization {spread(lower['layer'])}",
        held,
        rule="below 0.8 in every seed",
        also=(("below 0.5, so that they hardly count", bool((lower["batch"] < 0.5).all())),),
        why="Their weights are as large.",
    )
    yield _distributions(neurons)
    yield _low_ipr(results["runs"], neurons)


def _distributions(neurons: pd.DataFrame) -> Claim:
    """Distances of the distributions of IPR with and without batch normalization."""
    values = {
        key: np.sort(group["ipr"].to_numpy(np.float64))
        for key, group in neurons.groupby(["normalization", "seed"])
    }

    def distance(one: Any, two: Any) -> float:
        """Kolmogorov and Smirnov's: the largest difference of the cumulative distributions."""
        both = np.concatenate([values[one], values[two]])
        shares = [
            np.searchsorted(values[key], both, side="right") / len(values[key])
            for key in (one, two)
        ]
        return float(np.abs(shares[0] - shares[1]).max())

    seeds = sorted(neurons["seed"].unique())
    apart = [distance(("batch", seed), ("none", seed)) for seed in seeds]
    among = [distance(("none", one), ("none", two)) for one, two in pairwise(seeds)]
    mean = neurons.groupby("normalization")["ipr"].mean()
    held = max(apart) < SIMILAR
    return Claim(
        "2.1, Fig. 5",
        "batch normalization does not affect the distribution of IPR significantly",
        f"largest difference of the cumulative distributions {spread(apart)}, between seeds of one"
        f" kind {spread(among)}; mean IPR {mean['batch']:.3f}, without {mean['none']:.3f}",
        held,
        rule=f"a difference below {SIMILAR:g} in every seed",
        also=(("no more than twice that between seeds", max(apart) <= 2 * max(among)),),
        why="The distributions differ.",
    )


def _low_ipr(runs: pd.DataFrame, neurons: pd.DataFrame) -> Claim:
    batch = runs[runs["normalization"] == "batch"].set_index("run")
    low = (neurons["ipr"] < PERIODIC).groupby(neurons["run"]).mean().reindex(batch.index)

    def there(label: str) -> bool:
        return bool((batch[label] == "Full Inversion").all() and (low > 0.3).all())

    held = there("subphase")
    return Claim(
        "2.1, Fig. 5",
        "with batch normalization neurons of low IPR persist even in Full Inversion",
        f"{spread(low)} of the neurons are below {PERIODIC}; by Table 2"
        f" {counted(batch['subphase'])}, by direct_phase {counted(batch['direct_phase'])}",
        held,
        rule="every seed in Full Inversion by Table 2, with more than 0.3 of the neurons below",
        also=(("by direct_phase", there("direct_phase")),),
        why="Not every seed is in Full Inversion.",
    )


def ignored(results: Results) -> Iterator[Claim]:
    """Batch normalization forces the network to ignore the corrupted labels, in two stages."""
    everything = results["runs"]
    runs = everything[everything["normalization"] == "batch"].set_index("run")
    curves = results["curves"].sort_values("step")
    curves = curves[curves["normalization"] == "batch"]
    solved = first_step(curves, "test_accuracy", GENERALIZES)
    after = curves[curves["step"] >= curves["run"].map(solved)]
    where = after.groupby("run")["corrupted_accuracy"].idxmin()
    least, step = after.loc[where, "corrupted_accuracy"], after.loc[where, "step"]
    end = runs["corrupted_accuracy"]
    without = everything[everything["normalization"] == "none"]["corrupted_accuracy"]
    perfect = bool((runs["test_accuracy"] >= 0.999).all())

    def ignores(most: float) -> Verdict:
        on_the_way, at_last = bool((least <= most).all()), bool((end <= most).all())
        return verdict(perfect and on_the_way, perfect and at_last)

    held = ignores(CORRUPTED_IGNORED)
    yield Claim(
        "abstract (iii), Fig. 5",
        "batch normalization forces the network to ignore the corrupted labels, with 100 % on"
        " uncorrupted data",
        f"corrupted labels kept {spread(least)} at the lowest (step {step.min()} to {step.max()}),"
        f" {spread(end)} at the end (step {curves['step'].max()}), without normalization"
        f" {spread(without)}; test accuracy {spread(runs['test_accuracy'])}",
        held,
        rule=f"at most {CORRUPTED_IGNORED:g} at the end and a test accuracy of 0.999 in every seed;"
        " in part if only for a while",
        also=(("at most 0.25", ignores(0.25)), ("at most 0.02", ignores(0.02))),
        why="They are ignored for a while after grokking, and then learned again slowly.",
    )
    highest = curves.groupby("run")["train_accuracy"].max()

    def staged(fitted: float) -> Verdict:
        first = bool((highest >= fitted).all())
        fell, lost = (bool((kept <= CORRUPTED_IGNORED).all()) for kept in (least, end))
        return verdict(first and fell, first and lost)

    held = staged(0.99)
    yield Claim(
        "abstract, Fig. 5",
        "batch normalization: first grokking, with high train and test accuracy, then the corrupted"
        " labels are unlearned",
        f"train accuracy {spread(highest)} at the highest, {spread(runs['train_accuracy'])} at the"
        f" end (1 − ξ = {1 - runs['corruption_fraction'].iloc[0]:g}); test accuracy"
        f" {GENERALIZES:g} at step {solved.min()} to {solved.max()}",
        held,
        rule="train accuracy 0.99 first, and at most a tenth of the corrupted labels at the end, in"
        " every seed; in part if they are learned again",
        also=(("0.9 first", staged(0.9)), ("0.85 first", staged(0.85))),
        why=(
            "After they have been given up, some are learned again."
            if (highest >= 0.99).all()
            else "The corrupted labels are never all memorized: the network generalizes before."
        ),
    )
