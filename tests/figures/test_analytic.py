"""The analytic solution at every width."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phasegrok.analysis.trends import analytic_exponent
from phasegrok.figures import analytic
from tests.figures.made import context, titles


def test_the_analytic_slope() -> None:
    """An error of exactly 3 / sqrt(N) has slope -1/2, and the figure says so."""
    widths = np.array([10.0, 100.0, 1000.0])
    start = pd.DataFrame(
        {
            "step": 0,
            "width": widths,
            "seed": 0,
            "test_loss": 9 / widths,
            "test_accuracy": [0.2, 0.9, 1.0],
        }
    )
    assert analytic_exponent(start) == pytest.approx(-0.5)
    assert "slope -0.50" in titles(analytic.by_width(context(curves=start)))[1]
