"""Claims on images: appendix H."""

from __future__ import annotations

from collections.abc import Iterator

from phasegrok.analysis.phases import GENERALIZES
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.variants.cells import counts
from phasegrok.reproduction.variants.seeds import (
    SAME,
    falls,
    in_seeds,
    of,
    seed_means,
    spreads,
)
from phasegrok.reproduction.words import by_value, verdict

__all__ = ["images"]

FULL = "Full Inversion"


def images(decayed: Results, dropped: Results) -> Iterator[Claim]:
    """Images with corrupted labels: weight decay inverts and confuses, dropout does not help."""
    which = "10,000 digits of MNIST" if decayed.name == "mnist" else "scikit-learn's digits"
    runs = decayed["runs"]
    test = seed_means(runs, "weight_decay", "test_accuracy")
    best = test.drop(columns=0).max(axis=1)
    gain = best - test[0]
    held = in_seeds(gain > 0.05)
    yield Claim(
        "H, Fig. 16",
        f"weight decay enhances generalization ({which})",
        f"test accuracy by decay, mean over cells, {spreads(test)}",
        held,
        rule="at the best decay at least 0.05 above none in every seed; in part: in most",
        also=(("at least 0.1", in_seeds(gain > 0.1)),),
        why="The gain is smaller.",
    )
    full = counts(runs, "weight_decay", FULL, "subphase")
    direct = counts(runs, "weight_decay", FULL, "direct_phase")
    cells = len(runs) // len(full)
    held = bool(full.max() > full.iloc[0] == 0)
    yield Claim(
        "H, Fig. 16",
        f"and leads to Full Inversion ({which})",
        f"runs of Full Inversion of {cells} by decay {by_value(full)}; by the corrupted labels"
        f" themselves {by_value(direct)}",
        held,
        rule="some run with decay and none without, by Table 2",
        also=(
            ("by the corrupted labels themselves", bool(direct.max() > direct.iloc[0] == 0)),
            ("a tenth of the runs at one decay", bool(full.max() >= 0.1 * cells > full.iloc[0])),
        ),
        why=(
            "Where corrupted labels are given up, test accuracy stays below 0.9, or a tenth of them"
            " is answered as given by luck."
        ),
    )
    most = runs[runs["weight_decay"] == runs["weight_decay"].max()]
    confused = most["phase"] == "Confusion"
    held = verdict(bool(confused.mean() > 0.5), bool(confused.all()))
    yield Claim(
        "H, Fig. 16",
        f"very high weight decay leads to Confusion ({which})",
        f"{of(confused)} runs at {most['weight_decay'].iloc[0]:g}",
        held,
        rule="every run at the highest decay; in part: most",
        also=(("test accuracy below 0.8", bool((most["test_accuracy"] < 0.8).all())),),
        why="Where nothing is corrupted, a network still learns.",
    )
    yield from _dropped(decayed, dropped, which)


def _dropped(decayed: Results, dropped: Results, which: str) -> Iterator[Claim]:
    runs, other = dropped["runs"], decayed["runs"]
    train, test = (seed_means(runs, "dropout", f"{name}_accuracy") for name in ("train", "test"))
    best = seed_means(other, "weight_decay", "test_accuracy").max(axis=1)
    full = counts(runs, "dropout", FULL, "subphase")
    most = counts(other, "weight_decay", FULL, "subphase").max()
    less = best - test.max(axis=1)
    fewer = bool(full.max() < most)
    lower = in_seeds(less > 0)
    held = verdict(fewer or lower is True, fewer and lower is True)
    yield Claim(
        "H, Fig. 16",
        f"dropout is not as effective ({which})",
        f"at the best rate, runs of Full Inversion {full.max()}, at the best decay {most}; mean"
        f" test accuracy lower by {less.min():.3f} to {less.max():.3f} among seeds",
        held,
        rule="fewer runs of Full Inversion, and a lower mean test accuracy in every seed; in part:"
        " one of the two",
        also=(("lower by 0.02", verdict(fewer, fewer and bool((less > 0.02).all()))),),
        why="By one of the two measures dropout does as well as decay.",
    )
    generalize = (runs["test_accuracy"] >= GENERALIZES).groupby(runs["dropout"]).sum()
    ends = (train.iloc[:, -1] < train.iloc[:, 0]) & (test.iloc[:, -1] < test.iloc[:, 0])
    step = falls(train) & falls(test)
    hurt = (train.iloc[:, -1] < train.max(axis=1)) & (test.iloc[:, -1] < test.max(axis=1))
    under = test.iloc[:, -1] < test.iloc[:, 0]
    held = verdict(bool(hurt.all()), bool(step.all()))
    yield Claim(
        "H, Fig. 16",
        f"more dropout lowers both train and test accuracy ({which})",
        f"train {spreads(train)}; test {spreads(test)}; runs that generalize"
        f" {by_value(generalize)}",
        held,
        rule="in every seed both end lower, and neither rises by more than"
        f" {SAME:g} from rate to rate; in part: both are lower at the highest rate than at their"
        " best",
        also=(("the highest rate against none", in_seeds(ends)),),
        why=(
            "The middle rates lower the train accuracy and improve the test accuracy of networks"
            " trained on corrupted labels. From there to the highest rate both fall"
            + (", the test accuracy below that without dropout." if under.all() else ".")
        ),
    )
