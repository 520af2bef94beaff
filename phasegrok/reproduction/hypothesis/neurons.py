"""Claims on neurons: sections 1.1, 2.1 (Figure 4) and 3, and appendix D."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from phasegrok.analysis.phases_of_weights import PERIODIC, chance_of_all, peaks, phase_residuals
from phasegrok.analysis.trends import analytic_exponent
from phasegrok.reproduction.base import Claim, Results, Verdict
from phasegrok.reproduction.hypothesis.cells import FULL, NONE, PARTIAL, THRESHOLD, at_decay, of
from phasegrok.reproduction.words import spread, verdict

__all__ = [
    "analytic",
    "eliminated",
    "frequencies",
    "histograms",
    "mean_ipr",
    "phase_relation",
    "secondary_peaks",
]

MODULUS: Final = 97
TURN: Final = 0.2  # radians: small against the mean of random phases, pi / 2


def histograms(results: Results) -> Iterator[Claim]:
    """Coexistence has a bimodal distribution of IPR, and weight decay thins out its low group."""
    neurons = results["neurons"]
    low = neurons.assign(low=(neurons["ipr"] < THRESHOLD) | neurons["dead"])
    plain = at_decay(neurons, NONE)
    parts = {
        name: ((plain["ipr"] >= a) & (plain["ipr"] < b)).groupby(plain["seed"]).mean()
        for name, a, b in (("below", 0, 0.2), ("between", 0.2, 0.7), ("above", 0.7, 1.01))
    }
    least = np.minimum(parts["below"], parts["above"])

    def bimodal(part: float) -> bool:
        return bool((parts["between"] < part * least).all())

    yield Claim(
        "2.1, Fig. 4",
        "Coexistence has a bimodal distribution of IPR",
        f"share of the neurons below 0.2 {spread(parts['below'])}, between 0.2 and 0.7"
        f" {spread(parts['between'])}, above {spread(parts['above'])}",
        bimodal(0.1),
        rule="between less than a tenth of the smaller group, in every seed",
        also=(("a twentieth", bimodal(0.05)),),
    )
    share = low.groupby(["weight_decay", "run"])["low"].mean()
    each = {decay: share.loc[decay] for decay in (NONE, PARTIAL, FULL)}
    yield Claim(
        "2.1 and 3.1, Fig. 4a",
        f"weight decay lowers the share of neurons of low IPR (here below {THRESHOLD})",
        ", ".join(f"wd {decay:g}: {spread(values)}" for decay, values in each.items()),
        bool(each[NONE].min() > each[PARTIAL].max() and each[PARTIAL].min() > each[FULL].max()),
        rule="lower from decay to decay in all seeds",
    )


def mean_ipr(results: Results, dropped: Results) -> Iterator[Claim]:
    """Weight decay and dropout shift the distribution of IPR to higher values."""
    runs = results["runs"]
    ipr = [at_decay(runs, decay)["mean_ipr"] for decay in (NONE, PARTIAL, FULL)]
    yield Claim(
        "2.1, Fig. 4a",
        "weight decay shifts the distribution to higher IPR (one run of the original: 0.28 at wd 0,"
        " 0.44 at wd 5)",
        "mean IPR of living neurons "
        + ", ".join(
            f"wd {d:g}: {spread(v)}" for d, v in zip((NONE, PARTIAL, FULL), ipr, strict=True)
        ),
        bool(ipr[0].max() < ipr[1].min() and ipr[1].max() < ipr[2].min()),
        rule="higher from decay to decay in all seeds",
    )
    by_rate = dropped["runs"].groupby("dropout")["mean_ipr"]
    rates = [by_rate.get_group(rate) for rate in (0.0, 0.3, 0.6)]
    yield Claim(
        "2.1, Fig. 4b",
        "dropout shifts the distribution to higher IPR",
        "mean IPR "
        + ", ".join(f"{rate:g}: {spread(values)}" for rate, values in by_rate)
        + " (0.9 is Confusion)",
        bool(rates[0].max() < rates[1].min() and rates[1].max() < rates[2].min()),
        rule="higher from rate to rate up to 0.6 in all seeds",
    )


def eliminated(results: Results, dropped: Results) -> Iterator[Claim]:
    """In Full Inversion memorizing neurons are almost entirely eliminated."""
    plain = at_decay(results["neurons"], NONE)
    before = float((plain["ipr"] < PERIODIC).mean())
    for name, neurons, source in (
        (f"weight decay {FULL:g}", at_decay(results["neurons"], FULL), "2.1, Fig. 4a"),
        ("dropout 0.6", dropped["neurons"].query("dropout == 0.6"), "2.1, Fig. 4b"),
    ):
        low = (neurons["ipr"] < PERIODIC) & ~neurons["dead"]
        share, dead = (part.groupby(neurons["seed"]).mean() for part in (low, neurons["dead"]))
        mean = float(share.mean())
        held = verdict(mean <= 0.3, mean <= 0.1)
        yield Claim(
            source,
            f"in Full Inversion (by {name}) memorizing neurons are almost entirely eliminated",
            f"share of the neurons alive with an IPR below {PERIODIC}: {spread(share)}; dead"
            f" {spread(dead)}; without regularization {before:.3f} are below",
            held,
            rule="at most 0.1 in the mean; in part up to 0.3",
            also=(("at most 0.05", verdict(mean <= 0.3, mean <= 0.05)),),
            why=(
                f"There are {mean / before:.2f} times as many as without regularization: far"
                " fewer, and still a group."
            ),
        )


def phase_relation(results: Results) -> Iterator[Claim]:
    """Trained neurons have one frequency, and phases as in equation 2."""
    neurons = results["neurons"]
    neurons = neurons.assign(**phase_residuals(neurons))
    high = neurons[(neurons["ipr"] > PERIODIC) & (neurons["frequency"] > 0)]
    agree = high.groupby("weight_decay")["agree"].mean()
    away = high.groupby("weight_decay")["residual"]
    for decay in (NONE, PARTIAL, FULL):
        values = away.get_group(decay)
        near = float((values < TURN).mean())
        held = verdict(near > 0.3, near >= 0.95 and bool(agree[decay] >= 0.99))
        yield Claim(
            "1.1, eq. 2",
            f"wd {decay:g}: the three vectors of a periodic neuron have one frequency, and φ_w ="
            " φ_u + φ_v",
            f"{len(values)} neurons of IPR above {PERIODIC}: one frequency in {agree[decay]:.3f} of"
            f" them; φ_w is off by {values.median():.3f} rad in the median, by less than {TURN:g}"
            f" in {near:.3f} of them (random phases: {TURN / np.pi:.3f}), at most by"
            f" {values.max():.2f}",
            held,
            rule=f"one frequency in 99 % and off by less than {TURN:g} rad in 95 %; in part from"
            " 30 % on",
            also=(
                (
                    "less than 0.1 rad",
                    verdict(near > 0.3, bool((values < 0.1).mean() >= 0.95)),
                ),
            ),
            why=(
                "Without decay the phases scatter around equation 2: periodicity is approximate"
                " there (footnote 3), and the other neurons correct the outputs."
            ),
        )


def frequencies(results: Results) -> Iterator[Claim]:
    """The periodic neurons have all frequencies that the solution needs."""
    neurons = results["neurons"]
    neurons = neurons[(neurons["ipr"] > PERIODIC) & ~neurons["dead"]]
    all_of_them = (MODULUS - 1) // 2
    for decay in (NONE, PARTIAL, FULL):
        each = at_decay(neurons, decay).groupby("seed")["frequency"]
        present = each.agg(lambda values: values[values > 0].nunique())
        constant = each.agg(lambda values: bool((values == 0).any()))
        number = each.size()
        chance = chance_of_all(int(number.max()), all_of_them) ** len(number)
        held = bool((present == all_of_them).all())
        yield Claim(
            "3.2, footnote 5",
            f"wd {decay:g}: the generalizing solution has neurons of all ⌈p/2⌉ frequencies",
            f"{number.min()} to {number.max()} periodic neurons a seed; of {all_of_them}"
            f" frequencies other than the constant {_each(present)} are there, the constant in"
            f" {of(constant)} seeds",
            held,
            rule=f"all {all_of_them} in every seed",
            also=((f"with the constant, {all_of_them + 1}", bool(held and constant.all())),),
            weak=f"so many neurons of random frequencies have all, in every seed, with probability"
            f" {chance:.2g}"
            if chance > 0.05
            else "",
            why="Some frequency has no neuron.",
        )


def _each(counts: pd.Series[int]) -> str:
    return " / ".join(str(count) for count in counts)


def secondary_peaks(results: Results) -> Iterator[Claim]:
    """With large weight decay, secondary peaks appear in the spectrum of the periodic neurons."""
    found = peaks(results["rows"]).reset_index()
    decay = results["runs"].set_index("run")["weight_decay"]
    found["weight_decay"] = found["run"].map(decay)
    periodic = found.groupby(["run", "neuron"])["ipr"].transform("mean") > PERIODIC
    found = found[periodic]
    shares = found.groupby(["matrix", "weight_decay", "run"])["second_share"].mean()
    words, larger, regular = [], {}, {}
    for matrix in ("u", "v", "w"):
        parts = []
        for value in (NONE, PARTIAL, FULL):
            here = found[(found["matrix"] == matrix) & (found["weight_decay"] == value)]
            usual = here["multiple"].mode().iloc[0]
            same = float((here["multiple"] == usual).mean())
            parts.append(
                f"wd {value:g} {spread(shares[matrix, value])} (at {_times(usual)} in {same:.0%})"
            )
        words.append(f"{matrix.upper()} {', '.join(parts)}")
        larger[matrix] = bool(shares[matrix, FULL].min() > shares[matrix, NONE].max())
        regular[matrix] = same  # of the largest decay, the last of the three

    def held(least: float) -> Verdict:
        each = [larger[matrix] and regular[matrix] >= least for matrix in larger]
        return verdict(any(larger.values()), any(each))

    yield Claim(
        "I.2",
        "with large weight decay, secondary peaks appear in the Fourier spectrum of the periodic"
        " neurons",
        f"share of a vector's power in its second largest component: {'; '.join(words)}",
        held(0.9),
        rule=f"in some matrix larger at {FULL:g} than without decay in all seeds, and at one"
        " multiple of the main frequency in 90 % of the neurons; in part if only larger",
        also=(("in half of them", held(0.5)),),
        why=(
            "No second component stands out of the spectrum as a peak would: at one multiple of"
            " the main frequency, and larger than without decay."
        ),
    )


def _times(multiple: int) -> str:
    return f"{multiple} times the main frequency" if multiple else "frequency 0"


def analytic(results: Results) -> Iterator[Claim]:
    """Periodic weights solve the task at sufficient width, up to terms that fall as 1/√N."""
    start = results["curves"][results["curves"]["step"] == 0]
    solved = start.groupby("width")["test_accuracy"].min()
    yield Claim(
        "1.1 and D, eqs. 2, 7",
        "periodic weights solve the task at sufficient width",
        ", ".join(f"{width:g}: {value:.3f}" for width, value in solved.items())
        + " (lowest test accuracy of the seeds, by width)",
        bool((solved[500:] == 1).all()),
        rule="accuracy 1 at the paper's width of 500 and above, in every seed",
        also=(("from 200 on", bool((solved[200:] == 1).all())),),
    )
    wide = start[start["width"] >= 100]
    exponent = analytic_exponent(wide)
    yield Claim(
        "3.2, footnote 6; D, eq. 6",
        "the solution is exact up to terms that fall as 1/√N",
        f"rms error of an output against N: exponent {exponent:.3f}",
        abs(exponent + 0.5) < 0.05,
        rule="within 0.05 of −0.5",
        also=(("within 0.01", abs(exponent + 0.5) < 0.01),),
    )
