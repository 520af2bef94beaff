"""Claims of Doshi et al., sections 2 and 2.1 and appendices D, E, I, K and Q (Hypothesis 2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from phasegrok.analysis.pruned import RETAINED, at_threshold, needed
from phasegrok.analysis.stages import stages
from phasegrok.analysis.trends import analytic_exponent, exponent
from phasegrok.reproduction.base import Claim, Results, spread

__all__ = ["claims"]

XI: Final = 0.35
# Between the two groups of neurons: in Coexistence fewer than 2 % of them lie within 0.2 of it.
THRESHOLD: Final = 0.5
NONE, PARTIAL, FULL, FORGETS = 0.0, 5.0, 15.0, 20.0  # weight decays of the four phases


def claims(root: Path) -> Iterator[Claim]:
    """Every claim whose results are under ``root``, in the paper's order."""
    phases = Results(root / "phases")
    yield from _grokking(Results(root / "grokking"))
    yield from _phases(phases)
    yield from _stages(phases)
    yield from _histograms(phases, Results(root / "dropout-phases"))
    yield from _pruning_lowest(phases)
    yield from _pruning_highest(phases)
    yield from _losses(phases)
    yield from _forgetting(phases, root)
    yield from _logits(phases)
    yield from _widths(Results(root / "prunable"))
    yield from _analytic(Results(root / "analytic"))


def _at(table: pd.DataFrame, decay: float) -> pd.DataFrame:
    return table[table["weight_decay"] == decay]


def _grokking(results: Results) -> Iterator[Claim]:
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


def _phases(results: Results) -> Iterator[Claim]:
    runs = results["runs"]
    train = {decay: _at(runs, decay)["train_accuracy"] for decay in (NONE, PARTIAL, FULL)}
    test = {decay: _at(runs, decay)["test_accuracy"] for decay in train}
    yield Claim(
        "2, Fig. 1a",
        "no regularization: Coexistence, both accuracies near 100 %",
        f"train {spread(train[NONE])}, test {spread(test[NONE])}",
        bool((train[NONE] > 0.95).all() and (test[NONE] > 0.95).all()),
    )
    partial = _at(runs, PARTIAL)
    yield Claim(
        "2, Fig. 1b",
        "weight decay 5: test near 100 %, some corrupted labels memorized, the others corrected",
        f"test {spread(test[PARTIAL])}, train {spread(train[PARTIAL])}; corrupted examples answered"
        f" as given {spread(partial['corrupted_accuracy'])}, with the true label"
        f" {spread(partial['restored_accuracy'])}",
        bool((test[PARTIAL] > 0.99).all() and (partial["subphase"] == "Partial Inversion").all()),
    )
    full = _at(runs, FULL)
    yield Claim(
        "2, Fig. 1c",
        "weight decay 15: test 100 %, train at 1 − ξ = 0.65, the true label on corrupted examples",
        f"test {spread(test[FULL])}, train {spread(train[FULL])}, true label on corrupted examples"
        f" {spread(full['restored_accuracy'])}",
        bool((test[FULL] > 0.99).all() and (train[FULL] - (1 - XI) < 0.02).all()),
    )


def _stages(results: Results) -> Iterator[Claim]:
    found = results["runs"].set_index("run")[["weight_decay", "corrupted_accuracy"]]
    found = found.join(stages(results["curves"]))
    for decay in (PARTIAL, FULL):
        these = _at(found, decay)
        train = [
            curve.set_index("step")["train_accuracy"]
            for _, curve in _at(results["curves"], decay).groupby("run")
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


def _histograms(results: Results, dropped: Results) -> Iterator[Claim]:
    neurons = results["neurons"]
    low = neurons.assign(low=(neurons["ipr"] < THRESHOLD) | neurons["dead"])
    plain = _at(neurons, NONE)["ipr"]
    below, between, above = (
        ((plain >= a) & (plain < b)).mean() for a, b in ((0, 0.2), (0.2, 0.7), (0.7, 1.01))
    )
    yield Claim(
        "2.1, Fig. 4",
        "Coexistence has a bimodal distribution of IPR",
        f"{below:.1%} of the neurons below 0.2, {between:.1%} between 0.2 and 0.7,"
        f" {above:.1%} above",
        bool(between < 0.1 * min(below, above)),
    )
    share = low.groupby(["weight_decay", "run"])["low"].mean()
    each = {decay: share.loc[decay] for decay in (NONE, PARTIAL, FULL)}
    means = [values.mean() for values in each.values()]
    yield Claim(
        "2.1, Fig. 4a",
        f"weight decay lowers the share of neurons of low IPR (here below {THRESHOLD})",
        ", ".join(f"wd {decay:g}: {spread(values)}" for decay, values in each.items()),
        bool(means[0] > means[1] > means[2]),
    )
    runs = results["runs"]
    ipr = [_at(runs, decay)["mean_ipr"] for decay in (NONE, PARTIAL, FULL)]
    yield Claim(
        "Fig. 4a",
        "and raises the mean IPR (one run of the original: 0.28 at wd 0, 0.44 at wd 5)",
        ", ".join(
            f"wd {d:g}: {spread(v)}" for d, v in zip((NONE, PARTIAL, FULL), ipr, strict=True)
        ),
        bool(ipr[0].max() < ipr[1].min() and ipr[1].max() < ipr[2].min()),
    )
    by_dropout = dropped["runs"].groupby("dropout")["mean_ipr"]
    means = [by_dropout.get_group(rate).mean() for rate in (0.0, 0.3, 0.6)]
    yield Claim(
        "Fig. 4b",
        "dropout shifts the distribution to higher IPR",
        ", ".join(f"{rate:g}: {spread(values)}" for rate, values in by_dropout)
        + " (mean IPR; 0.9 is Confusion)",
        bool(means[0] < means[1] < means[2]),
    )


def _pruning_lowest(results: Results) -> Iterator[Claim]:
    rows = at_threshold(results["pruning"], results["neurons"], THRESHOLD)
    before = results["runs"].set_index("run")
    for decay, where in ((NONE, "2.1, Fig. 6"), (PARTIAL, "I, Fig. 17b"), (FULL, "I, Fig. 17c")):
        these = _at(rows, decay)
        was = before.loc[these["run"]]
        yield Claim(
            where,
            f"wd {decay:g}: without the neurons of IPR below {THRESHOLD}, corrupted labels are"
            " forgotten, test and uncorrupted accuracy stay, training accuracy is 1 − ξ",
            f"{spread(these['share'])} of the neurons removed: corrupted"
            f" {was['corrupted_accuracy'].mean():.3f} → {spread(these['corrupted_accuracy'])}, test"
            f" {was['test_accuracy'].mean():.3f} → {spread(these['test_accuracy'])}, uncorrupted"
            f" {spread(these['clean_accuracy'])}, train {spread(these['train_accuracy'])}",
            bool(
                (these["corrupted_accuracy"] < 0.05).all()
                and (these["test_accuracy"] > RETAINED).all()
                and ((these["train_accuracy"] - (1 - XI)).abs() < 0.02).all()
            ),
        )
    left = needed(results["pruning"]).to_frame().join(before[["weight_decay"]])
    width = results["pruning"]["pruned"].max()
    plain = _at(left, NONE)["needed"]
    way = _at(results["pruning"][results["pruning"]["order"] == "lowest"], NONE)
    on_the_way = way[way["pruned"] <= width - way["run"].map(plain)]["test_accuracy"].min()
    yield Claim(
        "2.1, Fig. 6",
        f"test accuracy stays high (here at least {RETAINED:.0%}) over a wide range of pruning",
        f"at wd 0 until {spread(100 * (1 - plain / width), 1)} % of {width} neurons are gone, never"
        f" below {on_the_way:.3f} on the way",
        bool((plain < 0.5 * width).all() and on_the_way >= RETAINED),
    )
    random = needed(results["pruning"], "random").to_frame().join(before[["weight_decay"]])
    control = 100 * (1 - _at(random, NONE)["needed"] / width)
    yield Claim(
        "control",
        "which a random order does not do",
        f"at wd 0 until {spread(control, 1)} % are gone",
        bool((control < 50).all()),
    )


def _falls(pruning: pd.DataFrame, column: str, level: float) -> pd.Series[float]:
    """Share of the neurons pruned when a column is first below a level, by run."""
    shares = pruning["pruned"] / pruning["pruned"].max()
    below = pruning[column] < level
    first: pd.Series[float] = shares[below].groupby(pruning["run"][below]).min()
    return first


def _pruning_highest(results: Results) -> Iterator[Claim]:
    highest = results["pruning"][results["pruning"]["order"] == "highest"]
    plain = _at(highest, NONE)
    test, corrupted = (_falls(plain, f"{n}_accuracy", 0.5) for n in ("test", "corrupted"))
    clean = _falls(plain, "clean_accuracy", 0.5)
    yield Claim(
        "2.1, Fig. 6 right",
        "pruned from the highest IPR, test accuracy goes first, accuracy on uncorrupted training"
        " data next, and corrupted labels are kept longest",
        f"share pruned when they fall below one half: test {spread(test)}, uncorrupted"
        f" {spread(clean)}, corrupted {spread(corrupted)}",
        bool((test < clean).all() and (clean < corrupted).all()),
    )
    gain = {}
    for decay in (PARTIAL, FULL):
        curves = _at(highest, decay).groupby("run")["corrupted_accuracy"]
        gain[decay] = pd.DataFrame({"first": curves.first(), "most": curves.max()})
    yield Claim(
        "I, Fig. 17b",
        "wd 5: pruning from the highest IPR improves the corrupted accuracy",
        f"{spread(gain[PARTIAL]['first'])} → at most {spread(gain[PARTIAL]['most'])}",
        bool((gain[PARTIAL]["most"] > gain[PARTIAL]["first"] + 0.3).all()),
    )
    yield Claim(
        "I, Fig. 17c",
        "wd 15: hardly, there being few neurons of low IPR",
        f"{spread(gain[FULL]['first'])} → at most {spread(gain[FULL]['most'])}",
        bool((gain[FULL]["most"] < 0.2).all()),
    )


def _losses(results: Results) -> Iterator[Claim]:
    curves = results["pruning"][results["pruning"]["order"] == "lowest"].sort_values("pruned")
    plain, partial, full = (_at(curves, decay).groupby("run") for decay in (NONE, PARTIAL, FULL))
    width = curves["pruned"].max()
    fall = plain["train_loss"].apply(lambda loss: float((loss.cummax() - loss).max() / loss.max()))
    yield Claim(
        "I.2, Fig. 18a",
        "wd 0: pruning from the lowest IPR raises the train loss (almost)"
        " monotonically, the test loss not",
        f"the train loss falls back by at most {spread(100 * fall, 0)} % of its highest value"
        f" on the way; test loss {spread(1e3 * plain['test_loss'].first(), 2)} at first,"
        f" {spread(1e3 * plain['test_loss'].min(), 2)} at its lowest (10⁻³)",
        None if (fall > 0.05).any() else True,
    )
    lowest = partial["test_loss"].agg(["first", "min", "idxmin"])
    where = curves.loc[lowest["idxmin"], "pruned"] / width
    yield Claim(
        "I.2, Fig. 18b",
        "wd 5: the test loss falls while memorizing neurons go, then rises; the train loss rises",
        f"test loss {spread(1e3 * lowest['first'], 2)} → {spread(1e3 * lowest['min'], 2)} (10⁻³)"
        f" with {spread(where)} pruned; train loss rises throughout:"
        f" {'yes' if _rises(partial['train_loss']) else 'nearly'}",
        bool((lowest["min"] < lowest["first"]).all() and ((where > 0.1) & (where < 0.9)).all()),
    )
    start = full["test_loss"].first()
    tenth = _at(curves[curves["pruned"] == round(0.05 * width)], FULL).set_index("run")["test_loss"]
    yield Claim(
        "I.2, Fig. 18c",
        "wd 15: the test loss stays at first, then rises",
        f"test loss changes by {spread(100 * (tenth / start - 1), 2)} % over the first 5 % pruned,"
        f" by {spread(100 * (full['test_loss'].max() / start - 1), 0)} % in all",
        bool(((tenth / start - 1).abs() < 0.01).all()),
    )


def _rises(groups: Any) -> bool:
    return bool(groups.apply(lambda loss: (loss.diff().dropna() > -1e-5).all()).all())


def _forgetting(results: Results, root: Path) -> Iterator[Claim]:
    runs = _at(results["runs"], FORGETS)
    fell = runs["weight_norm"] / runs["peak_weight_norm"]
    yield Claim(
        "E, Fig. 8",
        "wd 20: both accuracies are lost after grokking, while all norms shrink",
        f"test accuracy {spread(runs['peak_test_accuracy'])} → {spread(runs['test_accuracy'])};"
        f" weight norm at the end {spread(fell)} of what it was when last above 90 %",
        bool((runs["subphase"] == "Forgetting").all() and (fell < 1).all()),
    )
    relu = Results(root / "forgetting-relu")["runs"]
    kept = _at(relu, FORGETS)["test_accuracy"]
    yield Claim(
        "E, N",
        "not with ReLU",
        f"{(relu['subphase'] == 'Forgetting').sum()} of {len(relu)} runs at weight decay"
        f" {_values(relu)} forget; test accuracy at 20: {spread(kept)}",
        bool((relu["subphase"] != "Forgetting").all()),
    )
    sgd = Results(root / "forgetting-sgd")["runs"]
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


def _logits(results: Results) -> Iterator[Claim]:
    means = results["logits"].groupby(["weight_decay", "mark"])["logit"].mean().unstack()
    text = {
        decay: ", ".join(f"{mark} {row[mark]:.3f}" for mark in ("corrupted", "true", "other"))
        for decay, row in means.iterrows()
    }
    ratio = means["corrupted"] / means["true"]
    examples = results["logits"].groupby("run")["example"].nunique().sum() // 4
    for decay, claim, held in (
        (NONE, "wd 0: on corrupted examples the corrupted label's output is the larger peak", 1.2),
        (PARTIAL, "wd 5: the two peaks are alike", None),
        (FULL, "wd 15: the corrupted label's peak is heavily suppressed", 0.5),
    ):
        r = float(ratio[decay])
        ok = 0.8 < r < 1.25 if held is None else (r > held if held > 1 else r < held)
        yield Claim("K, Fig. 23", claim, f"mean of {examples} examples: {text[decay]}", ok)


def _widths(results: Results) -> Iterator[Claim]:
    left = results["runs"].set_index("run")[["width"]].join(needed(results["pruning"]))
    each = left.groupby("width")["needed"]
    grows = exponent(left["width"], left["needed"])
    share = (100 * (1 - left["needed"] / left["width"])).groupby(left["width"])
    yield Claim(
        "Q, Fig. 32a",
        f"the neurons needed (test accuracy ≥ {RETAINED:.0%}) grow sub-linearly with the width",
        ", ".join(f"{width:g}: {spread(values, 0)}" for width, values in each)
        + f"; exponent {grows:.2f}",
        grows < 1,
    )
    yield Claim(
        "Q, Fig. 32b",
        "so that the share that can be pruned grows",
        ", ".join(f"{width:g}: {spread(values, 1)} %" for width, values in share),
        bool(share.mean().is_monotonic_increasing),
    )


def _analytic(results: Results) -> Iterator[Claim]:
    start = results["curves"][results["curves"]["step"] == 0]
    solved = start.groupby("width")["test_accuracy"].min()
    yield Claim(
        "D, eq. 2",
        "periodic weights solve the task at sufficient width",
        ", ".join(f"{width:g}: {value:.3f}" for width, value in solved.items())
        + " (lowest test accuracy of the seeds, by width)",
        bool(solved[500] == 1),
    )
    wide = start[start["width"] >= 100]
    yield Claim(
        "D, eq. 6",
        "up to terms that fall as 1/√N",
        f"rms error of an output against N: exponent {analytic_exponent(wide):.3f}",
        abs(analytic_exponent(wide) + 0.5) < 0.05,
    )
