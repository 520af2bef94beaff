"""Claims on how often few neurons learn a parity: sections 4.2.3, 4.3 and 4.3.2 of the thesis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from phasegrok.analysis.phases import GENERALIZES
from phasegrok.analysis.rising import Rise, rise
from phasegrok.analysis.shares import share
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.parity.cells import bits
from phasegrok.reproduction.words import by_value

__all__ = ["few", "l1"]

SECTIONS: Final = {2: "4.2.3", 3: "4.3"}
# By k: the width that the thesis trains, what it says of it, and one that is said to be enough.
TRAINED: Final = {
    2: (2, "two neurons can be trained to the parity of 2 of n bits"),
    3: (5, "(open) five neurons can be trained to the parity of 3 of n bits"),
}
EXACT: Final = 0.999
CHOSEN: Final = 2.394  # standard deviations at 0.05 / 3 on both sides (Bonferroni)


def few(results: Results) -> Iterator[Claim]:
    """Few neurons can be trained to the parity, and more of them learn it more often."""
    runs, k = results["runs"], bits(results)
    width, text = TRAINED[k]
    yield _trained(runs, SECTIONS[k], width, text)
    plain = runs[runs["l1"] == 0]
    if k == 2:
        one = plain.loc[plain["width"] == 1, "test_accuracy"]
        yield Claim(
            "4.2",
            "two neurons are the theoretical minimum for the parity of 2 bits",
            f"one neuron: {(one >= GENERALIZES).sum()} of {len(one)} seeds, test accuracy at most"
            f" {one.max():.3f}",
            bool((one < GENERALIZES).all()),
            rule=f"no seed of width 1 has a test accuracy of at least {GENERALIZES:g}",
            weak="one neuron's answers are on two sides of a plane, which no parity is",
        )
    else:
        yield _trained(runs, "4, 4.3", 6, "six neurons solve the parity of 3 of n bits")
    yield from _more(plain, k)


def _trained(runs: pd.DataFrame, source: str, width: int, text: str) -> Claim:
    """Shares of seeds that generalize at one width, without L1 and with it."""
    at = runs[runs["width"] == width]
    table = share(at["test_accuracy"] >= GENERALIZES, at["l1"]).to_dict("index")
    found: dict[float, dict[Any, Any]] = {float(str(l1)): row for l1, row in table.items()}
    exact = at.groupby("l1")["generalization_step"].count().to_dict()
    words = [
        f"{f'with L1 of {l1:g}' if l1 else 'without L1'} {row['number']} of {row['runs']}"
        f" seeds ({row['share']:.3f}, 95 % interval {row['low']:.3f} to {row['high']:.3f}),"
        f" {exact[l1]} of them above {EXACT} at some time"
        for l1, row in found.items()
    ]
    return Claim(
        source,
        text,
        "; ".join(words),
        any(row["number"] for row in found.values()),
        rule=f"a seed has a test accuracy of at least {GENERALIZES:g} at the end, with or without"
        " L1",
        also=(
            ("without L1", bool(found[0.0]["number"])),
            (f"above {EXACT} at some time", any(exact.values())),
        ),
    )


def _more(runs: pd.DataFrame, k: int) -> Iterator[Claim]:
    found = share(runs["test_accuracy"] >= GENERALIZES, runs["width"])
    begun = int(found.index[found["number"] > 0].min())
    start = max(begun, TRAINED[k][0])
    every, above = _rise(found), _rise(found.loc[found.index >= start])
    yield Claim(
        SECTIONS[k],
        f"k = {k}: more neurons learn it more often",
        f"share by width, without L1 {by_value(found['share'], 3)}; from one doubling of the width"
        f" to the next {_words(every)}; from {start} neurons on {_words(above)}",
        every.p < 0.01 and every.low > 0,
        rule="Cochran-Armitage test against the logarithm of the width: p below 0.01",
        also=((f"from {start} neurons on", above.p < 0.01 and above.low > 0),),
    )


def _rise(found: pd.DataFrame) -> Rise:
    widths = np.log2(found.index.to_numpy(np.float64))
    return rise(found["number"], found["runs"], widths)


def _words(found: Rise) -> str:
    return (
        f"{found.slope:+.3f} (95 % interval {found.low:+.3f} to {found.high:+.3f}), p ="
        f" {found.p:.1g}"
    )


def l1(results: Results) -> Iterator[Claim]:
    """L1 helps few neurons to a sparse solution, if it is not too strong."""
    runs = results["runs"]
    for variant, text, column, at_least in (
        ("five", "five neurons learn the parity of 3 bits", "test_accuracy", GENERALIZES),
        ("two", "two neurons' networks for 2 bits are exact", "peak_test_accuracy", EXACT),
    ):
        cells = runs[runs["variant"] == variant]
        table = share(cells[column] >= at_least, cells["l1"]).to_dict("index")
        found: dict[float, dict[Any, Any]] = {float(str(x)): row for x, row in table.items()}
        none = found[0.0]
        best = max((x for x in found if x), key=lambda x: found[x]["share"])
        change, low, high = _difference(found[best], none)
        words = {
            x: f"{row['share']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
            for x, row in found.items()
        }
        peak = "peak " if column.startswith("peak") else ""
        yield Claim(
            "4.3.2",
            f"L1 helps: {text} more often",
            f"share of {none['runs']} seeds by strength {by_value(words)}; {best:g} against none"
            f" {change:+.3f} (95 % interval {low:+.3f} to {high:+.3f})",
            low > 0,
            rule=f"at the best strength more seeds have a {peak}test accuracy of at least"
            f" {at_least:g} than without L1: the difference's interval, widened for the choice"
            " among three strengths, excludes 0",
            also=(
                ("at 0.001", _difference(found[0.001], none)[1] > 0),
                ("a larger share alone", change > 0),
            ),
            why="The share with L1 is not larger by more than chance.",
        )


def _difference(one: dict[Any, Any], other: dict[Any, Any]) -> tuple[float, float, float]:
    """Difference of two shares, and its 95 % interval over a choice among three."""
    deviation = sum(s["share"] * (1 - s["share"]) / s["runs"] for s in (one, other)) ** 0.5
    change = one["share"] - other["share"]
    return change, change - CHOSEN * deviation, change + CHOSEN * deviation
