"""Claims on training: sections 1.1 and 2, and appendix E."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from phasegrok.analysis.stages import stages
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.hypothesis.cells import FORGETS, FULL, NONE, PARTIAL, XI, at_decay
from phasegrok.reproduction.words import spread

__all__ = ["forgetting", "grokking", "phases", "two_stages"]


def grokking(results: Results) -> Iterator[Claim]:
    curves, runs = results["curves"], results["runs"]
    found = stages(curves)
    memorized = runs["memorization_step"]
    grokked = found["grokking_step"]
    yield Claim(
        "1.1, Fig. 2a",
        "without corruption, test accuracy rises sharply after the training set is memorized",
        f"train accuracy above 0.9 at step {_first(curves, 'train_accuracy'):.0f}, test accuracy"
        f" above 0.1 at {_first(curves, 'test_accuracy', 0.1):.0f} and above 0.9 at"
        f" {grokked.mean():.0f} (train above 0.999 at {memorized.mean():.0f})",
        bool(_first(curves, "train_accuracy") < _first(curves, "test_accuracy", 0.1)),
    )
    rising = curves.sort_values("step").groupby("run")["mean_ipr"].diff().dropna()
    gone = curves.groupby("run")["mean_ipr"].agg(["first", "last"]).mean()
    largest = -rising.min()
    yield Claim(
        "Fig. 2a",
        "the mean IPR rises monotonically",
        f"from {gone['first']:.3f} to {gone['last']:.3f}; {(rising < 0).mean():.0%} of the"
        f" intervals of two steps fall, by at most {largest:.4f}",
        None if largest < 0.01 else False,
    )


def _first(curves: pd.DataFrame, column: str, level: float = 0.9) -> float:
    """First logged step above a level, mean over runs."""
    return float(curves[curves[column] > level].groupby("run")["step"].min().mean())


def phases(results: Results) -> Iterator[Claim]:
    runs = results["runs"]
    train = {decay: at_decay(runs, decay)["train_accuracy"] for decay in (NONE, PARTIAL, FULL)}
    test = {decay: at_decay(runs, decay)["test_accuracy"] for decay in train}
    yield Claim(
        "2, Fig. 1a",
        "no regularization: Coexistence, both accuracies near 100 %",
        f"train {spread(train[NONE])}, test {spread(test[NONE])}",
        bool((train[NONE] > 0.95).all() and (test[NONE] > 0.95).all()),
    )
    partial = at_decay(runs, PARTIAL)
    yield Claim(
        "2, Fig. 1b",
        "weight decay 5: test near 100 %, some corrupted labels memorized, the others corrected",
        f"test {spread(test[PARTIAL])}, train {spread(train[PARTIAL])}; corrupted examples answered"
        f" as given {spread(partial['corrupted_accuracy'])}, with the true label"
        f" {spread(partial['restored_accuracy'])}",
        bool((test[PARTIAL] > 0.99).all() and (partial["subphase"] == "Partial Inversion").all()),
    )
    full = at_decay(runs, FULL)
    yield Claim(
        "2, Fig. 1c",
        "weight decay 15: test 100 %, train at 1 − ξ = 0.65, the true label on corrupted examples",
        f"test {spread(test[FULL])}, train {spread(train[FULL])}, true label on corrupted examples"
        f" {spread(full['restored_accuracy'])}",
        bool((test[FULL] > 0.99).all() and (train[FULL] - (1 - XI) < 0.02).all()),
    )


def two_stages(results: Results) -> Iterator[Claim]:
    found = results["runs"].set_index("run")[["weight_decay", "corrupted_accuracy"]]
    found = found.join(stages(results["curves"]))
    for decay in (PARTIAL, FULL):
        these = at_decay(found, decay)
        train = [
            curve.set_index("step")["train_accuracy"]
            for _, curve in at_decay(results["curves"], decay).groupby("run")
        ]
        highest = np.mean([curve.max() for curve in train])
        ends = np.mean([curve.iloc[-1] for curve in train])
        yield Claim(
            "abstract",
            f"weight decay {decay:g}: first grokking, then the corrupted labels are unlearned",
            f"memorized by step {these['fitting_step'].max()}, test accuracy 90 % at"
            f" {_steps(these['grokking_step'])}, half of the corrupted labels given up at"
            f" {_steps(these['unlearning_step'])}; train accuracy falls from {highest:.3f}"
            f" to {ends:.3f}",
            bool((these["grokking_step"] < these["unlearning_step"]).all()),
        )


def _steps(steps: pd.Series[int]) -> str:
    return " / ".join(str(step) for step in steps)


def forgetting(results: Results, rectified: Results, plain: Results) -> Iterator[Claim]:
    """Very large weight decay loses what was grokked, with the square and AdamW only."""
    runs = at_decay(results["runs"], FORGETS)
    fell = runs["weight_norm"] / runs["peak_weight_norm"]
    yield Claim(
        "E, Fig. 8",
        "wd 20: both accuracies are lost after grokking, while all norms shrink",
        f"test accuracy {spread(runs['peak_test_accuracy'])} → {spread(runs['test_accuracy'])};"
        f" weight norm at the end {spread(fell)} of what it was when last above 90 %",
        bool((runs["subphase"] == "Forgetting").all() and (fell < 1).all()),
    )
    relu = rectified["runs"]
    kept = at_decay(relu, FORGETS)["test_accuracy"]
    yield Claim(
        "E, N",
        "not with ReLU",
        f"{(relu['subphase'] == 'Forgetting').sum()} of {len(relu)} runs at weight decay"
        f" {_values(relu)} forget; test accuracy at 20: {spread(kept)}",
        bool((relu["subphase"] != "Forgetting").all()),
    )
    sgd = plain["runs"]
    grokked = sgd[sgd["peak_test_accuracy"] >= 0.9]
    yield Claim(
        "E",
        "not with plain gradient descent (here p = 47, N = 256)",
        f"{len(grokked)} of {len(sgd)} runs at weight decay {_values(sgd)} grok, and"
        f" {(grokked['subphase'] == 'Forgetting').sum()} of them forget (lowest final test accuracy"
        f" of these {grokked['test_accuracy'].min():.3f})",
        bool((sgd["subphase"] != "Forgetting").all()),
    )


def _values(runs: pd.DataFrame) -> str:
    return ", ".join(f"{value:g}" for value in sorted(runs["weight_decay"].unique()))
