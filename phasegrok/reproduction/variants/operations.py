"""Claims on other operations: appendix P."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.variants.cells import GRID, same_cells

__all__ = ["multiplication"]


def multiplication(results: Results, small: Results) -> Iterator[Claim]:
    """Multiplication gives almost the diagram of addition."""
    runs, other = results["runs"], small["runs"]
    both = same_cells(runs, other, "weight_decay")

    def shares(label: str) -> list[float]:
        same = both[label] == both[f"{label}_other"]
        return [float(share) for share in same.groupby(both["seed"]).mean()]

    keys = [*GRID, "weight_decay"]
    pairs = [
        one.merge(two, on=keys, suffixes=("", "_other"))
        for (_, one), (_, two) in combinations(other.groupby("seed"), 2)
    ]
    between = [float((pair["subphase"] == pair["subphase_other"]).mean()) for pair in pairs]
    ipr = both["mean_ipr"].corr(both["mean_ipr_other"])
    same = shares("subphase")
    baseline = (
        f", two seeds of addition {min(between):.3f} to {max(between):.3f}" if between else ""
    )
    yield Claim(
        "P, Fig. 31",
        "multiplication gives almost the diagram of addition",
        f"share of {len(both) // len(same)} cells with the same label, by seed"
        f" {' / '.join(f'{share:.3f}' for share in same)}{baseline}; mean IPR (in the group's"
        f" order) correlates at {ipr:.3f} over the cells",
        min(same) >= 0.9,
        rule="0.9 of the labels in every seed",
        also=(
            ("0.95 of them", min(same) >= 0.95),
            ("by direct_phase", min(shares("direct_phase")) >= 0.9),
        ),
        why="More labels differ.",
    )
