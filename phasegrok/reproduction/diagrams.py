"""Claims of Doshi et al. on phase diagrams: sections 2 and 3, and Figures 3, 24 and 25."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from phasegrok.analysis.phases import GENERALIZES
from phasegrok.reproduction.base import Claim, Results, Verdict, rows
from phasegrok.reproduction.slices import CELL, DROPOUT, REACHED, Diagram
from phasegrok.reproduction.words import by_value, spread, verdict

__all__ = ["claims"]

ALSO: Final = 0.95  # the other plausible accuracy of a network that generalizes
SIZABLE: Final = 0.2  # share of corrupted labels
AMPLE: Final = 0.5  # share of data
VERY_HIGH: Final = 0.8  # share of corrupted labels
FINE: Final = 0.1  # distance of data fractions on which a boundary can be seen to move
CHANCE: Final = 0.1  # a test accuracy below it is no generalization, at 47 classes or more
CLOSE: Final = 0.03  # of a training accuracy to 1 - xi


def claims(root: Path) -> Iterator[Claim]:
    """Every claim whose results are under ``root``, in the paper's order."""
    # At the paper's size, and a quarter of the work.
    decayed, small_decayed = Results(root / "wd"), Results(root / "wd-47")
    dropped, small_dropped = Results(root / "dropout"), Results(root / "dropout-47")
    by_decay, by_dropout = (decayed, small_decayed), (dropped, small_dropped)
    for results in by_decay:
        yield from rows(unregularized, results, source="2")
    for results, figure in [(r, "3a") for r in by_decay] + [(r, "3b") for r in by_dropout]:
        yield from rows(more_data, results, source=f"Fig. {figure}")
        yield from rows(more_regularization, results, source=f"3, Fig. {figure}")
        yield from rows(less_data, results, source=f"3.1 (i), Fig. {figure}")
        yield from rows(partial_inversion, results, source=f"2, Fig. {figure}")
        yield from rows(full_inversion, results, source=f"3.1 (ii), Fig. {figure}")
        yield from rows(memorization, results, source=f"2, Fig. {figure}")
    for results in by_decay:
        yield from rows(forgetting, results, source="2 and E, Fig. 3a")
    for results in by_dropout:
        yield from rows(confusion, results, source="2, Fig. 3b")
    for results, figure in [(r, "24") for r in by_decay] + [(r, "25") for r in by_dropout]:
        yield from rows(training_accuracy, results, source=f"L, Fig. {figure}")


def unregularized(results: Results) -> Iterator[Claim]:
    """Without regularization it generalizes in spite of sizable label corruption."""
    diagram = Diagram(results)

    def largest(least: float) -> pd.Series[Any]:
        return row(diagram.tolerated(least), diagram.none)

    def held(least: float) -> bool:
        return bool(largest(least).max() >= SIZABLE)

    yield Claim(
        "2",
        "without regularization it generalizes in spite of sizable label corruption",
        f"largest share of corrupted labels with a test accuracy of {GENERALIZES:g}, by data"
        f" fraction {by_value(_few(largest(GENERALIZES)), 2)}",
        held(GENERALIZES),
        rule=f"a share of at least {SIZABLE:g} somewhere at {GENERALIZES:g}",
        also=(("at 0.99", held(0.99)),),
        why="No cell with so many corrupted labels generalizes.",
    )


def more_data(results: Results) -> Iterator[Claim]:
    """More data makes it more robust to label corruption."""
    diagram = Diagram(results)

    def ranks(least: float) -> dict[float, float]:
        table, found = diagram.tolerated(least), {}
        for value in (diagram.none, *diagram.moderate):
            largest = row(table, value)
            fractions = pd.Series(largest.index, largest.index, dtype=float)
            found[value] = float(fractions.corr(largest, method="spearman"))
        return found

    def held(least: float) -> bool:
        return all(rank >= 0.9 for rank in ranks(least).values())

    largest = [row(diagram.tolerated(GENERALIZES), v) for v in (diagram.none, *diagram.moderate)]
    rises = all(
        len(each) > 0 and each.is_monotonic_increasing and each.iloc[-1] > each.iloc[0]
        for each in largest
    )
    shares = "; ".join(
        f"{value:g}: {by_value(each, 2)}"
        for value, each in zip((diagram.none, *diagram.moderate), largest, strict=True)
    )
    yield Claim(
        f"Fig. {_figure(diagram)}",
        "more data makes it more robust to label corruption",
        "rank correlation of the data fraction with the largest share of corrupted labels that"
        f" generalizes, by {diagram.words} {by_value(ranks(GENERALIZES), 2)}",
        held(GENERALIZES),
        rule=f"at least 0.9 in every slice but the last, at a test accuracy of {GENERALIZES:g}",
        also=((f"at {ALSO:g}", held(ALSO)), ("it nowhere falls, and rises in all", rises)),
        why=f"By data fraction, the largest shares are at {diagram.words} {shares}.",
    )


def more_regularization(results: Results) -> Iterator[Claim]:
    """Regularization makes it more robust to label corruption."""
    diagram = Diagram(results)

    def numbers(least: float) -> pd.Series[int]:
        reached = diagram.cells[REACHED] >= least
        return reached.groupby(diagram.cells[diagram.name]).sum().astype(int)

    def held(least: float) -> Verdict:
        first = numbers(least)[[diagram.none, *diagram.moderate]]
        grows = bool(first.is_monotonic_increasing and first.is_unique)
        return verdict(bool(first.iloc[1:].min() > first.iloc[0]), grows)

    yield Claim(
        f"3, Fig. {_figure(diagram)}",
        f"{diagram.words} makes it more robust to label corruption",
        f"cells of {len(diagram.at(diagram.none))} that generalize, by {diagram.words}"
        f" {by_value(numbers(GENERALIZES))}",
        held(GENERALIZES),
        rule=f"more from slice to slice but the last, at a test accuracy of {GENERALIZES:g}",
        also=((f"at {ALSO:g}", held(ALSO)),),
        why=" ".join(_not_more(diagram, numbers(GENERALIZES))),
    )


def _not_more(diagram: Diagram, numbers: pd.Series[int]) -> Iterator[str]:
    """Between which slices the cells that generalize do not become more, and what they are then."""
    slices = [diagram.none, *diagram.moderate]
    if numbers[diagram.moderate].min() > numbers[diagram.none]:
        yield "Every regularized slice but the last generalizes in more cells than the one without."
    for weaker, stronger in pairwise(slices):
        if numbers[stronger] > numbers[weaker]:
            continue
        if numbers[stronger] == numbers[weaker]:
            yield f"As many generalize at {stronger:g} as at {weaker:g}."
            continue
        before = diagram.at(weaker)
        before = before[before[REACHED] >= GENERALIZES][CELL]
        lost = before.merge(diagram.at(stronger), on=CELL)
        lost = lost[lost[REACHED] < GENERALIZES]
        labels = ", ".join(f"{label} {n}" for label, n in lost["subphase"].value_counts().items())
        yield (
            f"From {weaker:g} to {stronger:g} {len(lost)} cells along the boundary are lost"
            f" ({labels}; their mean test accuracy is {lost['test_accuracy'].mean():.2f})."
        )


def less_data(results: Results) -> Iterator[Claim]:
    """Regularization moves the boundary of generalization to less data."""
    diagram = Diagram(results)

    def shifts(least: float) -> dict[float, pd.Series[float]]:
        table = diagram.needed(least)
        first = row(table, diagram.none)
        return {value: (row(table, value) - first).dropna() for value in diagram.moderate}

    def held(least: float) -> Verdict:
        found = shifts(least).values()
        never_up = all((shift <= 1e-9).all() for shift in found)
        down = all((shift < -1e-9).mean() >= 0.5 for shift in found)
        return verdict(down, down and never_up)

    words = [
        f"at {value:g} by {spread(shift)} ({int((shift < -1e-9).sum())} of {len(shift)} shares of"
        f" corrupted labels need less, {int((shift > 1e-9).sum())} more)"
        for value, shift in shifts(GENERALIZES).items()
    ]
    yield Claim(
        f"3.1 (i), Fig. {_figure(diagram)}",
        f"{diagram.words} moves the boundary of generalization to less data",
        "the smallest data fraction that generalizes moves, deviation over shares of corrupted"
        f" labels: {'; '.join(words)}",
        held(GENERALIZES),
        rule=f"less in half of the shares or more, and more in none, at {GENERALIZES:g}",
        also=((f"at {ALSO:g}", held(ALSO)),),
        weak=f"data fractions are {_steps(diagram):g} apart" if _steps(diagram) > FINE else "",
        why=_unmoved(diagram),
    )


def _steps(diagram: Diagram) -> float:
    """The largest distance of two neighbouring data fractions."""
    return float(np.diff(np.sort(diagram.cells["data_fraction"].unique())).max())


def _unmoved(diagram: Diagram) -> str:
    table = diagram.needed(GENERALIZES)
    first = row(table, diagram.none)
    up = [(row(table, value) - first).dropna().max() > 1e-9 for value in diagram.moderate]
    if any(up):
        return "In some rows of the diagram it moves to more data."
    return (
        "It never moves to more data; in the other rows it moves by less than the distance of two"
        f" data fractions, {_steps(diagram):g}."
    )


def partial_inversion(results: Results) -> Iterator[Claim]:
    """Partial Inversion occurs without regularization, but only with ample data."""
    diagram = Diagram(results)

    def found(label: str) -> pd.DataFrame:
        cells = diagram.at(diagram.none)
        return cells[cells[label] == "Partial Inversion"]

    def held(label: str) -> bool:
        cells = found(label)
        return bool(len(cells) > 0 and cells["data_fraction"].min() >= AMPLE)

    cells, coexisting = found("subphase"), diagram.at(diagram.none)
    coexisting = coexisting[coexisting["subphase"] == "Coexistence"]
    smallest = f"from {cells['data_fraction'].min():g} on" if len(cells) else "nowhere"
    yield Claim(
        f"2, Fig. {_figure(diagram)}",
        "Partial Inversion occurs without regularization, but only with ample data",
        f"{len(cells)} cells, {smallest}; Coexistence from"
        f" {coexisting['data_fraction'].min():g} on",
        held("subphase"),
        rule=f"some, and none at a data fraction below {AMPLE:g}",
        also=(("by direct_phase", held("direct_phase")),),
        why=_keeps(diagram),
    )


def _keeps(diagram: Diagram) -> str:
    cells = diagram.at(diagram.none)
    cells = cells[(cells[REACHED] >= GENERALIZES) & (cells["corruption_fraction"] > 0)]
    return (
        "The small problem memorizes what it is given: every cell of the slice that generalizes"
        f" keeps at least {cells['corrupted_accuracy'].min():.2f} of its corrupted labels. At"
        " p = 97 some do not (the row of `wd`)."
    )


def full_inversion(results: Results) -> Iterator[Claim]:
    """Full Inversion emerges under regularization."""
    diagram = Diagram(results)

    def held(label: str) -> Verdict:
        number = diagram.counts(label, "Full Inversion")[[diagram.none, *diagram.moderate]]
        grows = bool(number.is_monotonic_increasing and number.is_unique)
        absent = bool(number.iloc[0] <= 0.02 * len(diagram.at(diagram.none)))
        return verdict(grows, absent and grows)

    without = diagram.at(diagram.none)
    without = without[without["subphase"] == "Full Inversion"]

    yield Claim(
        f"3.1 (ii), Fig. {_figure(diagram)}",
        f"Full Inversion emerges under {diagram.words}",
        f"cells by {diagram.words} {by_value(diagram.counts('subphase', 'Full Inversion'))}; by"
        f" direct_phase {by_value(diagram.counts('direct_phase', 'Full Inversion'))}",
        held("subphase"),
        rule="at most 2 % of the cells without, and more from slice to slice but the last; in part"
        " if only the latter",
        also=(("by direct_phase", held("direct_phase")),),
        why=(
            f"Without it {len(without)} of {len(diagram.at(diagram.none))} cells have the label by"
            " Table 2, which allows a train accuracy of 5 % above 1 − ξ. They keep"
            f" {without['corrupted_accuracy'].max():.2f} of their corrupted labels or less."
            if len(without)
            else "The number of cells does not grow from slice to slice."
        ),
    )


def memorization(results: Results) -> Iterator[Claim]:
    """Memorization at very high corruption or very little data, with test accuracy at chance."""
    diagram = Diagram(results)
    cells = diagram.at(diagram.none)
    high = cells["corruption_fraction"] >= VERY_HIGH
    few = cells["data_fraction"] == cells["data_fraction"].min()
    expected = cells[high | few]
    share = float((expected["subphase"] == "Memorization").mean())
    test = float(expected["test_accuracy"].mean())
    yield Claim(
        f"2, Fig. {_figure(diagram)}",
        "Memorization at very high corruption or very little data, with test accuracy at chance",
        f"{share:.0%} of {len(expected)} cells with {VERY_HIGH:g} and more of corrupted labels or"
        f" {cells['data_fraction'].min():g} of the data, without {diagram.words}; mean test"
        f" accuracy there {test:.3f}",
        share >= 0.95 and test < CHANCE,
        rule=f"at least 95 % of them, with a mean test accuracy below {CHANCE:g}",
        also=(("90 % of them", share >= 0.9 and test < CHANCE),),
        why="The others do not even memorize.",
    )


def forgetting(results: Results) -> Iterator[Claim]:
    """Very high weight decay loses what was grokked: Forgetting, and nowhere else."""
    diagram = Diagram(results)
    before = diagram.at(diagram.moderate[-1])
    grokked = before[before[REACHED] >= GENERALIZES][CELL]
    there = grokked.merge(diagram.at(diagram.extreme), on=CELL)
    lost = int((there["phase"] == "Forgetting").sum())
    share = lost / max(len(there), 1)
    number = diagram.counts("phase", "Forgetting")
    elsewhere = int(number.drop(diagram.extreme).sum())
    found = verdict(share >= 0.5, share >= 0.9 and elsewhere == 0)
    yield Claim(
        "2 and E, Fig. 3a",
        "very high weight decay loses what was grokked: Forgetting, and nowhere else",
        f"of {len(there)} cells that generalize at {diagram.moderate[-1]:g}, Forgetting at"
        f" {diagram.extreme:g}: {lost}; Forgetting by decay {by_value(number)}; mean test"
        f" accuracy of those cells {there['test_accuracy'].mean():.3f}",
        found,
        rule="at least 90 % of those cells, and none at smaller decays",
        also=(("80 % of them", verdict(share >= 0.5, share >= 0.8 and elsewhere == 0)),),
        why="The others lie at the boundary, where at this decay nothing was grokked to lose.",
    )


def confusion(results: Results) -> Iterator[Claim]:
    """Very high dropout leads to Confusion: not even the corrupted labels are memorized."""
    diagram = Diagram(results)
    number = diagram.counts("phase", "Confusion")
    cells = diagram.at(diagram.extreme)
    confused = cells[cells["phase"] == "Confusion"]
    share, others = len(confused) / len(cells), number.drop(diagram.extreme)
    fewer = bool(others.max() <= 0.05 * len(cells))
    found = verdict(share > 0, share >= 0.5 and fewer)
    yield Claim(
        "2, Fig. 3b",
        "very high dropout leads to Confusion: not all of the corrupted labels are memorized",
        f"cells of {len(cells)} by dropout {by_value(number)}; corrupted labels memorized in those"
        f" at {diagram.extreme:g}: {confused['corrupted_accuracy'].mean():.3f}",
        found,
        rule="at least half of the last slice, and at most 5 % of any other",
        also=(("a quarter", verdict(share > 0, share >= 0.25 and fewer)),),
        why="The other cells of the last slice still memorize, or generalize.",
    )


def training_accuracy(results: Results) -> Iterator[Claim]:
    """In Full Inversion the training accuracy is 1 − ξ."""
    diagram = Diagram(results)
    cells = diagram.cells[diagram.cells["direct_phase"] == "Full Inversion"]
    cells = cells[cells["corruption_fraction"] > 0]
    away = (cells["train_accuracy"] - (1 - cells["corruption_fraction"])).abs()
    above = float((cells["test_accuracy"] > cells["train_accuracy"]).mean())
    yield Claim(
        f"L, Fig. {'25' if diagram.name == DROPOUT else '24'}",
        "in Full Inversion the training accuracy is 1 − ξ",
        f"{len(cells)} cells; distance from 1 − ξ {spread(away)}, at most {away.max():.3f}; test"
        f" accuracy above training accuracy in {above:.0%}",
        bool(away.mean() <= CLOSE),
        why="It is higher or lower by more.",
        rule=f"a mean distance of at most {CLOSE:g}, in cells of direct_phase",
        weak="the label asks that at most 10 % of the corrupted labels are memorized",
    )


def _figure(diagram: Diagram) -> str:
    return "3b" if diagram.name == DROPOUT else "3a"


def row(table: pd.DataFrame, value: float) -> pd.Series[Any]:
    """One slice of a table of slices, without its nulls; empty where the slice is not there."""
    return table.reindex([value]).iloc[0].dropna()


def _few(numbers: pd.Series[Any]) -> pd.Series[Any]:
    """Few enough numbers for a row: every fourth of many."""
    return numbers.iloc[:: 4 if len(numbers) > 8 else 1]
