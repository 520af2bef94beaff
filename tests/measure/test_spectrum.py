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
    order = tasks.build(Modular(operation="multiplication", modulus=P)).group_order()
    wave = np.zeros((1, P), np.float32)
    wave[0, order] = np.cos(2 * np.pi * 5 * np.arange(P - 1) / (P - 1))
    assert spectrum.ipr(wave, spectrum.fourier_basis(order, P))[0] > 0.999
    assert spectrum.ipr(wave, BASIS)[0] < 0.15


def test_dead_neurons_are_counted_and_kept_out_of_the_mean() -> None:
    """Two cosine neurons and one whose output column is zero: mean 1, one dead, nothing NaN.
    With all dead the mean is NaN, not 0."""
    wave = np.cos(2 * np.pi * np.outer([3, 4, 5], np.arange(P)) / P).astype(np.float32)
    cut = wave * np.array([[1], [0], [1]], np.float32)
    layer = {"u": jnp.asarray(wave), "v": jnp.asarray(wave), "w": jnp.asarray(cut)}
    found = spectrum.summary(layer, BASIS)
    np.testing.assert_allclose(found.mean_ipr, 1, atol=1e-4)
    assert found.dead == 1
    found = jax.jit(spectrum.summary)({"u": jnp.zeros((3, P))}, BASIS)
    assert np.isnan(found.mean_ipr) and found.dead == 3


def test_constants_are_counted_and_kept_in_the_mean() -> None:
    """A constant of height c under a cosine has c^2 of c^2 + 1/4 of the power at frequency 0: less
    than half at c = 0.4, more at 0.6. What is dead, or no number, is not counted."""
    wave = np.cos(2 * np.pi * 3 * np.arange(P) / P)
    rows = [wave, wave + 0.4, wave + 0.6, np.ones(P), np.zeros(P), np.full(P, np.nan)]
    vectors = jnp.asarray(np.stack(rows), jnp.float32)
    found = jax.jit(spectrum.summary)({"u": vectors, "w": 3 * vectors}, BASIS)
    assert (found.dead, found.constant) == (1, 2)
    alive = spectrum.summary({"u": vectors[jnp.array([0, 3])]}, BASIS)
    np.testing.assert_allclose(alive.mean_ipr, 1, atol=1e-4)


def test_a_largest_component_at_0_is_no_constant() -> None:
    """Three cosines of height 1 over a constant of 0.55, the largest component with 0.29 of the
    power: its frequency is 0, and it is no constant. Nor is a neuron constant whose matrices are on
    average not."""
    angle = 2 * np.pi * np.outer([3, 4, 5], np.arange(P)) / P
    mixed = jnp.asarray(np.cos(angle).sum(axis=0)[None] + 0.55, jnp.float32)
    assert spectrum.neurons({"u": mixed}, BASIS)["frequency"][0] == 0
    assert spectrum.summary({"u": mixed}, BASIS).constant == 0
    halves = {"u": jnp.ones((1, P)), "v": jnp.cos(jnp.asarray(angle[:1], jnp.float32)), "w": mixed}
    assert spectrum.summary(halves, BASIS).constant == 0


def test_cosines_have_the_ipr_1_and_noise_a_low_one() -> None:
    """A single frequency holds all power of a cosine; random weights spread it over all."""
    wave = np.cos(2 * np.pi * np.outer(np.arange(1, 6), np.arange(P)) / P).astype(np.float32)
    np.testing.assert_allclose(spectrum.ipr(jnp.asarray(wave), BASIS), np.ones(5), atol=1e-4)
    noise = np.random.default_rng(0).normal(size=(P, P)).astype(np.float32)
    assert spectrum.ipr(jnp.asarray(noise), BASIS).max() < 0.2


def test_frequency_and_phase_of_a_cosine_are_its_own() -> None:
    """cos(2 pi f i / p + phi) gives back f and phi, also under a second component half as large;
    a constant vector has frequency 0."""
    rng = np.random.default_rng(2)
    frequency, phase = rng.integers(1, 49, 40), rng.uniform(-np.pi, np.pi, 40)
    i = np.arange(P)
    wave = np.cos(2 * np.pi * np.outer(frequency, i) / P + phase[:, None])
    wave += 0.5 * np.cos(2 * np.pi * np.outer(49 - frequency, i) / P)
    found, angle = spectrum.dominant(jnp.asarray(3 * wave, jnp.float32), BASIS)
    np.testing.assert_array_equal(found, frequency)
    turn = (np.asarray(angle) - phase + np.pi) % (2 * np.pi) - np.pi
    np.testing.assert_allclose(turn, 0, atol=1e-3)
    assert spectrum.dominant(jnp.ones((1, P)), BASIS)[0][0] == 0


def test_a_layers_columns() -> None:
    """Per matrix and together; a neuron whose matrices agree on a frequency has it, and a dead one
    has no IPR."""
    wave = np.cos(2 * np.pi * np.outer([3, 4, 5], np.arange(P)) / P).astype(np.float32)
    cut = 2 * wave * np.array([[1], [0], [1]], np.float32)
    columns = spectrum.neurons({"u": jnp.asarray(wave), "w": jnp.asarray(cut)}, BASIS)
    assert columns["frequency"].tolist()[::2] == [3, 5]
    assert columns["dead"].tolist() == [False, True, False]
    assert np.isnan(columns["ipr"][1]) and columns["ipr"][0] > 0.999
    np.testing.assert_allclose(columns["norm_w"], [2 * 48.5**0.5, 0, 2 * 48.5**0.5], rtol=1e-4)
