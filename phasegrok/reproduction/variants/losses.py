"""Claims on the loss function: appendix M."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from phasegrok.analysis.phases import GENERALIZES
from phasegrok.analysis.settled import settled
from phasegrok.reproduction.base import Claim, Results, Verdict
from phasegrok.reproduction.variants.cells import (
    GRID,
    by_seed,
    every_seed,
    generalize,
    same_cells,
)
from phasegrok.reproduction.variants.seeds import SETTLED
from phasegrok.reproduction.words import by_value, verdict

__all__ = ["cross_entropy", "cross_entropy_dropout", "decays", "forgetting"]

ALSO: Final = 0.95  # the other plausible accuracy of a network that generalizes
NARROW: Final = 2.0  # largest over smallest decay of a narrow band
FORGOTTEN: Final = 0.5
CHANCE: Final = 0.1  # a test accuracy below it is none, at 47 classes or more


def cross_entropy(decayed: Results, small: Results) -> Iterator[Claim]:
    """Cross-entropy is less robust, and gives similar diagrams with regularization."""
    runs, mse = decayed["runs"], small["runs"]
    none = same_cells(runs, mse, "weight_decay")
    none = none[none["weight_decay"] == 0]

    def numbers(least: float) -> tuple[pd.Series[int], pd.Series[int]]:
        ours, theirs = (
            (none[f"test_accuracy{suffix}"] >= least).groupby(none["seed"]).sum().astype(int)
            for suffix in ("", "_other")
        )
        return ours, theirs

    def weaker(least: float) -> bool:
        ours, theirs = numbers(least)
        return bool((ours < theirs).all())

    ours, theirs = numbers(GENERALIZES)
    yield Claim(
        "M, Fig. 26",
        "robustness to corrupted labels is weaker than with MSE",
        f"cells of {_cells(none)} that generalize without decay, by seed:"
        f" {_each(ours)}, with MSE {_each(theirs)}",
        weaker(GENERALIZES),
        rule=f"fewer in every seed, at a test accuracy of {GENERALIZES:g}",
        also=((f"at {ALSO:g}", weaker(ALSO)),),
        why="As many cells generalize as with MSE.",
    )
    yield _similar(runs, mse)


def decays(decayed: Results) -> Iterator[Claim]:
    """Cross-entropy inverts in a narrow band of weight decays, and never forgets."""
    yield from _band(decayed["runs"])
    yield _forgetting(decayed)


def _cells(runs: pd.DataFrame) -> int:
    return len(runs[GRID].drop_duplicates())


def _each(counts: pd.Series[int]) -> str:
    return " / ".join(str(count) for count in counts)


def _similar(runs: pd.DataFrame, mse: pd.DataFrame) -> Claim:
    """With regularization as many cells generalize as with MSE."""
    mse = mse[mse["data_fraction"].round(9).isin(runs["data_fraction"].round(9))]

    def best(table: pd.DataFrame, least: float) -> tuple[float, float]:
        found = generalize(table, least).groupby(table["weight_decay"]).sum()
        return float(found.index[int(found.argmax())]), float(found.max()) / table["seed"].nunique()

    def held(least: float) -> bool:
        return bool(best(runs, least)[1] >= 0.9 * best(mse, least)[1])

    (decay, ours), (other, theirs) = best(runs, GENERALIZES), best(mse, GENERALIZES)
    return Claim(
        "M, Fig. 26",
        "by adding regularization, similar phase diagrams are recovered",
        f"at the best decay {decay:g} {ours:.1f} of {_cells(runs)} cells generalize, with MSE at"
        f" {other:g} {theirs:.1f}",
        held(GENERALIZES),
        rule="at least 90 % as many, mean over seeds",
        also=((f"at {ALSO:g}", held(ALSO)),),
        why="Fewer cells generalize at any decay than with MSE.",
    )


def _band(runs: pd.DataFrame) -> Iterator[Claim]:
    cells, seeds = _cells(runs), runs["seed"].nunique()
    inverted, confused = (
        every_seed(runs["phase"] == phase, runs, "weight_decay")
        for phase in ("Inversion", "Confusion")
    )
    mean = inverted.mean(axis=1)

    def narrow(least: float) -> Verdict:
        """Whether the decays with at least so many inverted cells are close together."""
        band = mean[mean >= least].index
        if not len(band):
            return False
        inside = bool(band.min() > 0 and band.max() <= NARROW * band.min())
        beyond = bool(confused.iloc[-1].mean() > cells / 2 and band.max() < mean.index[-1])
        return verdict(beyond, beyond and inside)

    held = narrow(0.1 * cells)
    yield Claim(
        "M, Fig. 26",
        "Inversion in a narrow band of weight decays, beyond it Confusion",
        f"cells of {cells}, by decay: Inversion {by_seed(inverted)}; Confusion {by_seed(confused)}",
        held,
        rule=f"the decays at which a tenth of the cells inverts, mean over seeds, are within a"
        f" factor of {NARROW:g}, and at the largest more than half of the cells are in Confusion;"
        " in part if only the latter",
        also=(("any cell in any seed", narrow(1 / seeds)),),
        why="The band is wider.",
    )


def forgetting(longer: Results) -> Iterator[Claim]:
    """With cross-entropy there is no Forgetting in longer training either."""
    steps = longer.manifest["sweep"]["train"]["steps"]
    yield _forgetting(longer, f"no Forgetting in {steps} steps either")


def _forgetting(results: Results, text: str = "no Forgetting") -> Claim:
    runs = results["runs"]
    forgot = every_seed(runs["phase"] == "Forgetting", runs, "weight_decay")
    lost = runs[runs["phase"] == "Forgetting"]["test_accuracy"]
    grokked = runs[runs["peak_test_accuracy"] >= GENERALIZES]
    fell = grokked[~generalize(grokked, FORGOTTEN)]
    steady = settled(grokked, None if SETTLED in grokked else results["curves"])
    sank = steady[~generalize(steady, FORGOTTEN)]
    also = [
        (f"no run ends below {FORGOTTEN:g}", fell.empty),
        ("nor settles below it", sank.empty),
    ]
    held = lost.empty
    accuracies = f" (test accuracy {lost.min():.2f} to {lost.max():.2f})" if len(lost) else ""
    end = "; these steps end in the middle of it" if len(lost) and lost.min() > CHANCE else ""
    return Claim(
        "M, Fig. 26",
        text,
        f"runs of that label, by decay {by_seed(forgot)}{accuracies}; of {len(grokked)} that had"
        f" generalized {len(fell)} end below {FORGOTTEN:g}, and {len(sank)} settle below it",
        held,
        rule="no run of that label",
        also=tuple(also),
        why=(
            "At the largest decay what groks loses its test accuracy while its weights shrink, as"
            f" in Figure 8{end}."
        ),
    )


def cross_entropy_dropout(dropped: Results) -> Iterator[Claim]:
    """With cross-entropy very high dropout rates are needed to grok or invert."""
    runs = dropped["runs"]
    inverted = every_seed(runs["phase"] == "Inversion", runs, "dropout")
    rates = runs["dropout"]

    def words(least: float) -> str:
        return by_seed(every_seed(generalize(runs, least), runs, "dropout"))

    def inverts(most: float) -> bool:
        low = inverted[inverted.index <= most]
        return bool(low.to_numpy().sum() == 0 and (inverted.iloc[-1] > 0).all())

    yield Claim(
        "M, Fig. 26",
        "very high dropout rates are needed to invert",
        f"cells of {_cells(runs)} that invert, by rate {by_seed(inverted)}",
        inverts(0.5),
        rule=f"none at rates up to 0.5, some at {rates.max():g} in every seed",
        also=(("none up to 0.8", inverts(0.8)),),
        why="Some cells invert at moderate rates, or none at high ones.",
    )
    means = {
        least: generalize(runs, least).groupby(rates).sum() / runs["seed"].nunique()
        for least in (GENERALIZES, ALSO)
    }

    def groks(least: float) -> Verdict:
        found = means[least]
        steady = bool(found.is_monotonic_increasing and found.iloc[-1] > found.iloc[0])
        return verdict(
            steady, steady and bool(found.iloc[-1] >= 2 * found[found.index <= 0.5].max())
        )

    held = groks(GENERALIZES)
    yield Claim(
        "M, Fig. 26",
        "very high dropout rates are needed to grok",
        f"cells of {_cells(runs)} that generalize, by rate {words(GENERALIZES)}; mean"
        f" {by_value(means[GENERALIZES], 1)}",
        held,
        rule=f"more from rate to rate, and at {rates.max():g} twice as many as at any rate up to"
        " 0.5, mean over seeds; in part if only the first",
        also=((f"at {ALSO:g}", groks(ALSO)),),
        why="Moderate rates already help.",
    )
