"""Whether refinement can be trusted: replayed on diagrams of which every cell was trained, and
held against one that another machine trained whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from phasegrok.analysis.inferred import INFERRED, Grid, replayed
from phasegrok.reproduction.base import Claim, Results, rows
from phasegrok.reproduction.slices import REACHED, Diagram

__all__ = ["claims"]

LEVELS: Final = 2  # from every fourth value
AGREES: Final = 0.99
SAVES: Final = 0.5


def claims(root: Path) -> Iterator[Claim]:
    """Refinement of the whole diagrams under ``root``."""
    for name in ("wd", "dropout", "wd-47", "dropout-47"):
        yield from rows(refinement, Results(root / name), source="ours")
    yield from rows(inferred, Results(root / "wd-refined"), Results(root / "wd"), source="ours")


def refinement(results: Results) -> Iterator[Claim]:
    """Refinement finds the labels of the whole grid with at most half of its trainings."""
    diagram = Diagram(results)
    axes = ["data_fraction", "corruption_fraction", diagram.name]
    values = {name: sorted(diagram.cells[name].unique().tolist()) for name in axes}
    measured, held = [], {}
    for label in ("subphase", "direct_phase"):
        grid = Grid(values, axes[0], axes[1], LEVELS, label)
        found = replayed(diagram.cells.drop(columns=[INFERRED, REACHED]), grid)
        both = found.merge(diagram.cells, on=axes, suffixes=("", "_true"))
        same = both[label] == both[f"{label}_true"]
        trained = float((~both["inferred"]).mean())
        held[label] = bool(same.mean() >= AGREES and trained <= SAVES)
        words = f"{same.mean():.2%} the same ({int((~same).sum())} differ), {trained:.0%} trained"
        measured.append(f"{label}: {words}")
    yield Claim(
        "ours",
        "refinement from every fourth value finds the labels of the whole grid with at most half of"
        " its trainings",
        f"{len(diagram.cells)} cells; {'; '.join(measured)}",
        held["subphase"],
        rule=f"the same label in {AGREES:.0%} of the cells or more, {SAVES:.0%} of them trained or"
        " fewer",
        also=(("by direct_phase", held["direct_phase"]),),
        why=(
            "The phases of single cells at the boundaries are scattered, and what lies between"
            " coarse cells of one phase is not looked at."
        ),
    )


def inferred(refined: Results, whole: Results) -> Iterator[Claim]:
    """What refinement infers is what training finds, on another kind of device too."""
    first, second = Diagram(refined), Diagram(whole)
    axes = ["data_fraction", "corruption_fraction", first.name]
    both = first.cells.merge(second.cells, on=axes, suffixes=("", "_whole"))
    same = {label: both[label] == both[f"{label}_whole"] for label in ("subphase", "direct_phase")}
    there = both[INFERRED]
    measured = [
        f"{label}: of {there.sum()} inferred cells {(~equal[there]).sum()} differ, of"
        f" {(~there).sum()} trained in both {(~equal[~there]).sum()}"
        for label, equal in same.items()
    ]
    held = {label: bool(equal[there].mean() >= AGREES) for label, equal in same.items()}
    devices = [results.manifest["device"] for results in (refined, whole)]
    yield Claim(
        "ours",
        "what refinement infers is what training finds, on another kind of device too",
        f"{devices[0]} and {devices[1]}; {'; '.join(measured)}",
        held["subphase"],
        rule=f"the same label in {AGREES:.0%} of the inferred cells or more",
        also=(("by direct_phase, which it did not refine by", held["direct_phase"]),),
        why="Some phases are narrower than the distance of coarse cells.",
    )
