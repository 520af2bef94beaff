"""Claims on images: appendix H."""

from __future__ import annotations

from collections.abc import Iterator

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.variants.cells import counts
from phasegrok.reproduction.words import by_value, verdict

__all__ = ["images"]


def images(decayed: Results, dropped: Results) -> Iterator[Claim]:
    """Images under weight decay and dropout."""
    which = "10,000 digits of MNIST" if decayed.name == "mnist" else "scikit-learn's digits"
    runs = decayed["runs"]
    full = counts(runs, "weight_decay", "Full Inversion", "subphase")
    most = runs[runs["weight_decay"] == runs["weight_decay"].max()]
    yield Claim(
        "H, Fig. 16",
        f"weight decay enhances generalization and leads to Full Inversion ({which})",
        f"test accuracy {by_value(runs.groupby('weight_decay')['test_accuracy'].mean(), 3)};"
        f" cells of Full Inversion of 8 {by_value(full)}",
        bool(full.max() > full.iloc[0] == 0),
    )
    yield Claim(
        "H, Fig. 16",
        f"very high weight decay leads to Confusion ({which})",
        f"{(most['phase'] == 'Confusion').sum()} of {len(most)} cells at"
        f" {most['weight_decay'].iloc[0]:g}",
        bool((most["phase"] == "Confusion").all()),
    )
    rates = dropped["runs"].groupby("dropout")
    train, test = (rates[f"{name}_accuracy"].mean() for name in ("train", "test"))
    inverted = counts(dropped["runs"], "dropout", "Inversion")
    best = runs.groupby("weight_decay")["test_accuracy"].mean().max()
    yield Claim(
        "H, Fig. 16",
        f"dropout is not as effective ({which})",
        f"cells of Inversion {by_value(inverted)}; best mean test accuracy {test.max():.3f},"
        f" under weight decay {best:.3f}",
        bool(test.max() < best),
    )
    yield Claim(
        "H, Fig. 16",
        f"more dropout lowers both train and test accuracy ({which})",
        f"train {by_value(train, 3)}; test {by_value(test, 3)}",
        verdict(
            train.iloc[-1] < train.max() and test.iloc[-1] < test.max(),
            train.is_monotonic_decreasing and test.is_monotonic_decreasing,
        ),
    )
