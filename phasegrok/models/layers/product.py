"""The product with the output layer, in the order that a CPU is fastest at."""

from __future__ import annotations

import jax
import jax.numpy as jnp

# Outputs are padded to a multiple of this, where that adds at most 1/20 to the work.
LANES = 8


@jax.custom_vjp
def product(hidden: jax.Array, weights: jax.Array) -> jax.Array:
    """``hidden @ weights``: (rows, neurons) times (neurons, outputs).

    XLA's kernels on a CPU lose up to 40 % of their rate at a number of outputs such as 47, and
    more in the product of the weights' gradient, whose long axis is the one that is summed over.
    The values are those of the plain product up to rounding.
    """
    outputs = weights.shape[1]
    missing = -outputs % LANES
    if missing * 20 > outputs:
        return hidden @ weights
    return (hidden @ jnp.pad(weights, ((0, 0), (0, missing))))[:, :outputs]


def _forward(
    hidden: jax.Array, weights: jax.Array
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return product(hidden, weights), (hidden, weights)


def _backward(
    kept: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    hidden, weights = kept
    # Without the barrier XLA turns the transposed product back into the slow one.
    transposed = jax.lax.optimization_barrier(gradient.T @ hidden)  # type: ignore[no-untyped-call]
    return gradient @ weights.T, transposed.T


product.defvjp(_forward, _backward)
