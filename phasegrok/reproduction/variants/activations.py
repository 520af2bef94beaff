"""Claims on ReLU instead of the square: appendix N."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from phasegrok.analysis.phases import GENERALIZES
from phasegrok.reproduction.base import Claim, Results, Verdict
from phasegrok.reproduction.variants.cells import (
    GRID,
    by_seed,
    every_seed,
    generalize,
    same_cells,
)
from phasegrok.reproduction.words import verdict

__all__ = ["confusion", "dropout", "moderate_dropout", "relu"]

ALSO: Final = 0.95  # the other plausible accuracy of a network that generalizes
FORGOTTEN: Final = 0.5
MODERATE: Final = 0.3  # the paper's own moderate rate, Figure 3b


def relu(decayed: Results, small: Results) -> Iterator[Claim]:
    """With ReLU the diagram under weight decay is as with the square, without Forgetting."""
    runs, square = decayed["runs"], small["runs"]
    forgot, quadratic = (
        every_seed(table["phase"] == "Forgetting", table, "weight_decay")
        for table in (runs, square)
    )
    fell = runs[(runs["peak_test_accuracy"] >= GENERALIZES) & ~generalize(runs, FORGOTTEN)]
    there = bool((quadratic.iloc[-1] > 0).all())
    held = bool(there and forgot.to_numpy().sum() == 0)
    yield Claim(
        "N, Fig. 27",
        "the Forgetting phase disappears with ReLU",
        f"cells by decay {by_seed(forgot)}; quadratic {by_seed(quadratic)}",
        held,
        rule="none at any decay in any seed, and some with the square at its largest",
        also=((f"no run that generalized ends below {FORGOTTEN:g}", there and fell.empty),),
        why="Some cells are in Forgetting, or none is with the square.",
    )
    both = same_cells(runs, square, "weight_decay")
    none = both[both["weight_decay"] == 0]

    def fewer(least: float) -> bool:
        ours, theirs = (
            (none[f"test_accuracy{suffix}"] >= least).groupby(none["seed"]).sum()
            for suffix in ("", "_other")
        )
        return bool((ours < theirs).all())

    ours, theirs = (
        every_seed(none[f"test_accuracy{suffix}"] >= GENERALIZES, none, "weight_decay")
        for suffix in ("", "_other")
    )
    yield Claim(
        "N, Fig. 27",
        "grokking requires more regularization than with the square",
        f"cells of {len(none[GRID].drop_duplicates())} that generalize without decay"
        f" {by_seed(ours)}, quadratic {by_seed(theirs)}",
        fewer(GENERALIZES),
        rule=f"fewer in every seed, at a test accuracy of {GENERALIZES:g}",
        also=((f"at {ALSO:g}", fewer(ALSO)),),
        why="As many cells generalize as with the square.",
    )
    common = both[both["weight_decay"] < square["weight_decay"].max()]
    same = common["subphase"] == common["subphase_other"]

    def alike(share: float) -> Verdict:
        return verdict(bool(same.mean() >= 0.5), bool(same.mean() >= share))

    yield Claim(
        "N, Fig. 27",
        "apart from that the phase diagram behaves similarly to that of the square",
        f"the same label in {same.sum()} of {len(same)} cells at the decays"
        f" {', '.join(f'{d:g}' for d in sorted(common['weight_decay'].unique()))}, which both have",
        alike(0.8),
        rule="the same in 80 %; in part from one half on",
        also=(("in 70 %", alike(0.7)),),
        why="The boundaries lie at more data and less corruption with ReLU.",
    )


def dropout(decayed: Results, dropped: Results) -> Iterator[Claim]:
    """With ReLU dropout is not as effective as weight decay, and leads to Confusion early."""
    runs, other = dropped["runs"], decayed["runs"]
    cells = len(runs[GRID].drop_duplicates())

    def best(table: pd.DataFrame, column: str, least: float) -> tuple[float, float, float]:
        good = generalize(table, least)
        found = good.groupby(table[column]).sum() / table["seed"].nunique()
        inverted = (good & (table["phase"] == "Inversion")).groupby(table[column]).sum()
        return (
            float(found.index[int(found.argmax())]),
            float(found.max()),
            float(inverted.max()) / table["seed"].nunique(),
        )

    def held(least: float) -> bool:
        ours, theirs = best(runs, "dropout", least), best(other, "weight_decay", least)
        return ours[1] < theirs[1] and ours[2] < theirs[2]

    rate, number, inverted = best(runs, "dropout", GENERALIZES)
    decay, most, inversions = best(other, "weight_decay", GENERALIZES)
    yield Claim(
        "N, Fig. 28",
        "dropout is not as effective with ReLU as weight decay",
        f"at the best rate {rate:g} {number:.1f} of {cells} cells generalize, at the best decay"
        f" {decay:g} {most:.1f}; at most {inverted:.1f} and {inversions:.1f} cells of Inversion",
        held(GENERALIZES),
        rule="fewer of both, mean over seeds",
        also=((f"at {ALSO:g}", held(ALSO)),),
        why="As many cells generalize or invert as under decay.",
    )
    yield _confused(runs, "N, Fig. 28")


def _confused(runs: pd.DataFrame, source: str) -> Claim:
    cells = len(runs[GRID].drop_duplicates())
    confused = every_seed(runs["phase"] == "Confusion", runs, "dropout")
    moderate = confused[(confused.index > 0) & (confused.index <= MODERATE)]

    def held(share: float) -> bool:
        return bool(moderate.mean(axis=1).max() >= share * cells)

    return Claim(
        source,
        "with ReLU even moderate dropout leads to Confusion",
        f"cells of {cells} in Confusion, by rate {by_seed(confused)}",
        held(0.25),
        rule=f"a quarter of the cells at some rate up to {MODERATE:g}, mean over seeds",
        also=(("any cell", bool(moderate.to_numpy().sum() > 0)),),
        why=(
            f"Up to a rate of {MODERATE:g} the networks memorize the labels where they do not"
            " generalize."
        ),
    )


def moderate_dropout(results: Results) -> Iterator[Claim]:
    """With ReLU even moderate dropout leads to Confusion."""
    yield _confused(results["runs"], "N, Fig. 28")


def confusion(results: Results) -> Iterator[Claim]:
    """At the usual width ReLU networks have a phase of Confusion under weight decay."""
    runs = results["runs"]
    confused = runs["phase"] == "Confusion"
    by_decay = confused.groupby(runs["weight_decay"]).sum()
    where = runs[confused]
    cells = len(runs) // runs["weight_decay"].nunique()
    words = ", ".join(f"{decay:g}: {number}" for decay, number in by_decay.items())
    found = (
        f"; they have data fractions from {where['data_fraction'].min():g} and corrupted labels"
        f" from {where['corruption_fraction'].min():g} on"
        if len(where)
        else ""
    )

    def held(share: float) -> bool:
        return bool(confused.mean() >= share)

    yield Claim(
        "N and O, Figs. 27, 30",
        "at the usual width ReLU networks have a phase of Confusion under weight decay",
        f"cells of {cells} in Confusion, by decay {words}{found}",
        held(0.1),
        rule="a tenth of all cells, where there is most to memorize",
        also=(("any cell", bool(confused.any())),),
        why="There is hardly any Confusion that a larger width could eliminate.",
    )
