"""Claims on networks of three layers alone: appendices G, G.3 and G.4."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from phasegrok.analysis.phases import GENERALIZES
from phasegrok.analysis.trends import normalization_correlation
from phasegrok.reproduction.base import Claim, Results, Verdict
from phasegrok.reproduction.variants.cells import COLUMNS, WEAK
from phasegrok.reproduction.variants.seeds import (
    in_seeds,
    labels,
    of,
    random_ipr,
)
from phasegrok.reproduction.words import by_value, spread, verdict

__all__ = ["deep_batchnorm", "deep_dropout", "parametrizations"]

LOW, HIGH = 0.2, 0.7  # of an IPR


def parametrizations(results: Results) -> Iterator[Claim]:
    """A lazier parametrization hardly shifts the IPR of the input and raises that of the output."""
    runs = results["runs"]
    means = results["neurons"].groupby(["run", "layer"])["ipr"].mean().unstack("layer")
    runs = runs.merge(means, left_on="run", right_index=True)
    keys = ["weight_decay", "corruption_fraction", "seed"]
    pairs = runs[runs["initialization"] == "kaiming"].merge(
        runs[runs["initialization"] == "lazy"], on=keys, suffixes=("", "_lazy")
    )
    both = (pairs[["test_accuracy", "test_accuracy_lazy"]] >= GENERALIZES).all(axis=1)
    shift = (pairs["input_lazy"] - pairs["input"]).abs()
    near, nearer = shift[both] < 0.1, shift[both] < 0.05
    held = verdict(bool(near.mean() > 0.5), bool(near.all())) if both.any() else False
    every = shift < 0.1
    yield Claim(
        "G.3, Fig. 14",
        "a lazier parametrization hardly shifts the IPR of the input layer",
        f"both generalize in {of(both)} pairs of networks, the shift within 0.1 in {of(near)} of"
        f" these; by weight decay, standard {_by_decay(pairs, 'input')}; lazier"
        f" {_by_decay(pairs, 'input_lazy')}",
        held,
        rule="where both networks generalize, the mean IPR differs by less than 0.1; in part: in"
        " most pairs",
        also=(
            ("by less than 0.05", verdict(bool(nearer.mean() > 0.5), bool(nearer.all()))),
            ("in all pairs", verdict(bool(every.mean() > 0.5), bool(every.all()))),
        ),
        why="In some pairs the shift is larger, or no pair generalizes.",
    )
    start = random_ipr(results["curves"])
    larger = pairs["output_lazy"] > pairs["output"]
    clear = pairs["output_lazy"] > pairs["output"] + 0.05
    among = larger[both]
    high = pairs["output"] >= 2 * start
    held = verdict(bool(larger.mean() > 0.5), bool(larger.all()))
    yield Claim(
        "G.3, Fig. 14",
        "while the IPR of the output layer becomes larger",
        f"larger in {of(larger)} pairs; by weight decay, standard {_by_decay(pairs, 'output')};"
        f" lazier {_by_decay(pairs, 'output_lazy')}",
        held,
        rule="larger in all pairs of networks; in part: in most",
        also=(
            ("by 0.05", verdict(bool(clear.mean() > 0.5), bool(clear.all()))),
            ("where both generalize", verdict(bool(among.mean() > 0.5), bool(among.all())))
            if len(among)
            else ("where both generalize", False),
        ),
        why=(
            f"Where both networks generalize it is larger in {of(among)} pairs, by"
            f" {(pairs['output_lazy'] - pairs['output'])[both].mean():+.3f} in the mean. Twice the"
            f" IPR of initial weights, {start:.3f}, at the output: {of(high)} networks of the"
            f" standard parametrization, {of(pairs['output_lazy'] >= 2 * start)} of the lazier one."
        ),
    )
    good = runs[runs["test_accuracy"] >= GENERALIZES]
    high, some = (good["input"] >= times * start for times in (2, 1.2))
    held = bool(high.all() and good["initialization"].nunique() == 2)
    yield Claim(
        "G.3, Fig. 14",
        "and the input has a high IPR in both, as Hypothesis 2.2 has it",
        f"{of(high)} networks that generalize have twice the IPR of initial weights, {start:.3f}",
        held,
        rule=f"networks of both parametrizations reach test accuracy {GENERALIZES:g}, and each that"
        " does has at least twice the mean IPR of initial weights",
        also=(("at 1.2 times", bool(some.all() and good["initialization"].nunique() == 2)),),
        why="One of the two has none that generalizes, or a lower IPR.",
    )


def _by_decay(pairs: pd.DataFrame, column: str) -> str:
    return by_value({d: spread(x) for d, x in pairs.groupby("weight_decay")[column]})


def deep_dropout(results: Results) -> Iterator[Claim]:
    """3-layer ReLU networks fail to memorize at a dropout rate of 0.05."""
    runs = results["runs"]
    some, none = runs[runs["dropout"] > 0], runs[runs["dropout"] == 0]
    kept, before = some["corrupted_accuracy"], none["corrupted_accuracy"]
    failed = kept < GENERALIZES
    held = bool(failed.all() and (before >= GENERALIZES).all())
    half = bool((kept < 0.5).all() and (before >= GENERALIZES).all())
    by_table = bool((some["train_accuracy"] < GENERALIZES).all())
    yield Claim(
        "G",
        "3-layer networks fail to memorize at a dropout rate of 0.05",
        f"corrupted labels kept {_range(before)} without, {_range(kept)} at 0.05; train accuracy"
        f" {_range(none['train_accuracy'])} and {_range(some['train_accuracy'])}; runs by rate"
        f" {labels(runs, 'dropout')}",
        held,
        rule=f"every run without dropout keeps at least {GENERALIZES:g} of the corrupted labels,"
        " and none at 0.05",
        also=(("at most half of them", half), ("by a train accuracy below 0.9", by_table)),
        why=(
            f"{of(~failed)} runs at 0.05 memorize, measured without dropout as everywhere here. The"
            ' paper gives no settings, and says that it happens "for reasons that we do not fully'
            ' understand".'
            if (~failed).any()
            else "A run without dropout does not memorize either."
        ),
    )


def _range(values: pd.Series[float]) -> str:
    return f"{values.min():.3f} to {values.max():.3f}"


def deep_batchnorm(results: Results) -> Iterator[Claim]:
    """3-layer networks with batch normalization: Coexistence alone, high IPR at the output."""
    everything, neurons = results["runs"], results["neurons"]
    coexist = everything["subphase"] == "Coexistence"
    directly = everything["direct_phase"] == "Coexistence"
    corruptions = sorted(everything["corruption_fraction"].unique())
    yield Claim(
        "2.2; G.4",
        "batch normalization only facilitates Coexistence in 3-layer networks",
        f"{of(coexist)} runs at corruption {', '.join(f'{c:g}' for c in corruptions)}, by the"
        f" corrupted labels themselves {of(directly)}",
        bool(coexist.all()),
        rule="every run is in Coexistence by Table 2",
        also=(("by the corrupted labels themselves", bool(directly.all())),),
        weak="one corruption fraction, where Table 2 has no other phase that generalizes"
        if corruptions == [0.1]
        else "",
        why="At the higher corruption all seeds memorize, and none generalizes. None inverts.",
    )
    runs = everything[everything["corruption_fraction"].round(9) == 0.1]
    neurons = neurons[neurons["run"].isin(runs["run"])]
    train, test = runs["train_accuracy"], runs["test_accuracy"]
    perfect = (train >= 0.999) & (test >= 0.999)
    held: Verdict = bool(perfect.all())
    yield Claim(
        "G.4, Fig. 15",
        "it memorizes and generalizes perfectly at a small corruption",
        f"train {spread(train, 4)}, test {spread(test, 4)}",
        held,
        rule="train and test accuracy of at least 0.999 in every seed",
        also=(("at 0.99", bool((train >= 0.99).all() and (test >= 0.99).all())),),
        why="Some example is answered wrongly.",
    )
    high = neurons.assign(
        high=(neurons["ipr"] > HIGH).astype(float), low=(neurons["ipr"] < LOW).astype(float)
    )
    layers = high.groupby(["layer", "seed"])
    share, low, ipr = (layers[name].mean() for name in ("high", "low", "ipr"))
    more, above = share["output"] > share["input"], ipr["output"] > ipr["input"]
    held = verdict(bool(more.all()), bool(more.all() and above.all()))
    yield Claim(
        "G.4, Fig. 15",
        "its neurons of high IPR are near the output, not near the input",
        f"share above {HIGH:g}: output {spread(share['output'])}, input {spread(share['input'])};"
        f" mean IPR {spread(ipr['output'])} and {spread(ipr['input'])}",
        held,
        rule=f"the output has a larger share above {HIGH:g} and a higher mean IPR in every seed; in"
        " part: the first of them",
        also=(("by the mean IPR alone", in_seeds(above)),),
        why=(
            "The input has fewer neurons of very high IPR, but as high a mean. Both were still"
            " rising at the end of training; the paper does not say when it stopped."
        ),
    )
    left, quarter = bool((low["input"] > 0.5).all()), bool((low["input"] > 0.25).all())
    yield Claim(
        "G.4",
        "and those of very low IPR at the input are not removed",
        f"share below {LOW:g}: input {spread(low['input'])}, output {spread(low['output'])}",
        left,
        rule=f"more than half of the neurons at the input are below {LOW:g} in every seed",
        also=(("more than a quarter", quarter),),
        why="Fewer of them are.",
    )
    rank = layers[COLUMNS].apply(normalization_correlation)
    strong = rank["output"] > WEAK
    held = verdict(bool(rank["output"].mean() > WEAK), bool(strong.all()))
    yield Claim(
        "G.4, Fig. 15",
        "the size of its weights goes with the IPR of the output layer",
        f"rank correlation {spread(rank['output'])}",
        held,
        rule=f"rank correlation above {WEAK:g} in every seed; in part: in the mean",
        also=(
            (
                "above 0.5",
                verdict(bool(rank["output"].mean() > 0.5), bool((rank["output"] > 0.5).all())),
            ),
        ),
        why="In some seed the correlation is weaker.",
    )
    none = np.abs(rank["input"]) < WEAK
    held = in_seeds(none)
    yield Claim(
        "G.4, Fig. 15",
        "and not strongly with that of the input layer",
        f"rank correlation {spread(rank['input'])}",
        held,
        rule=f"rank correlation within {WEAK:g} of 0 in every seed; in part: in most",
        also=(("within 0.5", in_seeds(np.abs(rank["input"]) < 0.5)),),
        why=(
            "The weights before the hidden layer go with the IPR of the input as well. Here"
            " normalization comes after the activation, as in equation 5. The deep network in the"
            " authors' public code has it before; which the figure used is not in the text."
        ),
    )
