"""Claims on pruning: section 2.1 (Figure 6) and appendices I and Q."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from phasegrok.analysis.pruned import RETAINED, at_threshold, needed
from phasegrok.analysis.trends import exponent
from phasegrok.reproduction.base import Claim, Results, Verdict
from phasegrok.reproduction.hypothesis.cells import FULL, NONE, PARTIAL, THRESHOLD, XI, at_decay, of
from phasegrok.reproduction.words import spread, verdict

__all__ = ["dropped", "improved", "pruned_far", "pruning_highest", "pruning_lowest", "widths"]

CLOSE: Final = 0.02  # of a training accuracy to 1 - xi
OTHERS: Final = (0.9, 0.99)  # other plausible test accuracies of a network that still generalizes
FREQUENCIES: Final = 49  # ceil(p / 2) at p = 97


def pruning_lowest(results: Results) -> Iterator[Claim]:
    """Without the neurons of low IPR corrupted labels are forgotten, and the rest is kept."""
    rows = at_threshold(results["pruning"], results["neurons"], THRESHOLD)
    before = results["runs"].set_index("run")
    for decay, where in ((NONE, "2.1, Fig. 6"), (PARTIAL, "I, Fig. 17b"), (FULL, "I, Fig. 17c")):
        these = at_decay(rows, decay)
        was = before.loc[these["run"]]
        at = (these["train_accuracy"] - (1 - XI)).abs() < CLOSE
        kept = (these["test_accuracy"] >= RETAINED) & (these["clean_accuracy"] >= RETAINED)

        def forgotten(most: float, rows: pd.DataFrame = these) -> bool:
            return bool((rows["corrupted_accuracy"] < most).all())

        rest = bool(at.all() and kept.all())
        yield Claim(
            where,
            f"wd {decay:g}: without the neurons of IPR below {THRESHOLD}, corrupted labels are"
            " forgotten, test and uncorrupted accuracy stay, training accuracy is 1 − ξ",
            f"{spread(these['share'])} of the neurons removed: corrupted"
            f" {was['corrupted_accuracy'].mean():.3f} → {spread(these['corrupted_accuracy'])}, test"
            f" {was['test_accuracy'].mean():.3f} → {spread(these['test_accuracy'])}, uncorrupted"
            f" {spread(these['clean_accuracy'])}, train {spread(these['train_accuracy'])}",
            forgotten(0.05) and rest,
            rule=f"in every seed corrupted below 0.05, test and uncorrupted at least {RETAINED:g},"
            f" train within {CLOSE:g} of {1 - XI:g}",
            also=(("corrupted below 0.02", forgotten(0.02) and rest),),
            weak="these networks have no corrupted labels to forget" if decay == FULL else "",
        )


def improved(results: Results) -> Iterator[Claim]:
    """Pruning the memorizing neurons improves the accuracy on uncorrupted data."""
    rows = at_decay(at_threshold(results["pruning"], results["neurons"], THRESHOLD), NONE)
    was = results["runs"].set_index("run").loc[rows["run"], "test_accuracy"].to_numpy()
    test = rows["test_accuracy"].to_numpy()
    yield Claim(
        "abstract (ii) and 4",
        "memorizing neurons can be pruned, which improves the accuracy on uncorrupted data, up to"
        " perfect generalization",
        f"wd {NONE:g}: test accuracy {spread(was)} → {spread(test)} without the neurons of IPR"
        f" below {THRESHOLD}",
        bool((test > was).all() and (test >= 0.999).all()),
        rule="higher in every seed, and at least 0.999",
        also=(("1 in every seed", bool((test == 1).all())),),
        why="Test accuracy does not rise to 1.",
    )
    curves = results["pruning"][results["pruning"]["order"] == "lowest"].sort_values("pruned")
    plain = at_decay(curves, NONE).groupby("run")["corrupted_accuracy"]
    rise = plain.apply(lambda values: float((values - values.cummin()).max()))
    largest = float(rise.max())
    held = verdict(largest < 0.05, largest == 0)
    yield Claim(
        "2.1, Fig. 6 left",
        "the accuracy on corrupted examples falls monotonically as neurons of low IPR are pruned",
        f"it rises again by at most {largest:.3f} on the way from {spread(plain.first())} to"
        f" {spread(plain.min())}",
        held,
        rule="no rise at all; in part if none of 0.05",
        also=(("rises below 0.02", largest < 0.02),),
        why="On the figure's scale the rises cannot be seen.",
    )


def pruned_far(results: Results) -> Iterator[Claim]:
    """Test accuracy stays high over a wide range of pruning."""
    before = results["runs"].set_index("run")
    pruning, width = results["pruning"], results["pruning"]["pruned"].max()
    way = at_decay(pruning[pruning["order"] == "lowest"], NONE)

    def left(order: str, retained: float = RETAINED) -> pd.Series[Any]:
        found = needed(pruning, order, retained).to_frame().join(before[["weight_decay"]])
        return at_decay(found, NONE)["needed"]

    def lowest(retained: float) -> float:
        plain = way["run"].map(left("lowest", retained))
        return float(way[way["pruned"] <= width - plain]["test_accuracy"].min())

    def held(retained: float) -> bool:
        half = left("lowest", retained) < 0.5 * width
        return bool(half.all() and lowest(retained) >= retained)

    yield Claim(
        "2.1, Fig. 6",
        "test accuracy stays high over a wide range of pruning",
        f"at wd 0 until {spread(100 * (1 - left('lowest') / width), 1)} % of {width} neurons are"
        f" gone, never below {lowest(RETAINED):.3f} on the way",
        held(RETAINED),
        rule=f"at least {RETAINED:g} until half of the neurons are gone, in every seed",
        also=tuple((f"at least {least:g}", held(least)) for least in OTHERS),
    )
    control = 100 * (1 - left("random") / width)
    yield Claim(
        "control",
        "which a random order does not do",
        f"at wd 0 until {spread(control, 1)} % are gone",
        bool((control < 50).all()),
        rule=f"below {RETAINED:g} before half of them are gone, in every seed",
    )


def dropped(results: Results) -> Iterator[Claim]:
    """Generalizing solutions are more robust to dropped neurons than memorizing ones."""
    random = at_decay(results["pruning"].query("order == 'random'"), NONE)
    levels = (0.9, 0.5)
    fall = {
        level: [_falls(random, f"{name}_accuracy", level) for name in ("corrupted", "test")]
        for level in levels
    }
    sooner = {level: fall[level][0] < fall[level][1] for level in levels}
    held = verdict(
        any(bool(first.all()) for first in sooner.values()),
        all(bool(first.all()) for first in sooner.values()),
    )
    yield Claim(
        "3.2",
        "generalizing solutions are more robust to dropped neurons than overfitting ones",
        "wd 0, share of neurons removed at random when accuracies fall below "
        + "; ".join(
            f"{level:g}: corrupted {spread(fall[level][0])}, test {spread(fall[level][1])}"
            f" (corrupted first in {of(sooner[level])} seeds)"
            for level in levels
        ),
        held,
        rule="the accuracy on corrupted labels is below 0.9, and then below 0.5, before the test"
        " accuracy is, in every seed; in part if so at one of the two",
        why="The memorized labels go first, and the test accuracy does not outlast them by much.",
    )


def _falls(pruning: pd.DataFrame, column: str, level: float) -> pd.Series[float]:
    """Share of the neurons pruned when a column is first below a level, by run."""
    shares = pruning["pruned"] / pruning["pruned"].max()
    below = pruning[column] < level
    first: pd.Series[float] = shares[below].groupby(pruning["run"][below]).min()
    return first


def pruning_highest(results: Results) -> Iterator[Claim]:
    """Without the neurons of high IPR generalization goes first, and memorization last."""
    highest = results["pruning"][results["pruning"]["order"] == "highest"]
    plain = at_decay(highest, NONE)

    def fall(level: float) -> list[pd.Series[float]]:
        names = ("test_accuracy", "clean_accuracy", "corrupted_accuracy")
        return [_falls(plain, name, level) for name in names]

    def held(level: float) -> bool:
        test, clean, corrupted = fall(level)
        return bool((test < clean).all() and (clean < corrupted).all())

    test, clean, corrupted = fall(0.5)
    yield Claim(
        "2.1, Figs. 6 right, 17a",
        "pruned from the highest IPR, test accuracy goes first, accuracy on uncorrupted training"
        " data next, and corrupted labels are kept longest",
        f"share pruned when they fall below one half: test {spread(test)}, uncorrupted"
        f" {spread(clean)}, corrupted {spread(corrupted)}",
        held(0.5),
        rule="in this order in every seed",
        also=(("below 0.9", held(0.9)),),
    )
    curves = {
        decay: at_decay(highest, decay).groupby("run")["corrupted_accuracy"]
        for decay in (PARTIAL, FULL)
    }
    first, most = curves[PARTIAL].first(), curves[PARTIAL].max()

    def improves(by: float) -> bool:
        return bool((most > first + by).all())

    yield Claim(
        "I, Fig. 17b",
        "wd 5: pruning from the highest IPR improves the accuracy on corrupted labels",
        f"{spread(first)} → at most {spread(most)}",
        improves(0.3),
        rule="by more than 0.3 in every seed",
        also=(("more than 0.5", improves(0.5)),),
    )
    first, top = curves[FULL].first(), curves[FULL].max()

    def hardly(most: float) -> bool:
        return bool((top < most).all())

    yield Claim(
        "I, Fig. 17c",
        "wd 15: hardly, there being few neurons of low IPR",
        f"{spread(first)} → at most {spread(top)}",
        hardly(0.2),
        rule="at most 0.2 in every seed",
        also=(("at most 0.1", hardly(0.1)),),
    )


def widths(results: Results) -> Iterator[Claim]:
    """The neurons needed grow sub-linearly with the width, so that more can be pruned."""
    widths_of = results["runs"].set_index("run")[["width"]]

    def left(retained: float) -> pd.DataFrame:
        found = needed(results["pruning"], "lowest", retained).to_frame().join(widths_of)
        return found.dropna()

    def slope(retained: float) -> float:
        found = left(retained)
        return exponent(found["width"], found["needed"])

    table = left(RETAINED)
    by_width = table.groupby("width")["needed"]
    words = ", ".join(f"{width:g}: {spread(values, 0)}" for width, values in by_width)
    yield Claim(
        "Q, Fig. 32a",
        f"the neurons needed (test accuracy ≥ {RETAINED:.0%}) grow sub-linearly with the width",
        f"{words}; exponent {slope(RETAINED):.2f}",
        0 < slope(RETAINED) < 1,
        rule="an exponent between 0 and 1",
        also=tuple((f"accuracy {least:g}", 0 < slope(least) < 1) for least in OTHERS),
    )

    def grows(retained: float) -> bool:
        found = left(retained)
        part = (1 - found["needed"] / found["width"]).groupby(found["width"]).agg(["min", "max"])
        return bool((part["min"].to_numpy()[1:] > part["max"].to_numpy()[:-1]).all())

    part = 100 * (1 - table["needed"] / table["width"])
    yield Claim(
        "Q, Fig. 32b",
        "so that the share that can be pruned grows",
        ", ".join(
            f"{width:g}: {spread(values, 1)} %" for width, values in part.groupby(table["width"])
        ),
        grows(RETAINED),
        rule="from width to width, beyond the spread of the seeds",
        also=tuple((f"accuracy {least:g}", grows(least)) for least in OTHERS),
        weak="sub-linear growth of the neurons needed implies it",
        why="Neighbouring widths overlap.",
    )

    def fewest(retained: float) -> Verdict:
        return bool(left(retained)["needed"].min() >= FREQUENCIES)

    yield Claim(
        "3.2, footnote 5",
        "a generalizing network needs neurons of ⌈p/2⌉ frequencies, so at least that many neurons",
        f"fewest of {len(table)} networks: {table['needed'].min():.0f}, at accuracy 0.99"
        f" {left(0.99)['needed'].min():.0f}; ⌈p/2⌉ = {FREQUENCIES}",
        fewest(RETAINED),
        rule=f"no network keeps a test accuracy of {RETAINED:g} with fewer",
        also=tuple((f"accuracy {least:g}", fewest(least)) for least in OTHERS),
        why="A network keeps its test accuracy with fewer.",
    )
