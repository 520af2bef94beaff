"""Whether refinement can be trusted: replayed on diagrams of which every cell was trained."""

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
    for name in ("wd-47", "dropout-47"):
        yield from rows(refinement, Results(root / name), source="ours")


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
