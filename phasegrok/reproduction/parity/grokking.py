"""Claims on grokking and spectral norms: sections 1.5, 2.1 and 2.2, and appendix A."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from phasegrok.analysis.stages import knees, stages
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.parity.cells import CLOSE_TO_ZERO, bits, epochs
from phasegrok.reproduction.words import spread, verdict

__all__ = ["grokking", "inflections", "losses", "norm_falls", "norm_rises", "sparser"]

TIMES: Final = 2.0  # as many epochs is "well before"
PLATEAU: Final = 0.6  # test accuracy of a network that knows hardly more than chance


def grokking(results: Results) -> Iterator[Claim]:
    """The training set is memorized well before the test set is solved."""
    source = "Figs. 1.1, 2.1" if bits(results) == 2 else "Fig. A.1"
    runs = results["runs"]
    memorized = epochs(runs["memorization_step"], results)
    solved = epochs(runs["generalization_step"], results)
    times = solved / memorized
    yield Claim(
        source,
        "the training set is memorized well before the test set is solved",
        f"epochs until accuracy above 0.999: training set {spread(memorized, 1)}, test set"
        f" {spread(solved, 1)}; at least {times.min():.1f} times as many",
        bool((times > TIMES).fillna(False).all()),
        rule=f"more than {TIMES:g} times as many epochs in every seed",
        also=(("10 times", bool((times >= 10).fillna(False).all())),),
    )
    if bits(results) == 3:
        yield from _plateau(results)


def _plateau(results: Results) -> Iterator[Claim]:
    halves = _between(results, until=0.5).groupby("run")["test_accuracy"].max()
    yield Claim(
        "Fig. A.1",
        "test accuracy improves after a prolonged plateau",
        f"at most {spread(halves)} over the first half of the epochs between memorization and"
        f" generalization; {spread(results['runs']['test_accuracy'])} at the end",
        bool((halves < PLATEAU).all() and (results["runs"]["test_accuracy"] > 0.95).all()),
        rule=f"below {PLATEAU:g} over that half in every seed, and above 0.95 at the end",
    )


def _between(results: Results, until: float = 1.0) -> pd.DataFrame:
    """Logged points from memorization to a share of the way to generalization, by run."""
    ends = results["runs"][["run", "memorization_step", "generalization_step"]]
    points = results["curves"].merge(ends, on="run")
    last = points["memorization_step"] + until * (
        points["generalization_step"] - points["memorization_step"]
    )
    return points[(points["step"] >= points["memorization_step"]) & (points["step"] <= last)]


def losses(results: Results) -> Iterator[Claim]:
    """The loss decreases, and the test loss stabilizes after initial fluctuations."""
    by_run = results["curves"].sort_values("step").groupby("run")
    ends = {
        name: by_run[f"{name}_loss"].agg(["first", "max", "last"]) for name in ("train", "test")
    }
    settled = by_run["test_loss"].agg(lambda loss: loss.iloc[-len(loss) // 5 :].std())
    train, test = ends["train"], ends["test"]
    yield Claim(
        "Fig. A.1",
        "the loss decreases, and the test loss stabilizes after initial fluctuations",
        f"training loss {spread(train['first'])} → {spread(train['last'])}; test loss"
        f" {spread(test['first'])}, up to {spread(test['max'])}, then {spread(test['last'])}, with"
        f" a deviation of {settled.mean():.3f} over the last fifth",
        bool(
            (train["last"] < 0.1 * train["first"]).all()
            and (test["max"] > 1.1 * test["first"]).all()
            and (test["last"] < 0.1 * test["first"]).all()
            and (settled < 0.05).all()
        ),
        rule="in every seed both end below a tenth of their start, the test loss goes a tenth above"
        " its start before, and deviates by less than 0.05 over the last fifth",
    )


def sparser(results: Results) -> Iterator[Claim]:
    """The output weights condense around zero."""
    small = results["readout"].assign(small=lambda table: table["weight"].abs() < CLOSE_TO_ZERO)
    shares = small.groupby(["step", "seed"])["small"].mean().unstack("seed")
    begun, ended = shares.iloc[0], shares.iloc[-1]
    yield Claim(
        "2.2.2, Fig. 2.3" if bits(results) == 2 else "Fig. A.4",
        "the output weights condense around zero",
        f"share below {CLOSE_TO_ZERO:g} in size {spread(begun)} at step {shares.index[0]},"
        f" {spread(ended)} at the end (step {shares.index[-1]})",
        bool((ended > begun).all()),
        rule="a larger share at the end in every seed",
        also=(("twice the share", bool((ended > 2 * begun).all())),),
    )


def _norms(results: Results) -> tuple[pd.Series[float], pd.Series[float]]:
    """The first layer's spectral norm at memorization and at generalization, by run."""
    runs = results["runs"]
    first, second = (
        results["curves"]
        .merge(runs[["run", f"{when}_step"]].rename(columns={f"{when}_step": "step"}))
        .set_index("run")["spectral_u"]
        for when in ("memorization", "generalization")
    )
    return first, second


def norm_falls(results: Results) -> Iterator[Claim]:
    """The first layer's spectral norm declines starkly from memorization to generalization."""
    first, second = _norms(results)
    kept = second / first
    yield Claim(
        "2.2.3, Fig. 2.4",
        "the first layer's spectral norm declines starkly from memorization to generalization",
        f"{spread(first, 2)} → {spread(second, 2)}; it falls in {(kept < 1).sum()} of {len(kept)}"
        " seeds",
        bool((kept < 0.8).all()),
        rule="to less than 0.8 of it in every seed",
        also=(("any fall", bool((kept < 1).all())), ("to half", bool((kept < 0.5).all()))),
    )


def norm_rises(results: Results) -> Iterator[Claim]:
    """The first layer's spectral norm rises with the transition from memorization."""
    first, second = _norms(results)
    grown = second / first
    yield Claim(
        "Fig. A.2",
        "the first layer's spectral norm increases notably from memorization to generalization",
        f"{spread(first, 2)} → {spread(second, 2)}; it rises in {(grown > 1).sum()} of"
        f" {len(grown)} seeds",
        bool((grown > 1.25).all()),
        rule="to more than 1.25 of it in every seed",
        also=(("any rise", bool((grown > 1).all())), ("twice", bool((grown > 2).all()))),
    )
    points = _between(results).groupby("run")[["spectral_u", "test_accuracy"]]
    together = points.apply(lambda each: each.corr().to_numpy()[0, 1])
    yield Claim(
        "Fig. A.2",
        "its increase goes with the transition to generalization",
        f"correlation with the test accuracy between the two: {spread(together)}",
        bool((together > 0.9).all()),
        rule="above 0.9 in every seed",
        also=(("above 0.95", bool((together > 0.95).all())),),
    )


def inflections(results: Results) -> Iterator[Claim]:
    """The two inflections of the spectral norm are memorization and generalization."""
    curves, runs = results["curves"], results["runs"].set_index("run")
    bends = knees(curves, "spectral_u")
    first, second = (epochs(bends[name], results) for name in ("first", "second"))
    grokked = epochs(stages(curves)["grokking_step"].reindex(bends.index), results)
    memorized = epochs(runs["memorization_step"].reindex(bends.index), results)

    def near(a: pd.Series[float], b: pd.Series[float], factor: float) -> bool:
        ratio = np.log((a / b).to_numpy(np.float64, na_value=np.inf))
        return bool((np.abs(ratio) < np.log(factor)).all())

    def held(factor: float) -> bool | None:
        pairs = [near(first, memorized, factor), near(second, grokked, factor)]
        return verdict(any(pairs), all(pairs))

    two = bits(results) == 2
    yield Claim(
        "2.2.3, Fig. 2.4" if two else "2.2.3 for Fig. A.2",
        "the spectral norm has inflections at the epochs of memorization and of generalization"
        + ("" if two else " (said of k = 2)"),
        f"bends at epochs {spread(first, 1)} and {spread(second, 1)}; memorization at"
        f" {spread(memorized, 1)}, test accuracy of 90 % at {spread(grokked, 1)}",
        held(2.0),
        rule="each within a factor of 2 of its epoch in every seed",
        also=(("a factor of 1.5", held(1.5)),),
        why=(
            "The norm bends three times: it falls until memorization, stays, and rises with the"
            " test accuracy. The two strongest bends are the ends of the rise."
        ),
    )
