"""The output layer's product: the plain one's values and gradients, in another order."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok.models.layers.product import product


def arrays(outputs: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    keys = jax.random.split(jax.random.key(outputs), 3)
    shapes = [(24, 16), (16, outputs), (24, outputs)]
    hidden, weights, target = (
        jax.random.normal(key, shape) for key, shape in zip(keys, shapes, strict=True)
    )
    return hidden, weights, target


# One output, no padding, padding that pays, and padding that would cost more than it saves.
@pytest.mark.parametrize("outputs", [1, 16, 31, 47, 97])
def test_product_has_the_plain_products_values_and_gradients(outputs: int) -> None:
    hidden, weights, target = arrays(outputs)

    def loss(times: object) -> object:
        def at(h: jax.Array, w: jax.Array) -> jax.Array:
            return jnp.sum(jnp.square(times(h, w) - target))  # type: ignore[operator]

        return jax.value_and_grad(at, argnums=(0, 1))(hidden, weights)

    ours, plain = jax.tree.leaves(loss(product)), jax.tree.leaves(loss(jnp.matmul))
    for a, b in zip(ours, plain, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-4)


def test_product_is_mapped_over_runs() -> None:
    hidden, weights, _ = (jnp.stack([x, 2 * x]) for x in arrays(47))
    grad = jax.grad(lambda h, w: jnp.sum(product(h, w) ** 2), argnums=1)
    one_by_one = jnp.stack([grad(h, w) for h, w in zip(hidden, weights, strict=True)])
    np.testing.assert_allclose(jax.vmap(grad)(hidden, weights), one_by_one, rtol=2e-5, atol=2e-3)


def test_the_weights_gradient_sums_over_rows_with_the_outputs_first() -> None:
    hidden, weights, _ = arrays(47)
    grad = jax.jit(jax.grad(lambda w: jnp.sum(product(hidden, w) ** 2)))
    assert "f32[47,16]" in grad.lower(weights).compile().as_text()  # and not f32[16,47] at once
