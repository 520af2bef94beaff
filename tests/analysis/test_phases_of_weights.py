"""Phases, frequencies and peaks of weights, on vectors made by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phasegrok.analysis.phases_of_weights import chance_of_all, peaks, phase_residuals


def neuron(frequencies: list[int], phases: list[float]) -> dict[str, float]:
    names = "uvw"
    return {
        **{f"frequency_{name}": value for name, value in zip(names, frequencies, strict=True)},
        **{f"phase_{name}": value for name, value in zip(names, phases, strict=True)},
    }


def test_phases_of_equation_2_have_no_residual() -> None:
    """The output's phase is the sum of the inputs', up to full turns. A phase that is off by 0.3
    shows as 0.3. Vectors of different frequencies, or constants, have no relation of phases."""
    found = phase_residuals(
        pd.DataFrame(
            [
                neuron([5, 5, 5], [3.0, 2.0, 5.0 - 2 * np.pi]),
                neuron([5, 5, 5], [3.0, 2.0, 5.3 - 2 * np.pi]),
                neuron([5, 5, 5], [0.0, 0.0, -np.pi]),
                neuron([5, 5, 6], [0.0, 0.0, 0.0]),
                neuron([0, 0, 0], [0.0, 0.0, 0.0]),
            ]
        )
    )
    assert found["agree"].tolist() == [True, True, True, False, False]
    assert found["residual"].tolist() == pytest.approx([0, 0.3, np.pi, np.nan, np.nan], nan_ok=True)


def test_the_output_of_a_periodic_neuron_needs_that_phase() -> None:
    """Why the residual is the thing to look at: of the terms of equation 6 only that with m + n - q
    has no phase, and only if phi_w is the sum. With that phase a neuron's outputs correlate with
    cos(2 pi f (m + n - q) / p) at 1/2 over all m, n and q; with one that is pi / 2 away, not."""
    p, f, phi_u, phi_v = 11, 3, 0.4, -1.1
    m, n, q = np.meshgrid(*(np.arange(p),) * 3, indexing="ij")
    angle = 2 * np.pi * f / p
    hidden = (np.cos(angle * m + phi_u) + np.cos(angle * n + phi_v)) ** 2
    wanted = np.cos(angle * (m + n - q))

    def overlap(residual: float) -> float:
        output = hidden * np.cos(angle * q + phi_u + phi_v + residual)
        return float((output * wanted).mean() / (wanted**2).mean())

    assert overlap(0) == pytest.approx(0.5) and overlap(np.pi / 2) == pytest.approx(0, abs=1e-12)


def test_chance_of_all_frequencies() -> None:
    """Two coins show both sides with 1/2, three with 3/4; too few neurons never have all."""
    assert chance_of_all(2, 2) == pytest.approx(0.5)
    assert chance_of_all(3, 2) == pytest.approx(0.75)
    assert chance_of_all(2, 3) == 0
    assert chance_of_all(3, 3) == pytest.approx(6 / 27)


def test_peaks_of_a_sum_of_cosines() -> None:
    """Amplitudes 3 and 1 at frequencies 4 and 8 have shares 0.9 and 0.1 of the power, a factor of
    two apart; 4 and 12 = 3 x 4 folds to 11 - 12 = -1 modulo 11."""
    p = 11
    i = np.arange(p)

    def table(neuron: int, second: int) -> pd.DataFrame:
        wave = 3 * np.cos(2 * np.pi * 4 * i / p + 1) + np.cos(2 * np.pi * second * i / p - 2)
        return pd.DataFrame(
            {
                "run": "a",
                "step": 10,
                "layer": "hidden",
                "matrix": "u",
                "neuron": neuron,
                "token": i,
                "weight": wave,
            }
        )

    found = peaks(pd.concat([table(0, 3), table(1, 1)]).sample(frac=1, random_state=0))
    assert found["frequency"].tolist() == [4, 4] and found["second"].tolist() == [3, 1]
    # 2 x 4 = 8 = -3 and 3 x 4 = 12 = 1 modulo 11.
    assert found["multiple"].tolist() == [2, 3]
    assert found["share"].tolist() == pytest.approx([0.9, 0.9])
    assert found["second_share"].tolist() == pytest.approx([0.1, 0.1])
    assert found["ipr"].tolist() == pytest.approx([0.82, 0.82])


def test_a_constant_has_no_multiples() -> None:
    """Nothing takes the frequency 0 to another one."""
    rows = pd.DataFrame(
        {
            "run": "a",
            "step": 0,
            "layer": "hidden",
            "matrix": "u",
            "neuron": 0,
            "token": range(7),
            "weight": 5 + np.cos(2 * np.pi * 2 * np.arange(7) / 7),
        }
    )
    (row,) = peaks(rows).itertuples()
    assert (row.frequency, row.second, row.multiple) == (0, 2, 0)
