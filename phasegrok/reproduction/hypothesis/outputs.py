"""Claims on outputs for corrupted examples: appendix K (Figure 23)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.hypothesis.cells import FULL, NONE, PARTIAL
from phasegrok.reproduction.words import by_value

__all__ = ["logits", "two_peaks"]

MARKS = ("corrupted", "true", "other")


def logits(results: Results) -> Iterator[Claim]:
    """The outputs at the corrupted and at the true label decide what is memorized."""
    table = results["logits"]
    keys = ["weight_decay", "run", "example"]
    each = table.groupby([*keys, "mark"])["logit"].mean().unstack()
    means = table.groupby(["weight_decay", "mark"])["logit"].mean().unstack()
    for decay, text, rule, bounds, also, others in (
        (
            NONE,
            "the corrupted label's output is the larger peak",
            "above 1.2",
            (1.2, np.inf),
            "above 1 in every example",
            (1, np.inf),
        ),
        (
            PARTIAL,
            "the two peaks are alike",
            "from 0.8 to 1.25",
            (0.8, 1.25),
            "from 0.5 to 2 in every example",
            (0.5, 2),
        ),
        (
            FULL,
            "the corrupted label's peak is heavily suppressed",
            "at most 0.5",
            (-np.inf, 0.5),
            "at most 0.75 in every example",
            (-np.inf, 0.75),
        ),
    ):
        mean = {mark: float(means[mark][decay]) for mark in MARKS}
        ratio = mean["corrupted"] / mean["true"]
        examples = each.loc[decay]
        ratios = examples["corrupted"] / examples["true"]
        held = bounds[0] <= ratio <= bounds[1]
        yield Claim(
            "K, Fig. 23",
            f"wd {decay:g}: on corrupted examples {text}",
            f"mean of {len(examples)} examples: {by_value(mean, 3)}; corrupted over true"
            f" {ratio:.2f}, by example {ratios.min():.2f} to {ratios.max():.2f}",
            held,
            rule=f"the ratio of the means is {rule}",
            also=((also, bool(ratios.between(*others).all())),),
            why="The outputs at the two labels are in another ratio.",
        )


def two_peaks(results: Results) -> Iterator[Claim]:
    """In every phase the outputs have two peaks, at the corrupted and at the true label."""
    table = results["logits"]
    table = table[table["weight_decay"].isin([NONE, PARTIAL, FULL])]
    ranks = table.groupby(["weight_decay", "run", "example"])["logit"].rank(ascending=False)
    marked = table["mark"] != "other"
    top = (ranks[marked] <= 2).groupby([table["weight_decay"], table["run"], table["example"]])
    both = top.all().groupby("weight_decay").mean()
    held = bool((both == 1).all())
    yield Claim(
        "K, Fig. 23",
        "in all phases the two largest outputs are at the corrupted and at the true label",
        f"share of corrupted examples, by weight decay {by_value(both, 2)}",
        held or (None if bool((both >= 0.5).all()) else False),
        rule="all of them; in part from one half on in every phase",
        also=(("90 %", bool((both >= 0.9).all())),),
        why="Where the corrupted label is suppressed, other outputs come near it.",
    )
