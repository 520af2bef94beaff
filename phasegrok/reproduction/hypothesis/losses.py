"""Claims on losses under pruning: appendix I.2 (Figure 18)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.hypothesis.cells import FULL, NONE, PARTIAL, at_decay
from phasegrok.reproduction.words import spread, verdict

__all__ = ["from_the_highest", "from_the_lowest"]

# Of the range of a curve: a smaller fall cannot be seen in a figure.
VISIBLE: Final = 0.02


def _curves(results: Results, order: str, decay: float) -> pd.DataFrame:
    """Losses of every run as neurons go, indexed by run and the number pruned."""
    pruning = results["pruning"]
    found = at_decay(pruning[pruning["order"] == order], decay)
    return found.set_index(["run", "pruned"])[["train_loss", "test_loss"]].sort_index()


def _fall(losses: pd.Series[float]) -> pd.Series[float]:
    """The largest fall on the way of every run, as a share of the curve's range."""

    def fall(loss: pd.Series[float]) -> float:
        return float((loss.cummax() - loss).max() / (loss.max() - loss.min()))

    found: pd.Series[float] = losses.groupby("run").apply(fall)
    return found


def _half(losses: pd.Series[float], second: bool) -> pd.Series[float]:
    """Change over one half of the pruning, by run."""
    by_run = losses.groupby("run")
    width = int(losses.index.get_level_values("pruned").max())
    middle = losses.xs(width // 2, level="pruned")
    change: pd.Series[float] = by_run.last() - middle if second else middle - by_run.first()
    return change


def from_the_lowest(results: Results) -> Iterator[Claim]:
    """Pruned from the lowest IPR the train loss rises, and the test loss shows two effects."""
    plain = _curves(results, "lowest", NONE)
    fall, other = _fall(plain["train_loss"]), _fall(plain["test_loss"])
    held = verdict(bool((fall < other).all()), bool((fall <= VISIBLE).all()))
    yield Claim(
        "I.2, Fig. 18a left",
        "wd 0: the train loss rises (almost) monotonically, the test loss not",
        f"largest fall on the way, as a share of the curve's range: train {spread(fall, 2)}, test"
        f" {spread(other, 2)}",
        held,
        rule=f"train at most {VISIBLE:g} in every seed, test more; in part if train less than test",
        also=(("train at most 0.2", bool((fall <= 0.2).all() and (other > 0.2).all())),),
        why="The train loss falls back a little where the last memorizing neurons go.",
    )
    partial = _curves(results, "lowest", PARTIAL)
    test = partial["test_loss"].groupby("run")
    width = partial.index.get_level_values("pruned").max()
    lowest = test.idxmin().map(lambda at: at[1] / width)
    dips = bool((test.min() < test.first()).all() and (test.last() > test.first()).all())
    rises = _fall(partial["train_loss"])
    yield Claim(
        "I.2, Fig. 18b left",
        "wd 5: the test loss falls while memorizing neurons go, then rises; the train loss rises",
        f"test loss {spread(1e3 * test.first(), 2)} → {spread(1e3 * test.min(), 2)} (10⁻³) with"
        f" {spread(lowest)} pruned; largest fall of the train loss {spread(rises, 4)} of its range",
        dips and bool((rises <= VISIBLE).all()),
        rule=f"lowest test loss inside, and no fall of the train loss beyond {VISIBLE:g} of its"
        " range, in every seed",
        also=(("lowest between 10 and 90 %", dips and bool(lowest.between(0.1, 0.9).all())),),
        why="The test loss does not dip.",
    )
    full = _curves(results, "lowest", FULL)
    start = full["test_loss"].groupby("run").first()
    early = full["test_loss"].xs(round(0.05 * width), level="pruned") / start - 1
    train, later = _fall(full["train_loss"]), _fall(full["test_loss"])

    def constant(most: float) -> bool:
        still = bool((early.abs() < most).all())
        return still and bool((train <= VISIBLE).all() and (later <= VISIBLE).all())

    yield Claim(
        "I.2, Fig. 18c left",
        "wd 15: the train loss rises monotonically, the test loss stays at first and then rises"
        " monotonically",
        f"test loss changes by {spread(100 * early, 2)} % over the first 5 % pruned, by"
        f" {spread(100 * (full['test_loss'].groupby('run').max() / start - 1), 0)} % in all;"
        f" largest falls {train.max():.4f} (train) and {later.max():.4f} (test) of the range",
        constant(0.01),
        rule=f"by less than 1 % at first, no fall beyond {VISIBLE:g} of the range, in every seed",
        also=(("less than 0.1 % at first", constant(0.001)),),
        why="The curves are not as described.",
    )


def from_the_highest(results: Results) -> Iterator[Claim]:
    """Pruned from the highest IPR both losses rise, until memorizing neurons go."""
    words = {
        NONE: "wd 0: both losses rise at first, and neither monotonically in the second half",
        PARTIAL: "wd 5: both losses rise at first; in the second half train rises and test falls",
        FULL: "wd 15: both losses rise monotonically",
    }
    for decay, letter in ((NONE, "a"), (PARTIAL, "b"), (FULL, "c")):
        curves = _curves(results, "highest", decay)
        train, test = curves["train_loss"], curves["test_loss"]
        first = [_half(loss, second=False) for loss in (train, test)]
        second = [_half(loss, second=True) for loss in (train, test)]
        falls = [_fall(loss) for loss in (train, test)]
        rise = all(bool((change > 0).all()) for change in first)
        if decay == NONE:
            held = rise and all(bool((fall > VISIBLE).all()) for fall in falls)
            rule = f"both higher after half of them, then falls beyond {VISIBLE:g} of the range"
        elif decay == PARTIAL:
            held = rise and bool((second[0] > 0).all() and (second[1] < 0).all())
            rule = "both higher after half of them; at the end train higher than there, test lower"
        else:
            held = rise and all(bool((fall <= VISIBLE).all()) for fall in falls)
            rule = f"no fall beyond {VISIBLE:g} of the range"
        changes = [
            f"{name} {spread(1e3 * half[0], 2)}, then {spread(1e3 * half[1], 2)}"
            for name, half in zip(("train", "test"), zip(first, second, strict=True), strict=True)
        ]
        yield Claim(
            f"I.2, Fig. 18{letter} right",
            words[decay],
            f"change over the first half of the neurons (10⁻³): {'; '.join(changes)}; largest falls"
            f" {falls[0].max():.3f} (train) and {falls[1].max():.3f} (test) of the range",
            held,
            rule=f"{rule}, in every seed",
            why="The curves are not as described.",
        )
