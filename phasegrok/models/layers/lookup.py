"""Looking tokens up, with a gradient that is a scatter, or a product without atomics.

A scatter-add is right for a CPU, where it runs in order. On an accelerator it is one atomic
addition a number: slow, and in no fixed order, so that no two trainings are the same. There the
gradient is a product with one-hot tokens on the matrix units, in one of two ways:

- ``exact``: as exact as the sum. One-hot numbers are exact in bfloat16, and three bfloat16 numbers
  hold a float32.
- ``rounded``: the slopes are rounded like the inputs of every other product, by the precision that
  JAX is set to.

XLA may keep vectors with their tokens side by side in memory, as the products like them. A looked
up vector would then be read number by number, a cache line each: on an H100 that was half of a
step's time. So vectors are asked to lie whole where they are looked up.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
from jax.experimental.layout import Layout, with_layout_constraint

Lookups = Literal["scatter", "exact", "rounded"]  # how the gradient of a lookup is taken
PIECES = 3  # of 8 bits each in a float32's 24
ALIGNED = 8  # numbers: matrix units take rows of other lengths by slower ways


def look_up(vectors: jax.Array, tokens: jax.Array, lookups: Lookups) -> jax.Array:
    """(..., width) the vectors of some tokens.

    Args:
        vectors: (tokens, width).
        tokens: (...) int32.
        lookups: how the gradient is taken.
    """
    return vectors[tokens] if lookups == "scatter" else _looked_up(lookups, vectors, tokens)


def look_up_sum(
    first: jax.Array, second: jax.Array, inputs: jax.Array, lookups: Lookups
) -> jax.Array:
    """(rows, width) ``first[m] + second[n]``: one product gives both gradients, from one reading of
    the slopes.

    Args:
        first, second: (tokens, width).
        inputs: (rows, 2) int32 pairs of tokens m and n.
        lookups: how the gradients are taken.
    """
    if lookups == "scatter":
        return first[inputs[:, 0]] + second[inputs[:, 1]]
    return _looked_up_sum(lookups, first, second, inputs)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _looked_up(lookups: Lookups, vectors: jax.Array, tokens: jax.Array) -> jax.Array:
    return _whole(vectors)[tokens]


def _whole(vectors: jax.Array) -> jax.Array:
    """The same, each vector's numbers side by side in memory."""
    whole = Layout(tuple(range(vectors.ndim)))
    return with_layout_constraint(vectors, whole)  # type: ignore[no-untyped-call]


def _forward(
    lookups: Lookups, vectors: jax.Array, tokens: jax.Array
) -> tuple[jax.Array, tuple[jax.Array, int]]:
    return _looked_up(lookups, vectors, tokens), (tokens, vectors.shape[0])


def _backward(
    lookups: Lookups, kept: tuple[jax.Array, int], slopes: jax.Array
) -> tuple[jax.Array, None]:
    tokens, count = kept
    token = jnp.arange(count, dtype=tokens.dtype)[:, None]
    return sums_of(token == tokens.ravel(), slopes.reshape(-1, slopes.shape[-1]), lookups), None


_looked_up.defvjp(_forward, _backward)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _looked_up_sum(
    lookups: Lookups, first: jax.Array, second: jax.Array, inputs: jax.Array
) -> jax.Array:
    return _whole(first)[inputs[:, 0]] + _whole(second)[inputs[:, 1]]


def _sum_forward(
    lookups: Lookups, first: jax.Array, second: jax.Array, inputs: jax.Array
) -> tuple[jax.Array, tuple[jax.Array, int]]:
    return _looked_up_sum(lookups, first, second, inputs), (inputs, first.shape[0])


def _sum_backward(
    lookups: Lookups, kept: tuple[jax.Array, int], slopes: jax.Array
) -> tuple[jax.Array, jax.Array, None]:
    inputs, count = kept
    token = jnp.arange(count, dtype=inputs.dtype)[:, None]
    both = jnp.concatenate([token == inputs[:, 0], token == inputs[:, 1]])
    sums = sums_of(both, slopes, lookups)
    return sums[:count], sums[count:], None


_looked_up_sum.defvjp(_sum_forward, _sum_backward)


def sums_of(chosen: jax.Array, numbers: jax.Array, lookups: Lookups) -> jax.Array:
    """(sums, width) float32 sums of the rows that each chooses.

    Args:
        chosen: (sums, rows) bool.
        numbers: (rows, width) float32.
        lookups: ``exact`` or ``rounded``.
    """
    (sums, rows), width = chosen.shape, numbers.shape[1]
    chosen = jnp.pad(chosen, ((0, -sums % ALIGNED), (0, -rows % ALIGNED)))
    numbers = jnp.pad(numbers, ((0, -rows % ALIGNED), (0, -width % ALIGNED)))
    if lookups == "rounded":
        return (chosen.astype(numbers.dtype) @ numbers)[:sums, :width]
    aligned, pieces = numbers.shape[1], []
    for _ in range(PIECES):
        # Not a cast there and back, which XLA may leave out as needless.
        pieces.append(jax.lax.reduce_precision(numbers, 8, 7))
        numbers = numbers - pieces[-1]
    found = jnp.matmul(
        chosen.astype(jnp.bfloat16),
        jnp.concatenate(pieces, axis=1).astype(jnp.bfloat16),
        precision="highest",
        preferred_element_type=jnp.float32,
    )
    # From the smallest piece on, so that none is lost in the largest.
    high, middle, low = (found[:, i * aligned : (i + 1) * aligned] for i in range(PIECES))
    return (low + middle + high)[:sums, :width]
