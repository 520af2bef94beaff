"""Claims on the width: appendix O."""

from __future__ import annotations

from collections.abc import Iterator

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.variants.cells import same_cells
from phasegrok.reproduction.words import verdict

__all__ = ["wide", "wide_relu"]


def wide(results: Results, small: Results) -> Iterator[Claim]:
    both = same_cells(results["runs"], small["runs"], "weight_decay")
    none = both[both["weight_decay"] == 0]
    partial = (none["subphase"] == "Partial Inversion").sum()
    wide, usual = ((none[f"phase{s}"] == "Coexistence").sum() for s in ("", "_other"))
    yield Claim(
        "O, Fig. 29",
        "ten times the width, no decay: no Partial Inversion, less Coexistence",
        f"cells of {len(none)}: Partial Inversion {partial}; Coexistence {wide}, at the usual width"
        f" {usual} (N = 2560 and 256, p = 47)",
        verdict(partial == 0, partial == 0 and wide < usual),
    )
    test, other = both["test_accuracy"].mean(), both["test_accuracy_other"].mean()
    yield Claim(
        "O, Fig. 29",
        "and marginally poorer generalization",
        f"mean test accuracy of {len(both)} cells {test:.3f}, at the usual width {other:.3f}",
        bool(test < other),
    )


def wide_relu(results: Results, narrow: Results) -> Iterator[Claim]:
    """With ReLU the width removes Confusion and improves performance.

    Both widths in cells of equal learning rate times weight decay.

    By that product AdamW shrinks the weights in a step.
    """
    one, other = (
        runs.assign(shrinkage=runs["learning_rate"] * runs["weight_decay"])
        for runs in (results["runs"], narrow["runs"])
    )
    both = same_cells(one, other, "shrinkage")
    rate, decays = both["learning_rate"].iloc[0], sorted(both["weight_decay"].unique())
    wide, usual = ((both[f"phase{s}"] == "Confusion").sum() for s in ("", "_other"))
    test, accuracy = both["test_accuracy"].mean(), both["test_accuracy_other"].mean()
    yield Claim(
        "O, Fig. 30",
        "with ReLU the width removes Confusion and improves performance",
        f"learning rate {rate:g}, weight decay {', '.join(f'{d:g}' for d in decays)}: cells of"
        f" {len(both)}: Confusion {wide}, at the usual width"
        f" {usual}; mean test accuracy {test:.3f}, at the usual width {accuracy:.3f}",
        bool(test > accuracy and wide <= usual),
    )
