"""Claims on small batches, with and without normalization: appendices F and J."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from phasegrok.reproduction.base import Claim, Results, Verdict
from phasegrok.reproduction.variants.cells import GRID, counted, over_seeds
from phasegrok.reproduction.words import by_value, verdict

__all__ = ["generalization", "labels", "normalization", "smaller"]

PAPER: Final = {0.4: "Coexistence", 0.5: "Partial Inversion", 0.8: "Full Inversion"}
WORDS: Final = {"batch": "batch normalization", "layer": "layer normalization", "none": "none"}


def _kept(results: Results) -> pd.Series[float]:
    """Corrupted labels kept, by normalization, batch size, cell and seed."""
    keys = ["normalization", "batch_size", *GRID, "seed"]
    kept: pd.Series[float] = results["runs"].set_index(keys)["corrupted_accuracy"]
    return kept


def normalization(results: Results) -> Iterator[Claim]:
    """Normalization widens Inversion, batch normalization most of all."""
    kept = _kept(results)
    at = {name: kept.xs(name, level="normalization") for name in ("batch", "layer", "none")}
    inverted = results["runs"].query("phase == 'Inversion'").groupby("normalization").size()
    for one, other, text, figures in (
        ("batch", "none", "batch normalization widens Inversion over no normalization", "9, 10"),
        ("layer", "none", "layer normalization widens Inversion over no normalization", "10, 11"),
        ("batch", "layer", "especially batch normalization, over layer normalization", "9, 11"),
    ):
        labels = f"{inverted.get(one, 0)} and {inverted.get(other, 0)}"
        yield _fewer(at[other] - at[one], text, f"F, Figs. {figures}", labels)


def _fewer(gain: pd.Series[float], text: str, source: str, labels: str) -> Claim:
    """Whether the corrupted labels kept are fewer, of which ``gain`` is the difference."""
    cells = gain.groupby(["batch_size", *GRID]).mean()
    fewer = float((cells > 0).mean())

    def held(share: float) -> Verdict:
        return verdict(fewer > 0.5, fewer >= share)

    return Claim(
        source,
        text,
        f"fewer corrupted labels kept in {(cells > 0).sum()} of {len(cells)} cells, by"
        f" {over_seeds(gain.groupby('seed').mean())} in the mean; {(gain > 0).sum()} of {len(gain)}"
        f" runs; runs in Inversion by Table 2 {labels}",
        held(1.0),
        rule="in all cells, mean over seeds; in part if in most",
        also=(("in 80 %", held(0.8)),),
        why="It depends on batch size and share of data.",
    )


def smaller(results: Results) -> Iterator[Claim]:
    """Smaller batches widen Inversion."""
    kept = _kept(results)
    for name, source in (
        ("none", "2.1 and F, Fig. 10"),
        ("batch", "F, Fig. 9"),
        ("layer", "F, Fig. 11"),
    ):
        yield _ordered(kept.xs(name, level="normalization"), name, source)


def _ordered(kept: pd.Series[float], name: str, source: str) -> Claim:
    by_size = kept.groupby("batch_size").mean()
    cells, runs = (
        kept.groupby([*keys, "batch_size"]).mean().unstack("batch_size")
        for keys in (["data_fraction"], ["data_fraction", "seed"])
    )
    ordered, single = (
        table.apply(lambda row: row.is_monotonic_increasing, axis=1) for table in (cells, runs)
    )
    ends = cells.iloc[:, 0] < cells.iloc[:, -1]
    held = verdict(bool(ends.all()), bool(ordered.all()))
    words = "; ".join(f"α = {share:g} {by_value(row, 3)}" for share, row in cells.iterrows())
    return Claim(
        source,
        f"smaller batches widen Inversion (normalization: {name})",
        f"corrupted labels kept, by batch size: {words}; in this order in {single.sum()} of"
        f" {len(single)} cells and seeds",
        held,
        rule="more from size to size at every α, mean over seeds; in part if the smallest batch"
        " keeps fewer than the largest",
        also=(
            ("mean over α", bool(by_size.is_monotonic_increasing)),
            ("in every seed", bool(single.all())),
        ),
        why=(
            "The smallest batch keeps fewest of the ends, and the middle one is not between them."
            if held is None
            else "The smallest batch keeps no fewer than the largest."
        ),
    )


def generalization(results: Results) -> Iterator[Claim]:
    """Smaller batches enhance generalization."""
    runs = results["runs"]
    for name in ("none", "batch", "layer"):
        yield _better(runs[runs["normalization"] == name], name)


def _better(runs: pd.DataFrame, name: str) -> Claim:
    by_size = runs.groupby("batch_size")["test_accuracy"].mean()
    cells = runs.groupby([*GRID, "batch_size"])["test_accuracy"].mean().unstack("batch_size")
    better = cells.iloc[:, 0] > cells.iloc[:, -1]
    falling = bool(by_size.is_monotonic_decreasing)

    def held(share: float) -> Verdict:
        return verdict(bool(better.mean() > 0.5), falling and bool(better.mean() >= share))

    return Claim(
        "F",
        f"smaller batches enhance generalization (normalization: {name})",
        f"mean test accuracy by batch size {by_value(by_size, 3)}; higher with the smallest than"
        f" with the largest in {better.sum()} of {len(better)} cells",
        held(0.75),
        rule="lower from size to size, and higher with the smallest than with the largest in three"
        " of four cells, mean over seeds; in part if in most",
        also=(("in every cell", held(1.0)),),
        why="In some cells larger batches generalize as well or better.",
    )


def labels(results: Results) -> Iterator[Claim]:
    """In batches of 64 α = 0.4, 0.5, 0.8 are Coexistence, Partial Inversion and Full Inversion."""
    runs = results["runs"]
    for name, figure in (("batch", 20), ("layer", 21), ("none", 22)):
        yield _three(runs[runs["normalization"] == name], WORDS[name], f"J, Fig. {figure}")


def _three(runs: pd.DataFrame, words: str, source: str) -> Claim:
    paper = runs["data_fraction"].round(9).map(PAPER)

    def held(label: str) -> Verdict:
        most = (runs[label] == paper).groupby(runs["data_fraction"]).mean() > 0.5
        return verdict(bool(most.sum() >= 2), bool(most.all()))

    found = "; ".join(
        f"α = {share:g} {counted(one['subphase'])} (train {over_seeds(one['train_accuracy'])},"
        f" corrupted labels kept {over_seeds(one['corrupted_accuracy'])})"
        for share, one in runs.groupby("data_fraction")
    )
    return Claim(
        source,
        "batches of 64: α = 0.4, 0.5 and 0.8 are Coexistence, Partial and Full Inversion"
        f" (normalization: {words})",
        found,
        held("subphase"),
        rule="by Table 2 in most seeds; in part if two of three",
        also=(("by direct_phase", held("direct_phase")),),
        why=(
            "The labels that differ are near a boundary: after their fall the corrupted labels are"
            " learned again slowly, so that the end of training decides."
        ),
    )
