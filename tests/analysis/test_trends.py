"""Exponents and rank correlations, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phasegrok.analysis.trends import analytic_exponent, exponent, normalization_correlation


def test_exponents_of_exact_power_laws() -> None:
    """Of 3 x^2, and of an error of 3 / sqrt(N), whose square is the loss."""
    x = np.array([1.0, 10.0, 100.0])
    assert exponent(x, 3 * x**2) == pytest.approx(2)
    assert analytic_exponent(pd.DataFrame({"width": x, "test_loss": 9 / x})) == pytest.approx(-0.5)


def test_the_sign_of_a_normalization_weight_does_not_matter() -> None:
    """Sizes that rise with the IPR correlate at 1, whatever their signs and steps."""
    neurons = pd.DataFrame({"ipr": [0.1, 0.2, 0.9], "normalization_weight": [-1.0, 2.0, -30.0]})
    assert normalization_correlation(neurons) == pytest.approx(1)
