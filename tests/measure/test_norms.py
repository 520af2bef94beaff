"""Norms against NumPy's."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok.measure.norms import frobenius, spectral

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(5, 40), (40, 5), (7, 7), (1, 9), (9, 1)])
@pytest.mark.parametrize("scale", [1.0, 1e-24])
def test_spectral_is_the_largest_singular_value(shape: tuple[int, int], scale: float) -> None:
    """Whichever side is longer, and where squares of the weights would underflow."""
    matrix = scale * RNG.normal(size=shape)
    found = jax.jit(spectral)(jnp.asarray(matrix, jnp.float32))
    np.testing.assert_allclose(found, np.linalg.norm(matrix, 2), rtol=1e-5)


def test_zeros_and_trees() -> None:
    """A matrix of zeros has norm 0; of a tree the largest counts, biases aside; the Frobenius norm
    is that of everything together."""
    assert spectral(jnp.zeros((3, 4))) == 0
    tree = {"a": jnp.eye(3), "b": [2 * jnp.eye(2), jnp.full((5,), 100.0)]}
    np.testing.assert_allclose(spectral(tree), 2, rtol=1e-6)
    np.testing.assert_allclose(frobenius(tree), (3 + 8 + 5e4) ** 0.5, rtol=1e-6)
