"""How near trained weights are to the periodic solution of equation 2 (Doshi et al., section 1.1).

Tables only: ``neurons`` has the frequencies and phases of every neuron, ``rows`` whole vectors.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

__all__ = ["PERIODIC", "chance_of_all", "peaks", "phase_residuals"]

# IPR of a neuron between the two groups: memorizing below, periodic above.
PERIODIC: Final = 0.5

_VECTOR: Final = ["run", "step", "layer", "matrix", "neuron"]


def phase_residuals(neurons: pd.DataFrame) -> pd.DataFrame:
    """How far every neuron's phases are from equation 2.

    There the three vectors of a neuron have one frequency, and
    W_qk = cos(-2 pi q f / p - phi_u - phi_v) = cos(2 pi q f / p + phi_u + phi_v), so that phi_w =
    phi_u + phi_v up to full turns.

    Args:
        neurons: the ``neurons`` table: ``frequency_M`` and ``phase_M`` of the matrices u, v and w.

    Returns:
        On the index of ``neurons``: ``agree``, whether the three vectors have one frequency, which
        is not that of a constant, and ``residual``, |phi_w - phi_u - phi_v| in radians from 0 to
        pi; NaN where they do not agree. Random phases have a mean residual of pi / 2.
    """
    u, v, w = (_floats(neurons[f"frequency_{name}"]) for name in "uvw")
    agree = (u == v) & (u == w) & (u > 0)
    phi_u, phi_v, phi_w = (_floats(neurons[f"phase_{name}"]) for name in "uvw")
    turn = 2 * np.pi
    away = np.abs((phi_w - phi_u - phi_v + np.pi) % turn - np.pi)
    return pd.DataFrame(
        {"agree": agree, "residual": np.where(agree, away, np.nan)}, index=neurons.index
    )


def chance_of_all(neurons: int, frequencies: int) -> float:
    """Probability that neurons with frequencies drawn uniformly have every frequency.

    By inclusion and exclusion over the sets of frequencies that are missing. It says whether that
    all are present is more than so many neurons would show by luck.
    """
    # missing[k]: probability that exactly k of the frequencies have not been drawn yet.
    missing = np.zeros(frequencies + 1)
    missing[frequencies] = 1.0
    k = np.arange(frequencies + 1)
    for _ in range(neurons):
        found = missing * k / frequencies
        missing = missing - found
        missing[:-1] += found[1:]
    return float(missing[0])


def peaks(rows: pd.DataFrame) -> pd.DataFrame:
    """The two largest peaks in the Fourier spectrum of every weight vector.

    Args:
        rows: the ``rows`` table of modular addition, whose tokens are in their natural order.

    Returns:
        One row a vector, indexed by ``run``, ``step``, ``layer``, ``matrix``, ``neuron``:
        ``frequency`` of the largest component, ``share`` of the vector's power there, ``ipr``
        (equation 3), ``second`` and ``second_share`` of the next largest, and ``multiple``, the
        smallest whole number that takes the one frequency to the other (2 for the octave; 0 where
        there is none).
    """
    vectors = rows.pivot_table(index=_VECTOR, columns="token", values="weight")
    weights = vectors.to_numpy(dtype=np.float64)
    length = weights.shape[1]
    power = np.abs(np.fft.rfft(weights, axis=1)) ** 2
    total = power.sum(axis=1, keepdims=True)
    shares = power / np.where(total > 0, total, np.nan)
    first, second = np.argsort(-np.nan_to_num(shares), axis=1, kind="stable")[:, :2].T
    at = np.arange(len(shares))
    return pd.DataFrame(
        {
            "frequency": first,
            "share": shares[at, first],
            "ipr": (shares**2).sum(axis=1),
            "second": second,
            "second_share": shares[at, second],
            "multiple": _multiple(first, second, length),
        },
        index=vectors.index,
    )


def _multiple(first: np.ndarray, second: np.ndarray, length: int) -> np.ndarray:
    """Smallest m >= 1 with m * first = +-second modulo ``length``; 0 where there is none."""
    multiples = np.arange(1, length // 2 + 1)
    folded = first[:, None] * multiples % length
    hit = np.minimum(folded, length - folded) == second[:, None]
    return np.where(hit.any(axis=1), multiples[hit.argmax(axis=1)], 0)


def _floats(column: pd.Series) -> np.ndarray:
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
