"""Claims of section 2.2 that any architecture may be held to: Figure 7 and Hypothesis 2.2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from phasegrok.analysis.phases import GENERALIZES
from phasegrok.reproduction.base import Claim, Results, Verdict
from phasegrok.reproduction.variants.seeds import (
    SAME,
    falls,
    in_seeds,
    labels,
    of,
    random_ipr,
    rises,
    seed_means,
    settled,
    spreads,
)
from phasegrok.reproduction.words import by_value, spread, verdict

__all__ = ["confused", "decayed", "essential", "periodic", "which"]

NETWORKS: Final = {
    "transformer-authors": "the notebook's Transformer",
    "transformer": "a Transformer with the usual scales",
    "mlp3": "3-layer networks",
}
FULL: Final = "Full Inversion"
BLIND: Final = 0.15  # share of corrupted labels below which Table 2 has no Inversion


def which(results: Results) -> str:
    """What kind of network a folder has."""
    return next(words for name, words in NETWORKS.items() if results.name.startswith(name))


def decayed(results: Results) -> Iterator[Claim]:
    """Weight decay promotes generalization over memorization, and raises the IPR of the input."""
    runs, name = results["runs"], which(results)
    figure = "2.2, Fig. 7b" if results.name.startswith("mlp3") else "2.2, Fig. 7a"
    yield _promoted(runs, name, figure)
    yield _raised(runs, name, figure, random_ipr(results["curves"]))
    yield _parallel(runs, name, figure)


def _promoted(runs: pd.DataFrame, name: str, figure: str) -> Claim:
    test = seed_means(runs, "weight_decay", "test_accuracy")
    kept = seed_means(runs, "weight_decay", "corrupted_accuracy")
    both = rises(test) & falls(kept)
    ends = (test.iloc[:, -1] > test.iloc[:, 0]) & (kept.iloc[:, -1] < kept.iloc[:, 0])
    also = [("highest decay against none", in_seeds(ends))]
    steady = settled(runs)
    if steady is not None:
        smooth = rises(seed_means(steady, "weight_decay", "test_accuracy")) & falls(kept)
        also.append(("with settled test accuracies", in_seeds(smooth)))
    held = in_seeds(both)
    return Claim(
        figure,
        f"weight decay promotes generalization over memorization ({name})",
        f"test accuracy at the end {spreads(test)}; corrupted labels kept {spreads(kept)}; both as"
        f" claimed in {of(both)} seeds",
        held,
        rule="in every seed, mean over cells, test accuracy ends higher and the share of corrupted"
        f" labels kept lower, and neither goes the other way by more than {SAME:g} from decay to"
        " decay; in part: in most seeds",
        also=tuple(also),
        why=(
            "Between neighbouring decays one of the two goes the other way; a verdict in brackets"
            " compares the ends."
        ),
    )


def _raised(runs: pd.DataFrame, name: str, figure: str, start: float) -> Claim:
    ipr = seed_means(runs, "weight_decay", "mean_ipr")
    up, twice = rises(ipr), ipr.iloc[:, -1] > 2 * start
    held = in_seeds(up)
    return Claim(
        figure,
        f"and shifts the IPR of the input layer upwards ({name})",
        f"mean IPR {spreads(ipr)}; initial weights {start:.3f}; as claimed in {of(up)} seeds",
        held,
        rule="in every seed the mean IPR ends higher, and falls by no more than"
        f" {SAME:g} from decay to decay; in part: in most seeds",
        also=(("at the highest decay twice that of initial weights", in_seeds(twice)),),
        why="Between neighbouring decays the mean IPR falls, or it does not rise at all.",
    )


def _parallel(runs: pd.DataFrame, name: str, figure: str) -> Claim:
    least, most = (runs[runs["weight_decay"] == end] for end in (0, runs["weight_decay"].max()))
    fewer = bool((most["phase"] == "Memorization").sum() < (least["phase"] == "Memorization").sum())

    def changes(bound: float) -> Verdict:
        reach, before = ((t["test_accuracy"] >= bound).sum() for t in (most, least))
        return verdict(fewer or bool(reach > before), fewer and bool(reach > before))

    held = changes(GENERALIZES)
    return Claim(
        figure,
        f"the phases follow Figure 3a: less Memorization, more that generalizes ({name})",
        f"runs by decay {labels(runs, 'weight_decay')}",
        held,
        rule="at the highest decay fewer runs of Memorization, and more with test accuracy of at"
        f" least {GENERALIZES:g}, than without decay; in part: one of the two",
        also=(("at 0.99", changes(0.99)),),
        why="Only one of the two counts changes as claimed, or none.",
    )


def essential(decayed: Results, dropped: Results) -> Iterator[Claim]:
    """Weight decay is essential for Full Inversion of general architectures."""
    name = which(decayed)
    under = decayed["runs"][decayed["runs"]["weight_decay"] > 0]
    without = pd.concat([dropped["runs"], decayed["runs"][decayed["runs"]["weight_decay"] == 0]])
    found = {
        label: ((under[label] == FULL).sum(), (without[label] == FULL).sum())
        for label in ("subphase", "direct_phase")
    }
    holds = {label: bool(ours > 0 == other) for label, (ours, other) in found.items()}
    inverted = without[without["direct_phase"] == FULL].groupby("corruption_fraction")
    kept = (
        by_value(
            inverted["corrupted_accuracy"]
            .agg(["size", "max"])
            .apply(lambda row: f"{row['size']:.0f}, at most {row['max']:.3f}", axis=1)
        )
        if len(inverted)
        else "none"
    )
    held = holds["subphase"]
    yield Claim(
        "2.2",
        f"weight decay is essential for Full Inversion ({name})",
        f"runs of Full Inversion by Table 2: with decay {found['subphase'][0]} of {len(under)},"
        f" without (under dropout or nothing) {found['subphase'][1]} of {len(without)}; by the"
        f" corrupted labels themselves {found['direct_phase'][0]} and {found['direct_phase'][1]};"
        f" these without decay, by corruption fraction, and the share of corrupted labels kept:"
        f" {kept}",
        held,
        rule="by Table 2 some run with decay is in Full Inversion, and none without",
        also=(("by the corrupted labels themselves", holds["direct_phase"]),),
        why=(
            "Networks under dropout alone generalize and keep hardly any of the corrupted labels."
            if found["subphase"][1]
            else "With so few corrupted labels Table 2 calls a fully inverted network Coexistence:"
            " its train accuracy, 1 − ξ, is 0.9. By the corrupted labels themselves some networks"
            " with decay are in Full Inversion."
            if decayed["runs"]["corruption_fraction"].max() < BLIND and found["direct_phase"][0]
            else "No network with decay is in Full Inversion in the cells that were trained."
        ),
    )


def confused(dropped: Results) -> Iterator[Claim]:
    """Dropout mostly leads to an extended Confusion phase in general architectures."""
    runs, name = dropped["runs"], which(dropped)
    some, none = runs[runs["dropout"] > 0], runs[runs["dropout"] == 0]
    share, before = ((t["phase"] == "Confusion").mean() for t in (some, none))
    held = bool(share > 0.5)
    yield Claim(
        "2.2",
        f"dropout mostly leads to an extended Confusion phase ({name})",
        f"share of runs in Confusion {share:.2f} with dropout, {before:.2f} without; runs by rate"
        f" {labels(runs, 'dropout')}",
        held,
        rule="more than half of the runs with dropout are in Confusion",
        also=(("more than without dropout", bool(share > before)),),
        why=(
            "Most runs with dropout generalize or memorize, in cells with data fractions of"
            f" {', '.join(f'{a:g}' for a in sorted(runs['data_fraction'].unique()))}; the paper's"
            " words are about a whole diagram."
        ),
    )


def periodic(*everything: Results) -> Iterator[Claim]:
    """Hypothesis 2.2: networks that generalize have an input layer of high IPR.

    Step (I) of the hypothesis, over every sweep of one architecture.
    """
    parts, found = [], []
    for results in everything:
        runs, start = results["runs"], random_ipr(results["curves"])
        good = runs[runs["test_accuracy"] >= GENERALIZES]
        bad = runs.loc[runs["test_accuracy"] < 0.5, "mean_ipr"]
        own = spread(good["mean_ipr"]) if len(good) else "none"
        rest = f", of those below 0.5 {spread(bad)}" if len(bad) else ""
        parts.append(
            f"`{results.name}`: {len(good)} of {len(runs)} generalize, their IPR {own}{rest},"
            f" initial weights {start:.3f}"
        )
        found.append(pd.DataFrame({"ratio": good["mean_ipr"] / start, "folder": results.name}))
    ratios = pd.concat(found)
    twice, little = (ratios["ratio"] >= bound for bound in (2, 1.2))
    held, also = (
        verdict(bool(each.mean() > 0.5), bool(each.all())) if len(each) else False
        for each in (twice, little)
    )
    together = {
        results.name: _rank(results["runs"])
        for results in everything
        if results["runs"]["test_accuracy"].nunique() > 1
    }
    below = ratios[~twice].groupby("folder").size()
    where = " and ".join(f"{count} of `{name}`" for name, count in below.items())
    yield Claim(
        "2.2, Hypothesis 2.2",
        f"networks that generalize have an input layer of high IPR ({which(everything[0])})",
        f"{'; '.join(parts)}. Twice the IPR of initial weights: {of(twice)}",
        held,
        rule=f"every run with test accuracy of at least {GENERALIZES:g} has at least twice the mean"
        " IPR of initial weights; in part: most of them",
        also=(("at 1.2 times", also),),
        why=(
            f"These generalize without it: {where}. Each of their vectors mixes many frequencies"
            " (the IPR is about one over their number)."
            if len(ratios)
            else "No run generalizes."
        ),
    )
    ranks = pd.Series(together, dtype=float)
    held, also = (
        verdict(bool((ranks >= bound).any()), bool((ranks >= bound).all())) if len(ranks) else False
        for bound in (0.7, 0.5)
    )
    yield Claim(
        "2.2",
        "the IPR of the input tells networks that generalize from those that memorize"
        f" ({which(everything[0])})",
        "rank correlation over runs of mean IPR and test accuracy at the end:"
        f" {by_value(together, 2)}",
        held,
        rule="rank correlation of at least 0.7 in every sweep; in part: in one",
        also=(("at 0.5", also),),
        why=_mixed(everything, ranks[ranks < 0.7]),
    )


def _mixed(everything: tuple[Results, ...], low: pd.Series[float]) -> str:
    """Which sweeps' IPR is not in the order of the test accuracies, and what they have."""
    parts = []
    for results in everything:
        if results.name in low:
            tests = results["runs"]["test_accuracy"]
            good = (tests >= GENERALIZES).sum()
            parts.append(
                f"`{results.name}`, where {good} of {len(tests)} generalize and test accuracies"
                f" are {tests.min():.2f} to {tests.max():.2f}"
            )
    return f"It is not in that order in {'; '.join(parts)}."


def _rank(runs: pd.DataFrame) -> float:
    """Spearman's rank correlation of the mean IPR and the test accuracy over runs."""
    ranks = runs[["mean_ipr", "test_accuracy"]].rank()
    return float(ranks["mean_ipr"].corr(ranks["test_accuracy"]))
