"""Claims on training sets that shrink and on critical sizes: sections 4.2, 4.3 and 5.3, Figures 7
to 9."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from phasegrok.analysis.critical import Estimate, crossings, estimate
from phasegrok.analysis.phases import GENERALIZES
from phasegrok.analysis.settled import settled
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.efficiency.models import MODELS
from phasegrok.reproduction.words import by_value, interval, verdict

__all__ = [
    "any_decay",
    "any_outcome",
    "either_side",
    "intermediate",
    "same_size",
    "ungrokking",
]

CHANCE: Final = 0.1
MARGIN: Final = 0.1  # well above what a network that memorizes answers
STILL: Final = 0.05  # a change between the last two fifths of a training that is none
BOTH: Final = ("test_accuracy", "train_accuracy")


def shrunk(results: Results) -> pd.DataFrame:
    """Runs whose training set shrinks after step 0, settled, with ``before``, the test accuracy at
    the event."""
    runs, curves = results["runs"], results["curves"]
    at = runs.set_index("run")["event_at_step"]
    begun = curves[curves["step"] == curves["run"].map(at)].set_index("run")["test_accuracy"]
    runs = settled(runs, curves, BOTH)
    later = runs[runs["event_at_step"] > 0]
    return later.assign(before=later["run"].map(begun))


def _range(values: pd.Series[Any], digits: int = 2) -> str:
    return f"{values.min():.{digits}f} to {values.max():.{digits}f}"


def _lost(runs: pd.DataFrame) -> pd.Series[bool]:
    """Whether a run answers no more of the test set than one that memorized. A Transformer that
    did still answers the mirror images of what it is given, as large a share as it is given."""
    lost: pd.Series[bool] = runs["test_accuracy"] - runs["event_value"] < CHANCE
    return lost


def ungrokking(results: Results) -> Iterator[Claim]:
    """Transformer, LSTM and MLP lose what they have grokked on a small enough training set"""
    runs = shrunk(results)
    for model, name in MODELS.items():
        one = runs[runs["variant"] == model]
        small = one[one["event_value"] == one["event_value"].min()]
        words = {
            float(str(share)): _range(group["test_accuracy"])
            for share, group in one.groupby("event_value")
        }
        had = bool((small["before"] > GENERALIZES).all())
        held = had and bool(_lost(small).all() and (small["train_accuracy"] > 0.99).all())
        yield Claim(
            "4.3, 5.3, Fig. 7",
            f"{name}: ungrokking on a small enough training set",
            f"test accuracy {_range(small['before'])} before; settled at the end, over seeds, by"
            f" share of data kept {by_value(words)}; training accuracy with the least"
            f" {small['train_accuracy'].min():.2f}",
            held,
            rule=f"with the smallest share every seed falls from above {GENERALIZES} to less than"
            f" {CHANCE} above that share, with training accuracy above 0.99",
            also=((f"below {CHANCE}", had and bool((small["test_accuracy"] < CHANCE).all())),),
            why="A seed had not generalized before, or keeps some of it.",
        )


def any_decay(results: Results) -> Iterator[Claim]:
    """Ungrokking at every weight decay"""
    runs = shrunk(results)
    small = runs[runs["event_value"] == runs["event_value"].min()]
    by = "variant" if "variant" in runs else "weight_decay"
    groups = small.sort_values("weight_decay", kind="stable").groupby(by, sort=False)
    tell = {
        key: f"{group['before'].mean():.2f}, then {_range(group['test_accuracy'])}"
        for key, group in groups
    }
    decays = groups["weight_decay"].first()
    grokked = groups["before"].min() > GENERALIZES
    lost = groups["test_accuracy"].max() < CHANCE
    for name, of in (
        ("at every weight decay", decays > 0),
        ("without weight decay too", ~(decays > 0)),
    ):
        if not of.any():
            continue
        held = verdict(bool((grokked & lost)[of].any()), bool((grokked & lost)[of].all()))
        shown = {key: words for key, words in tell.items() if of[key]}
        without = not decays[of].max() > 0
        yield Claim(
            "5.3, Fig. 8",
            f"ungrokking {name}",
            f"mean test accuracy before, and settled over seeds at the end with"
            f" {small['event_value'].min():g} of the data, by"
            f" {by.replace('_', ' ')} "
            + "; ".join(f"{key}: {words}" for key, words in shown.items()),
            held,
            rule=f"every seed falls from above {GENERALIZES} to below {CHANCE}"
            + ("" if without else ", at every decay; in part if at one"),
            why=(
                "A network that does not grok without decay has nothing to lose. One that does"
                " falls slowly: its training loss is nearly 0 on the smaller set too, and nothing"
                " else moves the weights. The study's own explanation needs decay. (What the former"
                " answers at the end are its old training examples, which are test examples then"
                " and which it has not forgotten.)"
                if without
                else "At one of the decays a seed had not generalized before, or keeps some of it."
            ),
        )


def _overlap(one: Estimate, other: Estimate) -> bool:
    return max(one.low, other.low) <= min(one.high, other.high)


def same_size(results: Results) -> Iterator[Claim]:
    """The critical size of networks that have grokked is that of new ones"""
    runs = settled(results["runs"], results["curves"])
    old = runs["event_at_step"] > 0
    found: dict[float, tuple[Estimate, Estimate]] = {}
    for decay, one in runs.groupby("weight_decay"):
        kinds = (one[old[one.index]], one[~old[one.index]])
        grokked, new = (estimate(crossings(kind, "event_value")) for kind in kinds)
        found[float(str(decay))] = grokked, new
    words = {
        decay: f"{interval(grokked)} against {interval(new)}"
        for decay, (grokked, new) in found.items()
    }
    alike = [_overlap(*pair) for pair in found.values()]
    near = [abs(grokked.mean - new.mean) < STILL for grokked, new in found.values()]
    held = verdict(any(alike), all(alike))
    yield Claim(
        "4.2, beyond",
        "the critical size of networks that have grokked is that of new ones",
        "share of data at which half of the test set is answered, by decay, grokked before against"
        " new: " + "; ".join(f"{decay:g}: {text}" for decay, text in words.items()),
        held,
        rule="the 95 % intervals overlap at every decay; in part if at one",
        also=((f"the means differ by less than {STILL} at every decay", all(near)),),
        why=(
            "Between the two shares a network stays what it is for the whole training: new ones do"
            " not find the rule, and old ones do not lose it."
        ),
    )


class Near:
    """The runs of `semi-grokking`, settled, and where each ended."""

    def __init__(self, results: Results) -> None:
        curves = results["curves"]
        self.runs = settled(results["runs"], curves)
        accuracy, share = self.runs["test_accuracy"], self.runs["data_fraction"]
        # A Transformer that only knows m + n = n + m answers a share of the test set as large as
        # that of the training set.
        self.memorized = accuracy - share <= MARGIN
        self.solved = accuracy >= GENERALIZES
        self.between = ~self.memorized & ~self.solved
        self.share = share
        last = curves["step"].max()
        before = curves[curves["step"] <= 0.8 * last]
        # The columns of runs that are settled already are those of the whole training.
        bare = self.runs.loc[:, ~self.runs.columns.str.startswith("settled_")]
        self.change = accuracy - settled(bare, before)["test_accuracy"]

    def count(self, ended: pd.Series[bool]) -> pd.Series[int]:
        number: pd.Series[int] = ended.astype(int).groupby(self.share).sum()
        return number


def either_side(results: Results) -> Iterator[Claim]:
    """No grokking well below the critical size, grokking above it"""
    near = Near(results)
    size = estimate(crossings(near.runs, "data_fraction"))
    memorized, solved = near.count(near.memorized), near.count(near.solved)
    seeds = int(near.runs["seed"].nunique())
    held = memorized.iloc[0] == seeds and solved.iloc[-1] == seeds
    yield Claim(
        "4.2, Fig. 9",
        "no grokking well below the critical size, grokking above it",
        f"D_crit at a share of {interval(size)}; of {seeds} seeds, by share of data, memorize"
        f" {by_value(memorized)}; solve {by_value(solved)}",
        verdict(bool(memorized.iloc[0] > solved.iloc[0]), bool(held)),
        rule=f"at the smallest share every seed ends less than {MARGIN} above that share, at the"
        f" largest every seed at {GENERALIZES} or more; in part if most memorize at the smallest",
        also=(("but for one seed", bool(memorized.iloc[0] + solved.iloc[-1] >= 2 * seeds - 1)),),
        why="Not every seed is on its side yet: the shares are close to D_crit.",
    )


def intermediate(results: Results) -> Iterator[Claim]:
    """Intermediate test accuracies near the critical size"""
    near = Near(results)
    between = near.count(near.between)
    still = near.count(near.between & (near.change.abs() < STILL))
    ends = near.runs.groupby("data_fraction")["test_accuracy"].agg(["min", "median", "max"])
    words = {
        share: " ".join(f"{value:.2f}" for value in values)
        for share, values in zip(ends.index, ends.to_numpy(np.float64), strict=True)
    }
    held = bool(between.max() >= 2)
    yield Claim(
        "5.3, Fig. 9",
        "intermediate test accuracies near the critical size",
        f"settled accuracies (least, median, largest) by share {by_value(words)}; seeds between"
        f" memorizing and solving {by_value(between)}; of those, settled since the fifth before the"
        f" last (a change below {STILL}) {by_value(still)}",
        held,
        rule=f"at some share two seeds end more than {MARGIN} above that share and below"
        f" {GENERALIZES}",
        also=(("and have settled", bool(still.max() >= 2)),),
        why="The seeds end on one of the two sides.",
    )


def any_outcome(results: Results) -> Iterator[Claim]:
    """At a size near the critical one a training ends as C_mem, as C_gen, or in between"""
    near = Near(results)
    outcomes = pd.DataFrame(
        {
            "memorize": near.count(near.memorized),
            "between": near.count(near.between),
            "solve": near.count(near.solved),
        }
    )
    kinds = (outcomes > 0).sum(axis=1)
    best = outcomes.iloc[int(kinds.to_numpy().argmax())]
    yield Claim(
        "4.3",
        "at a size near the critical one a training ends as C_mem, as C_gen, or in between",
        f"at a share of {kinds.idxmax():g} {best['memorize']} seeds memorize, {best['between']} are"
        f" between and {best['solve']} solve",
        verdict(bool(kinds.max() >= 2), bool(kinds.max() == 3)),
        rule="at one share all three are seen; in part if two",
        why="At no share all three are seen with so many seeds.",
    )
