"""The gradient of looking tokens up, in its three forms."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok.models.layers.lookup import Lookups, look_up, look_up_sum, sums_of

DRAW = np.random.default_rng(0)
INPUTS = jnp.asarray(DRAW.integers(0, 7, (50, 2)), jnp.int32)
SLOPES = jnp.asarray(DRAW.normal(size=(50, 5)) * 10.0 ** DRAW.integers(-6, 6, (50, 1)), jnp.float32)


@pytest.mark.parametrize("lookups", ["exact", "rounded"])
@pytest.mark.parametrize("shape", [(50,), (25, 2)])
def test_tokens(lookups: Lookups, shape: tuple[int, ...]) -> None:
    """In any shape, and with more vectors than tokens, as beside an equals sign: those without a
    row get no gradient."""
    vectors = jnp.asarray(DRAW.normal(size=(9, 5)), jnp.float32)
    tokens, slopes = INPUTS[:, 0].reshape(shape), SLOPES.reshape(*shape, 5)
    plain, other = (
        jax.vjp(lambda v, how=how: look_up(v, tokens, how), vectors) for how in ("scatter", lookups)
    )
    np.testing.assert_array_equal(plain[0], other[0])
    (expected,), (found,) = plain[1](slopes), other[1](slopes)
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-6 * float(jnp.abs(SLOPES).max()))
    np.testing.assert_array_equal(found[7:], 0)


@pytest.mark.parametrize("lookups", ["exact", "rounded"])
def test_both_tokens(lookups: Lookups) -> None:
    """Both tables' gradients from one product."""
    tables = [jnp.asarray(DRAW.normal(size=(7, 5)), jnp.float32) for _ in range(2)]
    plain, other = (
        jax.vjp(lambda u, v, how=how: look_up_sum(u, v, INPUTS, how), *tables)
        for how in ("scatter", lookups)
    )
    np.testing.assert_array_equal(plain[0], other[0])
    for found, expected in zip(other[1](SLOPES), plain[1](SLOPES), strict=True):
        size = float(jnp.abs(SLOPES).max())
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-6 * size)


def test_exact_sums_lose_nothing() -> None:
    """Numbers that need all 24 bits of a float32, each chosen alone: the sum is the number itself,
    bit for bit. Two pieces of 8 bits would lose the last third."""
    numbers = jnp.asarray(DRAW.normal(size=(64, 3)), jnp.float32)
    found = sums_of(jnp.eye(64, dtype=bool), numbers, "exact")
    np.testing.assert_array_equal(found, numbers)
