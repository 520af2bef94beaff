"""Batch and layer normalization with learned scale and shift, PyTorch's defaults.

Flax has both, but neither a weight for every row nor the unbiased running variance of the original
experiments. The weights keep padding out of a batch's statistics.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

EPSILON = 1e-5
MOMENTUM = 0.1  # share of a new batch in the running statistics


class Normalization(nnx.Module):
    """(x - mean) / sqrt(variance + epsilon) * scale + shift, over rows or over features.

    ``kind`` batch: statistics of every feature over the rows of a training pass, and running
    averages of them in evaluation; layer: of every row over its features.
    """

    def __init__(self, kind: str, width: int) -> None:
        self.scale, self.shift = nnx.Param(jnp.ones(width)), nnx.Param(jnp.zeros(width))
        self.kind = kind
        if kind == "batch":
            self.mean = nnx.BatchStat(jnp.zeros(width))
            self.variance = nnx.BatchStat(jnp.ones(width))

    def __call__(self, x: jax.Array, weights: jax.Array | None) -> jax.Array:
        """Normalize ``x`` (rows, width); ``weights`` (rows,) are None in evaluation."""
        if self.kind == "layer":
            mean = jnp.mean(x, axis=-1, keepdims=True)
            variance = jnp.mean(jnp.square(x - mean), axis=-1, keepdims=True)
        elif weights is None:
            mean, variance = self.mean[...], self.variance[...]
        else:
            rows = jnp.sum(weights)
            mean = weights @ x / rows
            variance = weights @ jnp.square(x - mean) / rows
            # One row has no unbiased variance. Its biased one, 0, stands for it.
            unbiased = variance * rows / jnp.maximum(rows - 1, 1)
            self.mean[...] = (1 - MOMENTUM) * self.mean[...] + MOMENTUM * mean
            self.variance[...] = (1 - MOMENTUM) * self.variance[...] + MOMENTUM * unbiased
        normalized = (x - mean) * jax.lax.rsqrt(variance + EPSILON)
        return normalized * self.scale[...] + self.shift[...]
