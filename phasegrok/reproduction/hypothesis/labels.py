"""Claims on what the phases mean: section 1.1, Table 1, and appendix J (Figure 19)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from phasegrok.analysis.phases import CORRUPTED_FITTED, CORRUPTED_IGNORED, GENERALIZES
from phasegrok.reproduction.base import Claim, Results, Verdict
from phasegrok.reproduction.words import spread, verdict

__all__ = ["dropout_phases", "population", "table_1"]

# Table 1: whether a phase's networks memorize the corrupted labels.
MEMORIZES: Final = {
    "Coexistence": "yes",
    "Partial Inversion": "partially",
    "Full Inversion": "no",
    "Memorization": "yes",
    "Forgetting": "no",
    "Confusion": "no",
}
RATES: Final = {
    0.0: "Coexistence",
    0.3: "Partial Inversion",
    0.6: "Full Inversion",
    0.9: "Confusion",
}


def table_1(*results: Results) -> Iterator[Claim]:
    """Each phase memorizes the corrupted labels, a part of them, or none (Table 1)."""
    runs = pd.concat([each["runs"] for each in results], ignore_index=True)
    runs = runs[runs["corruption_fraction"] > 0]
    kept = runs.groupby("subphase")["corrupted_accuracy"]
    mean = kept.mean()

    def wrong(most: float, least: float) -> list[str]:
        inside = {
            "yes": mean >= least,
            "partially": (mean > most) & (mean < least),
            "no": mean <= most,
        }
        return [name for name, says in MEMORIZES.items() if name in mean and not inside[says][name]]

    def held(most: float, least: float) -> Verdict:
        return verdict(len(wrong(most, least)) <= 1, not wrong(most, least))

    others = wrong(CORRUPTED_IGNORED, CORRUPTED_FITTED)
    words = "; ".join(
        f"{name} {kept.get_group(name).mean():.3f} ({kept.get_group(name).min():.3f} to"
        f" {kept.get_group(name).max():.3f}, {len(kept.get_group(name))} runs)"
        for name in MEMORIZES
        if name in mean
    )
    yield Claim(
        "2.1, Table 1",
        "phases memorize the corrupted labels (Coexistence, Memorization), a part of them (Partial"
        " Inversion), or none (Full Inversion, Forgetting, Confusion)",
        f"corrupted labels kept, by label of Table 2: {words}",
        held(CORRUPTED_IGNORED, CORRUPTED_FITTED),
        rule=f"means of at least {CORRUPTED_FITTED:g}, between, and at most {CORRUPTED_IGNORED:g};"
        " in part if one phase is elsewhere",
        also=(("0.8 and 0.2", held(0.2, 0.8)),),
        why=(
            "Confusion is a failure to memorize all of the labels (section 2), and a part of them"
            " is memorized. Table 1 has one column for it and Forgetting."
            if others == ["Confusion"]
            else f"It is not so for {', '.join(others)}."
        ),
    )


def dropout_phases(results: Results) -> Iterator[Claim]:
    """One cell goes through Coexistence, Partial and Full Inversion and Confusion under dropout."""
    runs = results["runs"]
    cells = runs.groupby("dropout")

    def same(label: str) -> bool:
        return all(bool((cells.get_group(r)[label] == name).all()) for r, name in RATES.items())

    words = "; ".join(
        f"{rate:g}: train {spread(cells.get_group(rate)['train_accuracy'])}, test"
        f" {spread(cells.get_group(rate)['test_accuracy'])}, corrupted labels kept"
        f" {spread(cells.get_group(rate)['corrupted_accuracy'])}"
        for rate in RATES
    )
    yield Claim(
        "J, Fig. 19",
        "dropout 0, 0.3, 0.6 and 0.9: Coexistence, Partial Inversion, Full Inversion, Confusion",
        words,
        same("subphase"),
        rule="by Table 2, in every seed",
        also=(("by direct_phase", same("direct_phase")),),
        why="Some seed has another label.",
    )
    full = cells.get_group(0.6)

    def ignores(most: float) -> bool:
        kept, test = full["corrupted_accuracy"] <= most, full["test_accuracy"] >= 0.999
        return bool(kept.all() and test.all())

    yield Claim(
        "abstract (iii), Fig. 19",
        "dropout forces the network to ignore the corrupted labels, with 100 % on uncorrupted data",
        f"dropout 0.6: corrupted labels kept {spread(full['corrupted_accuracy'])}, test accuracy"
        f" {spread(full['test_accuracy'])}",
        ignores(CORRUPTED_IGNORED),
        rule=f"at most {CORRUPTED_IGNORED:g} and a test accuracy of 0.999 in every seed",
        also=(("at most 0.02, as luck gives", ignores(0.02)),),
        why="Some are kept.",
    )


def population(results: Results) -> Iterator[Claim]:
    """A larger population of neurons of high IPR goes with better generalization."""
    runs = results["runs"]
    runs = runs[runs["weight_decay"] < runs["weight_decay"].max()]
    rank = {
        float(decay): float(cells["mean_ipr"].corr(cells["test_accuracy"], method="spearman"))
        for decay, cells in runs.groupby("weight_decay")
    }

    def held(least: float) -> bool:
        return min(rank.values()) >= least

    yield Claim(
        "1.1",
        "a larger population of neurons of high IPR leads to better generalization",
        "rank correlation of mean IPR and test accuracy over the cells, by decay "
        + ", ".join(f"{decay:g}: {value:.2f}" for decay, value in rank.items())
        + f"; mean IPR where test accuracy is {GENERALIZES:g}"
        f" {spread(runs[runs['test_accuracy'] >= GENERALIZES]['mean_ipr'])}, elsewhere"
        f" {spread(runs[runs['test_accuracy'] < GENERALIZES]['mean_ipr'])}",
        held(0.7),
        rule="at least 0.7 at every decay but the largest, at which networks forget",
        also=(("at least 0.9", held(0.9)),),
        why="They go together less at some decay.",
    )
