"""The row on refinement: yes where phases have smooth boundaries, no where they are scattered."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from phasegrok.reproduction.base import Results
from phasegrok.reproduction.refinement import inferred, refinement
from tests.reproduction.test_diagrams import REFERENCE, Run, diagram, paper


def scattered(alpha: float, xi: float, slice_: int) -> Run:
    """Every cell is one phase or another by chance."""
    chance = np.random.default_rng([round(100 * alpha), round(100 * xi), slice_]).random()
    return paper(0.9, 0.0 if chance < 0.5 else 0.9, 0)


def test_verdicts(tmp_path: Path) -> None:
    (smooth,) = refinement(diagram(tmp_path, paper, "weight_decay"))
    (rough,) = refinement(diagram(tmp_path, scattered, "weight_decay"))
    assert rough.held is False and rough.why
    assert "360 cells; subphase: " in smooth.measured and "(0 differ)" in smooth.measured


def test_inferred_cells_are_held_against_trained_ones() -> None:
    """Figure 3a, refined on a CPU and whole on a GPU; then one in which nothing generalizes."""
    refined, whole, fails = (Results(REFERENCE / name) for name in ("wd-refined", "wd", "wd"))
    (claim,) = inferred(refined, whole)
    assert claim.held and "of 757 inferred cells 0 differ" in claim.measured
    runs = fails["runs"]
    flat = runs.select_dtypes("number").columns.difference(["seed", "weight_decay"])
    memorized = runs[runs["corruption_fraction"] == 0.9].iloc[0]
    kept = runs[["data_fraction", "corruption_fraction"]]
    fails["runs"] = runs.assign(**{name: memorized[name] for name in flat}).assign(**kept)
    (claim,) = inferred(refined, fails)
    assert claim.held is False and claim.why
