"""Claims on the width: appendix O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from phasegrok.reproduction.base import Claim, Results, Verdict
from phasegrok.reproduction.variants.cells import counted, over_seeds, same_cells
from phasegrok.reproduction.words import verdict

__all__ = ["dead_neurons", "wide", "wide_none", "wide_relu"]

MUCH: Final = 0.3  # of test accuracy, is more than marginal
ALSO: Final = 0.05  # the other plausible margin of a test accuracy


def wide(results: Results, small: Results) -> Iterator[Claim]:
    """Ten times the width, in a small copy: no Partial Inversion, and poorer generalization."""
    both = same_cells(results["runs"], small["runs"], "weight_decay")
    none = both[both["weight_decay"] == 0]
    partial, usually = ((none[f"subphase{s}"] == "Partial Inversion").sum() for s in ("", "_other"))
    wide, usual = ((none[f"phase{s}"] == "Coexistence").sum() for s in ("", "_other"))
    held = verdict(bool(partial == 0), bool(partial == 0 and wide < usual))
    yield Claim(
        "O, Fig. 29",
        "ten times the width, no decay: no Partial Inversion, less Coexistence",
        f"cells of {len(none)}: Partial Inversion {partial}, at the usual width {usually};"
        f" Coexistence {wide}, at the usual width {usual}",
        held,
        rule="none of the one and less of the other; in part if only the first",
        also=(("a quarter less Coexistence", bool(partial == 0 and wide <= 0.75 * usual)),),
        weak="" if usually else "the usual width has no Partial Inversion there either",
        why="There is as much Coexistence as at the usual width.",
    )
    test, other = both["test_accuracy"].mean(), both["test_accuracy_other"].mean()
    yield Claim(
        "O, Fig. 29",
        "ten times the width: marginally poorer generalization",
        f"mean test accuracy of {len(both)} cells {test:.3f}, at the usual width {other:.3f}",
        bool(test < other),
        rule="a lower mean",
        also=((f"lower by at most {ALSO:g}", bool(other - ALSO <= test < other)),),
        why="The mean is not lower.",
    )


def wide_none(results: Results) -> Iterator[Claim]:
    """Without decay N = 5000 has no Partial Inversion where N = 500 has it."""
    runs = results["runs"]
    narrow, broad = (runs[runs["width"] == width] for width in (500, 5000))

    def partial(table: pd.DataFrame, label: str) -> int:
        return int((table[label] == "Partial Inversion").sum())

    def gone(label: str) -> Verdict:
        wide, usual = partial(broad, label), partial(narrow, label)
        return verdict(wide < usual, wide == 0 and usual == len(narrow))

    held = gone("subphase")
    yield Claim(
        "O, Fig. 29",
        "no decay: Partial Inversion at N = 500 is absent at N = 5000",
        f"runs in Partial Inversion: {partial(narrow, 'subphase')} of {len(narrow)} at N = 500,"
        f" {partial(broad, 'subphase')} of {len(broad)} at N = 5000 (there"
        f" {counted(broad['subphase'])})",
        held,
        rule="all at N = 500 and none at N = 5000; in part if fewer",
        also=(("by direct_phase", gone("direct_phase")),),
        why="Some are in it at N = 5000, or not all at N = 500.",
    )
    kept, test = (
        runs.groupby(["corruption_fraction", "width"])[name].mean().unstack("width")
        for name in ("corrupted_accuracy", "test_accuracy")
    )
    more = kept[5000] > kept[500]
    yield Claim(
        "O, Fig. 29",
        "the wider network has more capacity to memorize",
        "corrupted labels kept, by their share " + _two_widths(kept),
        bool(more.all()),
        rule="more at N = 5000 at every share, mean over seeds",
        also=(("by 0.1", bool((kept[5000] > kept[500] + 0.1).all())),),
        why="It keeps no more of them.",
    )
    lower = test[5000] < test[500]
    marginal = verdict(bool(lower.any()), bool(lower.all()))
    yield Claim(
        "O, Fig. 29",
        "the wider network generalizes marginally worse",
        "test accuracy, by share of corrupted labels " + _two_widths(test),
        marginal,
        rule="lower at N = 5000 at every share, mean over seeds; in part if at some",
        also=((f"lower by {ALSO:g}", bool((test[5000] < test[500] - ALSO).all())),),
        why=_where_as_well(test),
    )


def _list(shares: pd.Index[Any]) -> str:
    return ", ".join(f"{share:g}" for share in shares)


def _where_as_well(test: pd.DataFrame) -> str:
    """At which shares the wider network loses nothing, and at which it loses much."""
    loss = test[500] - test[5000]
    words = []
    if len(as_well := loss[loss <= 0]):
        words.append(f"It generalizes as well at shares of {_list(as_well.index)}.")
    if len(much := loss[loss > MUCH]):
        words.append(f"At {_list(much.index)} it is worse by far: it does not generalize.")
    return " ".join(words)


def _two_widths(table: pd.DataFrame) -> str:
    return ", ".join(
        f"{share:g}: {row[5000]:.3f} (N = 500: {row[500]:.3f})" for share, row in table.iterrows()
    )


def wide_relu(results: Results, narrow: Results) -> Iterator[Claim]:
    """With ReLU the width removes Confusion and improves performance.

    Both widths in cells of equal learning rate times weight decay: by that product AdamW shrinks
    the weights in a step.
    """
    one, other = (
        runs.assign(shrinkage=runs["learning_rate"] * runs["weight_decay"])
        for runs in (results["runs"], narrow["runs"])
    )
    both = same_cells(one, other, "shrinkage")
    rate, decays = both["learning_rate"].iloc[0], sorted(both["weight_decay"].unique())
    wide, usual = ((both[f"phase{s}"] == "Confusion").sum() for s in ("", "_other"))
    test, accuracy = both["test_accuracy"].mean(), both["test_accuracy_other"].mean()

    def held(gain: float) -> Verdict:
        fewer = bool(usual > 0 and wide <= 0.5 * usual)
        better = bool(test > accuracy + gain)
        return verdict(fewer or better, fewer and better)

    width = results.manifest["sweep"]["model"]["width"]
    dead = float(both["dead_neurons"].mean()) / width
    yield Claim(
        "O, Fig. 30",
        "with ReLU the width removes Confusion and improves performance",
        f"learning rate {rate:g}, weight decay {', '.join(f'{d:g}' for d in decays)}: cells of"
        f" {len(both)}: Confusion {wide}, at the usual width {usual}; mean test accuracy"
        f" {test:.3f}, at the usual width {accuracy:.3f}; dead neurons {dead:.1%}",
        held(0.0),
        rule="some Confusion at the usual width and at most half as much here, and a higher mean"
        " test accuracy; in part if one of the two",
        also=((f"higher by {ALSO:g}", held(ALSO)),),
        why=(
            _dead(dead)
            if dead > 0.5
            else "Only one of the two: there is little Confusion to remove, or the test accuracy is"
            " no higher."
            if held(0.0) is None
            else "There is hardly any Confusion to remove, and the wide network has more weights to"
            " hold labels with: it memorizes more of them."
        ),
    )


def _dead(share: float) -> str:
    return (
        f"{share:.0%} of the neurons die within the first steps: the learning rate is large against"
        " the initial weights of so wide a network."
    )


def dead_neurons(results: Results) -> Iterator[Claim]:
    """A ReLU network of width 5000 survives its first steps at the usual learning rate."""
    runs = results["runs"]
    share: pd.Series[Any] = runs["dead_neurons"] / runs["width"]
    by_cell = share.groupby([runs["width"], runs["weight_decay"]])
    wide = share[runs["width"] == runs["width"].max()]
    words = ", ".join(
        f"N = {width:g} at decay {decay:g}: {over_seeds(values)}"
        for (width, decay), values in by_cell
    )
    held = bool((wide < 0.5).all())
    yield Claim(
        "O, Fig. 30",
        f"a ReLU network of width 5000 can be trained at the learning rate of the other diagrams,"
        f" {runs['learning_rate'].iloc[0]:g}",
        f"share of neurons dead after {_steps(results)} steps: {words}",
        held,
        rule="less than half of the neurons in every seed",
        also=(("less than a tenth", bool((wide < 0.1).all())),),
        why=_dead(float(wide.mean())),
    )


def _steps(results: Results) -> int:
    return int(results["curves"]["step"].max())
