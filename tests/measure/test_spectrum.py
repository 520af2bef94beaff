"""The inverse participation ratio on vectors whose value is known."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from phasegrok import tasks
from phasegrok.config import Modular
from phasegrok.measure import spectrum

P = 97
BASIS = spectrum.fourier_basis(np.arange(P), P)


def test_ipr_equals_its_definition_by_fft() -> None:
    """Against NumPy's FFT: (|F|_2r / |F|_2)^2r over p // 2 + 1 bins (equation 3, footnote 4)."""
    vectors = np.random.default_rng(0).normal(size=(20, P)).astype(np.float32)
    magnitude = np.abs(np.fft.rfft(vectors))
    for r in (2, 3):
        expected = (magnitude ** (2 * r)).sum(1) / (magnitude**2).sum(1) ** r
        np.testing.assert_allclose(spectrum.ipr(vectors, BASIS, r), expected, rtol=1e-4)


def test_cosines_have_ipr_one_and_a_spike_the_floor() -> None:
    """A pure cosine of any frequency and phase is fully localized; a unit vector, whose spectrum
    is flat, has the floor 1 / (p // 2 + 1)."""
    angle = 2 * np.pi * np.outer(np.arange(1, 49), np.arange(P)) / P
    cosines = np.cos(angle + np.arange(48)[:, None]).astype(np.float32)
    np.testing.assert_allclose(spectrum.ipr(cosines, BASIS), 1, atol=1e-4)
    np.testing.assert_allclose(spectrum.ipr(np.eye(P, dtype=np.float32), BASIS), 1 / 49, rtol=1e-4)


def test_ipr_has_no_scale() -> None:
    """Weights shrunk by decay to 1e-20, whose fourth powers underflow, keep their IPR."""
    vectors = jnp.asarray(np.random.default_rng(1).normal(size=(5, P)).astype(np.float32))
    np.testing.assert_allclose(
        spectrum.ipr(vectors * 1e-20, BASIS), spectrum.ipr(vectors, BASIS), rtol=1e-4
    )


def test_multiplication_is_periodic_in_its_groups_order() -> None:
    """A cosine of the discrete logarithm: IPR 1 in group order, near the floor in natural order."""
    order = tasks.group_order(Modular(operation="multiplication", modulus=P))
    wave = np.zeros((1, P), np.float32)
    wave[0, order] = np.cos(2 * np.pi * 5 * np.arange(P - 1) / (P - 1))
    assert spectrum.ipr(wave, spectrum.fourier_basis(order, P))[0] > 0.999
    assert spectrum.ipr(wave, BASIS)[0] < 0.15


def test_dead_neurons_are_counted_and_kept_out_of_the_mean() -> None:
    """Two cosine neurons and one whose output column is zero: mean 1, one dead, nothing NaN.
    With all dead the mean is NaN, not 0."""
    wave = np.cos(2 * np.pi * np.outer([3, 4, 5], np.arange(P)) / P).astype(np.float32)
    cut = wave * np.array([[1], [0], [1]], np.float32)
    mean, dead = spectrum.mean_ipr([jnp.asarray(wave), jnp.asarray(wave), jnp.asarray(cut)], BASIS)
    np.testing.assert_allclose(mean, 1, atol=1e-4)
    assert dead == 1
    mean, dead = jax.jit(spectrum.mean_ipr)([jnp.zeros((3, P))], BASIS)
    assert np.isnan(mean) and dead == 3
