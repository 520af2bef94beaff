"""Claims on neurons and outputs: section 2.1 (Figure 4) and appendices D and K."""

from __future__ import annotations

from collections.abc import Iterator

from phasegrok.analysis.trends import analytic_exponent
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.hypothesis.cells import FULL, NONE, PARTIAL, THRESHOLD, at_decay
from phasegrok.reproduction.words import spread

__all__ = ["analytic", "histograms", "logits", "mean_ipr"]


def histograms(results: Results) -> Iterator[Claim]:
    neurons = results["neurons"]
    low = neurons.assign(low=(neurons["ipr"] < THRESHOLD) | neurons["dead"])
    plain = at_decay(neurons, NONE)["ipr"]
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


def mean_ipr(results: Results, dropped: Results) -> Iterator[Claim]:
    runs = results["runs"]
    ipr = [at_decay(runs, decay)["mean_ipr"] for decay in (NONE, PARTIAL, FULL)]
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


def logits(results: Results) -> Iterator[Claim]:
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


def analytic(results: Results) -> Iterator[Claim]:
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
