"""Claims on Transformers alone: appendices G.1 and G.2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from phasegrok.analysis.phases import GENERALIZES
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.variants.general import which
from phasegrok.reproduction.variants.seeds import (
    SAME,
    best,
    in_seeds,
    of,
    random_ipr,
    seed_means,
    settled,
    spreads,
)
from phasegrok.reproduction.words import by_value, verdict

__all__ = ["configurations", "dropout"]

FAR: Final = 0.05  # the other plausible bound to SAME
# Nothing can rise above it by more than SAME.
CEILING: Final = 0.99
NEAR: Final = 1.25  # times the IPR of initial weights; periodic vectors have several times that


def configurations(results: Results) -> Iterator[Claim]:
    """Depth does not affect the IPR of the embedding, more heads raise it, tying lowers it."""
    runs, name = results["runs"], which(results)
    tests = runs["test_accuracy"]
    learned = f"test accuracies at the end from {tests.min():.2f} to {tests.max():.2f}"
    early = tests < GENERALIZES
    unready = f" {of(early)} networks had not generalized when training ended." * bool(early.any())
    for column, text in (
        ("layers", "depth does not affect the IPR of the embedding"),
        ("heads", "more heads encourage high IPR"),
        ("tied", "weight tying discourages it"),
    ):
        ipr = seed_means(runs, column, "mean_ipr")
        change = ipr.iloc[:, 1] - ipr.iloc[:, 0]
        measured = f"mean IPR by {column} {spreads(ipr)} (four networks each a seed; {learned})"
        if column == "layers":
            held = in_seeds(change.abs() < 0.1)
            also = ("within 0.05", in_seeds(change.abs() < 0.05))
            rule = "the two means are within 0.1 of each other in every seed; in part: in most"
            why = f"The two means are further apart.{unready}"
        else:
            sign = 1 if column == "heads" else -1
            held = in_seeds(sign * change > 0)
            also = ("by at least 0.05", in_seeds(sign * change >= FAR))
            rule = (
                f"the mean is {'higher' if sign > 0 else 'lower'} in every seed; in part: in most"
            )
            why = f"The order of the two means differs among seeds, or is the other one.{unready}"
        yield Claim(
            "G.1, Fig. 12",
            f"{text} ({name})",
            measured,
            held,
            rule=rule,
            also=(also,),
            why=why,
        )
    start = random_ipr(results["curves"])
    high, some = runs["mean_ipr"] >= 2 * start, runs["mean_ipr"] >= 1.2 * start
    held = verdict(bool(high.mean() > 0.5), bool(high.all()))
    yield Claim(
        "G.1, Fig. 12",
        f"the embedding has a high IPR whatever the configuration ({name})",
        f"{of(high)} runs have twice the IPR of initial weights, {start:.3f}; the least"
        f" {runs['mean_ipr'].min():.3f}",
        held,
        rule="every run has at least twice the mean IPR of initial weights; in part: most",
        also=(("at 1.2 times", verdict(bool(some.mean() > 0.5), bool(some.all()))),),
        why=f"Some configurations have not left initial weights that far.{unready}",
    )


def dropout(results: Results) -> Iterator[Claim]:
    """A small dropout rate gives Coexistence and a higher IPR, and rates above 0.1 do not help."""
    runs, name = results["runs"], which(results)
    small = runs[(runs["dropout"] > 0) & (runs["dropout"] <= 0.1)]
    figure = small[small["corruption_fraction"].round(9) == 0.1]
    coexist = figure["subphase"] == "Coexistence"
    directly = figure["direct_phase"] == "Coexistence"
    held = bool(coexist.all())
    yield Claim(
        "G.2, Fig. 13",
        f"a small dropout rate gives a Coexistence phase ({name})",
        f"corruption 0.1: {of(coexist)} runs at rates up to 0.1, by the corrupted labels themselves"
        f" {of(directly)}; corrupted labels kept {_kept(runs, 0.1)}",
        held,
        rule="all runs at rates up to 0.1 and corruption 0.1 are in Coexistence by Table 2",
        also=(("by the corrupted labels themselves", bool(directly.all())),),
        why="Not every one of them generalizes and memorizes.",
    )
    at_figure = runs[runs["corruption_fraction"].round(9) == 0.1]
    yield _higher(at_figure, name, random_ipr(results["curves"]))
    yield _help(runs, name)


def _kept(runs: pd.DataFrame, corruption: float) -> str:
    some = runs[runs["corruption_fraction"].round(9) == corruption]
    return spreads(seed_means(some, "dropout", "corrupted_accuracy"))


def _higher(runs: pd.DataFrame, name: str, start: float) -> Claim:
    ipr = seed_means(runs, "dropout", "mean_ipr")
    small = [rate for rate in runs["dropout"].unique() if 0 < rate <= 0.1]
    change, most = ipr[small].sub(ipr[0], axis=0), float(ipr.to_numpy().max())
    held = in_seeds((change > 0).all(axis=1))
    return Claim(
        "G.2, Fig. 13",
        f"with a higher mean IPR of the embedding ({name})",
        f"corruption 0.1: mean IPR by rate {spreads(ipr)}; initial weights {start:.3f}",
        held,
        rule="at every rate up to 0.1 above that without dropout, in every seed; in part: in most",
        also=(("by a tenth of it", in_seeds((change > 0.1 * ipr[[0]].to_numpy()).all(axis=1))),),
        why=(
            f"At every rate it is near that of initial weights, at most {most:.3f}: without decay"
            " the embedding does not become periodic."
            if most < NEAR * start
            else "The mean IPR at one of the small rates is not above."
        ),
    )


def _help(runs: pd.DataFrame, name: str) -> Claim:
    def gain(table: pd.DataFrame) -> pd.Series[float]:
        """Best test accuracy, mean over cells, above a rate of 0.1 against up to it; by seed."""
        high = best(table, "dropout", "test_accuracy", above=0.1)
        return high - best(table, "dropout", "test_accuracy", up_to=0.1)

    more = gain(runs)
    held = in_seeds(more <= SAME)
    also = [(f"by more than {FAR:g}", in_seeds(more <= FAR))]
    steady = settled(runs)
    if steady is not None:
        also.append(("with settled test accuracies", in_seeds(gain(steady) <= SAME)))
    full = best(runs, "dropout", "test_accuracy", up_to=0.1).min() >= CEILING
    cells = by_value(
        {
            xi: spreads(seed_means(cell, "dropout", "test_accuracy"))
            for xi, cell in runs.groupby("corruption_fraction")
        }
    )
    return Claim(
        "G.2, Fig. 13",
        f"rates above 0.1 do not help ({name})",
        f"test accuracy at the end by corruption and rate: {cells}; best above 0.1 less best up to"
        f" 0.1: {more.min():+.3f} to {more.max():+.3f} among seeds",
        held,
        rule="the best mean test accuracy at rates above 0.1 is above the best up to 0.1 by at most"
        f" {SAME:g} in every seed; in part: in most",
        also=tuple(also),
        weak="the small rates reach the ceiling" if full else "",
        why="A higher rate generalizes better where labels are corrupted most.",
    )
