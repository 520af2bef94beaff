"""Claims on networks that are built by hand: sections 4.1 to 4.3 of the thesis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.words import spread

__all__ = ["by_hand"]

# Source, claim, and the variants of sweeps/parity-analytic.yaml that it is about. The outputs of
# the last two kinds are 0 for some or all -1s: their loss is not 0.
CLAIMS: Final = (
    (
        "4.1",
        "Proposition 4.1: 2^k neurons compute the parity of k bits",
        ("one-bit", "two-bits", "three-bits", "four-bits", "five-bits"),
        True,
    ),
    ("4.2.2", "two neurons compute the parity of 2 bits", ("two-bits-by-two",), False),
    (
        "4.3",
        "four neurons, which theory suggests, compute the parity of 3 bits",
        ("three-bits-by-four",),
        True,
    ),
    (
        "4.3",
        "(not in the thesis) so do three, where an output of 0 is an answer of -1",
        ("three-bits-by-three",),
        False,
    ),
)

KEPT: Final = {
    "two-bits-by-two": "two neurons",
    "three-bits-by-four": "four neurons",
    "three-bits-by-three": "three neurons",
}


def by_hand(results: Results) -> Iterator[Claim]:
    """Networks built by hand compute the parity: of 2^k neurons, of two, and of four for k = 3."""
    start = results["curves"].query("step == 0").set_index("variant")
    ends = results["runs"].set_index("variant")
    for source, text, variants, margin in CLAIMS:
        found = start.loc[list(variants)]
        right = bool((found[["train_accuracy", "test_accuracy"]] == 1).all(axis=None))
        loss = found["test_loss"].max()
        yield Claim(
            source,
            text,
            f"without training, {len(found)} runs: test accuracy at least"
            f" {found['test_accuracy'].min():g}, hinge loss at most {loss:.3g}",
            bool(right and (loss == 0 or not margin)),
            rule="every training and test example of every run is right"
            + (", and the hinge loss is 0" if margin else ""),
            weak="the weights are exact",
        )
        if source != "4.1":
            after = ends.loc[list(variants), "test_accuracy"]
            kept = bool((after >= 0.99).all())
            yield Claim(
                source,
                f"(our check) training from there keeps the network of {KEPT[variants[0]]}",
                f"test accuracy after training {spread(after)}",
                kept,
                rule="at least 0.99 in every seed",
                also=(("at 0.95", bool((after >= 0.95).all())),),
                why=(
                    "Outputs of 0 for -1 have no margin. Small weights of the other bits put some"
                    " of them above 0."
                ),
            )
