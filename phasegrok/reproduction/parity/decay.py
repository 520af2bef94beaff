"""Claims on weight decay: section 3.1 (Hypothesis 3.1, Figures 3.1 and 3.2)."""

from __future__ import annotations

from collections.abc import Iterator

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.parity.cells import CLOSE_TO_ZERO, epochs
from phasegrok.reproduction.words import by_value, spread, verdict

__all__ = ["decay", "sparsity"]


def decay(results: Results) -> Iterator[Claim]:
    """Raised after memorization, more decay makes it generalize sooner, and too much not at all."""
    runs = results["runs"]
    seeds = runs["seed"].nunique()
    solved = runs.groupby("event_value")["generalization_step"].count()
    epoch = epochs(runs["generalization_step"], results).groupby(runs["event_value"])
    mean, deviation = epoch.mean(), epoch.std()
    always = solved.index[solved == seeds]
    fastest = mean[always].idxmin()
    until = mean[always][always <= fastest]
    yield Claim(
        "3.1, Fig. 3.1",
        "Hypothesis 3.1: raised after memorization, more weight decay makes it generalize sooner",
        "epoch by decay "
        + ", ".join(f"{d:g}: {mean[d]:.0f} ± {deviation[d]:.0f}" for d in until.index),
        bool(until.is_monotonic_decreasing and len(until) > 3),
        rule="the mean epoch of test accuracy above 0.999 falls from each decay to the next, over"
        " more than three of them, up to the fastest",
    )
    lost = solved.index[solved == 0].min()
    yield Claim(
        "3.1, Fig. 3.1",
        "Hypothesis 3.1: beyond a threshold, between 0.1 and 0.5, it fails to",
        f"all {seeds} seeds generalize up to {always.max():g}, none from {lost:g} on"
        + "".join(
            f" ({solved[d]} of {seeds} at {d:g})" for d in solved.index if always.max() < d < lost
        ),
        bool(0.1 <= always.max() < lost <= 0.5),
        rule="every seed gets above 0.999 at 0.1, and no seed at 0.5",
        also=(("above 0.9", _between(results, 0.9)),),
    )
    norms = runs.groupby("event_value")["spectral_u"].mean()
    settled = norms[always] / norms[always.min()]
    gone = norms[norms.index >= lost].max()
    yield Claim(
        "3.1, Fig. 3.2",
        "the spectral norm goes to that of the generalizing network, or beyond the threshold to 0",
        f"at the end {settled.min():.2f} to {settled.max():.2f} of that at {always.min():g} where"
        f" it generalizes, at most {gone:.1g} where it fails",
        bool(settled.min() > 0.9 and gone < 1e-3),
        rule="the means over seeds are within a tenth of it, and below 0.001 where it fails",
    )


def _between(results: Results, accuracy: float) -> bool:
    """Whether all seeds peak above an accuracy at decay 0.1, and none of them at 0.5."""
    by = results["runs"].groupby("event_value")["peak_test_accuracy"]
    return bool(by.min()[0.1] > accuracy and by.max()[0.5] <= accuracy)


def sparsity(results: Results) -> Iterator[Claim]:
    """More weight decay makes for a sparser network."""
    table = results["readout"]
    small = table.assign(small=table["weight"].abs() < CLOSE_TO_ZERO)
    by = ["corruption_fraction", "weight_decay", "seed"]
    shares = small.groupby(by)["small"].mean().unstack("weight_decay")
    for flipped, each in shares.groupby("corruption_fraction"):
        rises = bool((each.diff(axis=1).iloc[:, 1:] > 0).all(axis=None))
        ends = bool((each.iloc[:, -1] > each.iloc[:, 0]).all())
        yield Claim(
            "3.1" if flipped == 0 else "3.2.1",
            "more weight decay makes for a sparser network"
            + ("" if flipped == 0 else f", with {flipped:g} of the labels flipped too"),
            f"share of output weights below {CLOSE_TO_ZERO:g} by decay "
            + by_value({d: spread(each[d]) for d in each.columns}),
            verdict(ends, rises),
            rule="in every seed a larger share at each decay than at the one before; in part, at"
            " the last decay than at the first",
            why=(
                "The share is larger at the highest decay than at the lowest in every seed, but it"
                " does not grow at every step."
                if ends
                else "The share is not larger at the highest decay in every seed."
            ),
        )
