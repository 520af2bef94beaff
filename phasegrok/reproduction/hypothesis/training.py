"""Claims on training: section 1.1, section 2 (Figure 1) and the abstract's two stages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from phasegrok.analysis.phases_of_weights import PERIODIC, peaks
from phasegrok.analysis.stages import first_step, stages
from phasegrok.config import SOLVED
from phasegrok.reproduction.base import Claim, Results, Verdict
from phasegrok.reproduction.hypothesis.cells import FULL, NONE, PARTIAL, XI, at_decay, of
from phasegrok.reproduction.words import spread, verdict

__all__ = ["dropout_stages", "grokking", "monotonic", "periodic", "phases", "sudden", "two_stages"]

CHANCE: Final = 0.1  # a test accuracy below it is no generalization, at 97 classes
CLOSE: Final = 0.02  # of a training accuracy to 1 - xi


def grokking(results: Results) -> Iterator[Claim]:
    """Without corruption, test accuracy rises sharply, long after the training set is memorized."""
    curves = results["curves"]
    memorized = first_step(curves, "train_accuracy", SOLVED)
    begins = first_step(curves, "test_accuracy", CHANCE)
    grokked = stages(curves)["grokking_step"].astype(float)
    later = begins > memorized
    yield Claim(
        "1.1, Fig. 2a",
        "without corruption, test accuracy rises after the training set is memorized, and sharply",
        f"training accuracy above {SOLVED} at step {_steps(memorized)}; test accuracy above"
        f" {CHANCE:g} at {_steps(begins)} and 0.9 at {_steps(grokked)}",
        bool(later.all() and (grokked - begins <= memorized).all()),
        rule=f"in every seed, above {CHANCE:g} after the training set is memorized, and from there"
        " to 0.9 in fewer steps than memorizing took",
    )
    ratio = grokked / memorized

    def long_after(times: float) -> Verdict:
        return verdict(bool((ratio > 1).all()), bool((ratio >= times).all()))

    held = long_after(3)
    yield Claim(
        "1.1, Fig. 2a",
        "generalization comes long after memorization",
        f"test accuracy 0.9 after {spread(ratio, 2)} times the steps of training accuracy {SOLVED}",
        held,
        rule="at least 3 times as many steps in every seed; in part if more",
        also=(("1.3 times", long_after(1.3)),),
        why=(
            "The order is the paper's, and the delay is short: with this optimizer all of it"
            " happens within some 40 steps."
        ),
    )


def _steps(steps: pd.Series[Any]) -> str:
    return " / ".join(f"{step:.0f}" if pd.notna(step) else "never" for step in steps)


def monotonic(results: Results) -> Iterator[Claim]:
    """The mean IPR rises monotonically while a network groks."""
    curves = results["curves"].sort_values("step")
    rising = curves.groupby("run")["mean_ipr"].diff().dropna()
    gone = curves.groupby("run")["mean_ipr"].agg(["first", "last"]).mean()
    largest = float(-rising.min())

    def rises(fall: float) -> Verdict:
        return verdict(largest < 0.01 * (gone["last"] - gone["first"]), largest <= fall)

    held = rises(0.0)
    yield Claim(
        "Fig. 2a",
        "the mean IPR rises monotonically",
        f"from {gone['first']:.3f} to {gone['last']:.3f}; {(rising < 0).mean():.0%} of the"
        f" intervals of two steps fall, by at most {largest:.4f}",
        held,
        rule="no interval falls; in part if none falls by 1 % of the rise",
        also=(("falls of up to 0.001", rises(0.001)),),
        why="On a curve of the figure's size the falls cannot be seen.",
    )


def periodic(results: Results) -> Iterator[Claim]:
    """Rows of U are noise before grokking and periodic after it."""
    found = peaks(results["rows"])
    before, after = found.index.get_level_values("step").min(), found.index.get_level_values("step")
    early, late = (found[after == step]["share"] for step in (before, after.max()))
    yield Claim(
        "1.1, Fig. 2b",
        "weight vectors are noise before grokking and periodic after it",
        f"share of a vector's power at its largest frequency, {len(late)} vectors of U, V and W:"
        f" step {before} {spread(early)} (at most {early.max():.3f}), step {after.max()}"
        f" {spread(late)} (at least {late.min():.3f})",
        bool(early.max() < 0.5 and late.min() > 0.9),
        rule="every vector below 0.5 before and above 0.9 after",
        also=(("above 0.95 after", bool(early.max() < 0.5 and late.min() > 0.95)),),
    )
    neurons = results["neurons"]
    high = (neurons["ipr"] > PERIODIC).groupby([neurons["step"], neurons["seed"]]).mean().unstack(0)
    yield Claim(
        "1.1, Fig. 2c",
        "the distribution of the neurons' IPR shifts to high values",
        f"share of neurons of IPR above {PERIODIC}: "
        + ", ".join(f"step {step} {spread(high[step])}" for step in high),
        bool(high.iloc[:, 0].max() < 0.1 and high.iloc[:, -1].min() > 0.9),
        rule="below 0.1 before and above 0.9 after, in every seed",
    )


def phases(results: Results) -> Iterator[Claim]:
    """One cell is in Coexistence, Partial and Full Inversion as weight decay grows."""
    runs = results["runs"]
    train = {decay: at_decay(runs, decay)["train_accuracy"] for decay in (NONE, PARTIAL, FULL)}
    test = {decay: at_decay(runs, decay)["test_accuracy"] for decay in train}

    def near(least: float) -> bool:
        return bool((train[NONE] >= least).all() and (test[NONE] >= least).all())

    yield Claim(
        "2, Fig. 1a",
        "no regularization: Coexistence, both accuracies near 100 %",
        f"train {spread(train[NONE])}, test {spread(test[NONE])}",
        near(0.95),
        rule="both at least 0.95 in every seed",
        also=(("0.99", near(0.99)),),
    )
    partial = at_decay(runs, PARTIAL)
    label, direct = (
        (partial[c] == "Partial Inversion").all() for c in ("subphase", "direct_phase")
    )
    solved = bool((test[PARTIAL] > 0.99).all())
    yield Claim(
        "2, Fig. 1b",
        "weight decay 5: test near 100 %, some corrupted labels memorized, the others corrected",
        f"test {spread(test[PARTIAL])}, train {spread(train[PARTIAL])}; corrupted examples answered"
        f" as given {spread(partial['corrupted_accuracy'])}, with the true label"
        f" {spread(partial['restored_accuracy'])}",
        bool(solved and label),
        rule="test above 0.99 and Partial Inversion by Table 2 in every seed",
        also=(("by direct_phase", bool(solved and direct)),),
    )
    full = at_decay(runs, FULL)

    def inverted(close: float) -> bool:
        at = (train[FULL] - (1 - XI)).abs() < close
        return bool((test[FULL] > 0.99).all() and at.all())

    yield Claim(
        "2, Fig. 1c",
        "weight decay 15: test 100 %, train at 1 − ξ = 0.65, the true label on corrupted examples",
        f"test {spread(test[FULL])}, train {spread(train[FULL])}, true label on corrupted examples"
        f" {spread(full['restored_accuracy'])}",
        inverted(CLOSE) and bool((full["restored_accuracy"] > 0.9).all()),
        rule=f"test above 0.99, train within {CLOSE:g} of 0.65, 90 % of the corrupted examples with"
        " the true label, in every seed",
        also=(("within 0.01 of 0.65, 99 %", inverted(0.01) and _restored(full, 0.99)),),
    )


def _restored(runs: pd.DataFrame, share: float) -> bool:
    return bool((runs["restored_accuracy"] > share).all())


def two_stages(results: Results) -> Iterator[Claim]:
    """Under weight decay a network first groks, and then unlearns the corrupted labels."""
    for decay in (PARTIAL, FULL):
        yield _stages(
            f"weight decay {decay:g}",
            at_decay(results["curves"], decay),
            at_decay(results["runs"], decay),
        )


def dropout_stages(results: Results) -> Iterator[Claim]:
    """Under dropout a network first groks, and then unlearns the corrupted labels."""
    curves, runs = results["curves"], results["runs"]
    for rate in (0.3, 0.6):
        yield _stages(
            f"dropout {rate:g}", curves[curves["dropout"] == rate], runs[runs["dropout"] == rate]
        )


def sudden(results: Results, dropped: Results) -> Iterator[Claim]:
    """In the second stage the train accuracy falls suddenly."""
    for name, curves in (
        (f"weight decay {FULL:g}", at_decay(results["curves"], FULL)),
        ("dropout 0.6", dropped["curves"].query("dropout == 0.6")),
    ):
        steps = curves.groupby("run")[["step", "train_accuracy"]].apply(_fall)
        budget = curves["step"].max()
        share = float(steps.max() / budget)
        yield Claim(
            "abstract",
            f"{name}: the train accuracy falls suddenly from its height to 1 − ξ",
            f"from a tenth of the fall to nine tenths of it in {_steps(steps)} of {budget} steps",
            share <= 0.1,
            rule="at most a tenth of the steps in every seed",
            also=(("a twentieth", share <= 0.05),),
            why="The fall takes longer.",
        )


def _fall(curve: pd.DataFrame) -> int:
    """Steps from the last point within a tenth of the fall below the top to nine tenths below."""
    curve = curve.sort_values("step")
    top, end = curve["train_accuracy"].max(), curve["train_accuracy"].iloc[-1]
    gone = (top - curve["train_accuracy"]) / (top - end)
    first = curve["step"][gone <= 0.1].max()
    return int(curve["step"][(gone >= 0.9) & (curve["step"] > first)].min() - first)


def _stages(name: str, curves: pd.DataFrame, runs: pd.DataFrame) -> Claim:
    found = stages(curves)
    highest = curves.groupby("run")["train_accuracy"].max()
    ends = runs.set_index("run")["train_accuracy"]
    unlearned = found["unlearning_step"].notna()
    ordered = (found["grokking_step"] < found["unlearning_step"]).fillna(False)
    reached = (found["fitting_step"] < found["grokking_step"]).fillna(False) & (highest > 0.99)
    whole = ordered & reached
    down = (ends - (1 - XI)).abs() < CLOSE
    held = verdict(bool(whole.any()), bool(whole.all()))
    return Claim(
        "abstract",
        f"{name}: first grokking, with high train and test accuracy, then the corrupted labels are"
        " unlearned",
        f"90 % of the corrupted labels fitted by step {found['fitting_step'].max()}, test accuracy"
        f" 0.9 at {_steps(found['grokking_step'])}, half of the corrupted labels given up at"
        f" {_steps(found['unlearning_step'])}; train accuracy falls from"
        f" {np.mean(highest):.3f} to {spread(ends)}",
        held,
        rule="in every seed training accuracy above 0.99, then test accuracy 0.9, then half of the"
        " corrupted labels given up for good; in part if in some",
        also=(
            (
                f"down to 1 − ξ, within {CLOSE:g}",
                verdict(bool(whole.any() and down.any()), bool(whole.all() and down.all())),
            ),
        ),
        why=(
            f"{of(unlearned)} seeds give up half of the corrupted labels; the others fall as late,"
            " and end a little above one half."
        ),
    )
