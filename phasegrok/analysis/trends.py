"""How two numbers go together over many runs: exponents of power laws and rank correlations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

__all__ = ["analytic_exponent", "exponent", "normalization_correlation"]


def exponent(x: ArrayLike, y: ArrayLike) -> float:
    """Exponent of the power law of ``y`` in ``x``, by least squares of their logarithms."""
    logarithm_x, logarithm_y = (np.log(np.asarray(values, np.float64)) for values in (x, y))
    return float(np.polyfit(logarithm_x, logarithm_y, 1)[0])


def analytic_exponent(start: pd.DataFrame) -> float:
    """Exponent of the root mean square error of an output in the width.

    Args:
        start: rows of ``curves`` at step 0, with ``width`` and ``test_loss``.
    """
    return exponent(start["width"], np.sqrt(start["test_loss"].to_numpy(dtype=np.float64)))


def normalization_correlation(neurons: pd.DataFrame) -> float:
    """Spearman's rank correlation of the size of a normalization weight with the IPR."""
    weights: pd.Series[Any] = neurons["normalization_weight"].abs()
    ranks = neurons[["ipr"]].assign(weight=weights).rank()
    return float(ranks["ipr"].corr(ranks["weight"]))
