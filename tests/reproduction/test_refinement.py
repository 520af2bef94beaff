"""The row on refinement: yes where phases have smooth boundaries, no where they are scattered."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from phasegrok.reproduction.refinement import refinement
from tests.reproduction.test_diagrams import Run, diagram, paper


def scattered(alpha: float, xi: float, slice_: int) -> Run:
    """Every cell is one phase or another by chance."""
    chance = np.random.default_rng([round(100 * alpha), round(100 * xi), slice_]).random()
    return paper(0.9, 0.0 if chance < 0.5 else 0.9, 0)


def test_verdicts(tmp_path: Path) -> None:
    (smooth,) = refinement(diagram(tmp_path, paper, "weight_decay"))
    (rough,) = refinement(diagram(tmp_path, scattered, "weight_decay"))
    assert rough.held is False and rough.why
    assert "360 cells; subphase: " in smooth.measured and "(0 differ)" in smooth.measured
