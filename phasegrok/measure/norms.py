"""Norms of weight matrices."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from phasegrok.models.base import Params

__all__ = ["frobenius", "spectral"]


def frobenius(weights: Params) -> jax.Array:
    """Frobenius norm of all arrays of a pytree taken together."""
    return jnp.sqrt(sum((jnp.sum(jnp.square(a)) for a in jax.tree.leaves(weights)), 0.0))


def spectral(weights: Params) -> jax.Array:
    """Spectral norm of a matrix: its largest singular value.

    Of a pytree it is the largest of its matrices; biases and other vectors have none. It is the
    square root of the largest eigenvalue of the smaller Gram matrix. For the (50, 500) matrix of
    the thesis that is a hundredth of the work of a singular value decomposition.
    """
    matrices = [a for a in jax.tree.leaves(weights) if a.ndim == 2]
    return jnp.stack([_largest_singular_value(matrix) for matrix in matrices]).max()


def _largest_singular_value(matrix: jax.Array) -> jax.Array:
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    # Scaled, or the squares of weights that decay has shrunk would underflow.
    size = jnp.max(jnp.abs(matrix))
    scaled = matrix / jnp.where(size > 0, size, 1.0)
    gram = jnp.matmul(scaled, scaled.T, precision="highest")
    return size * jnp.sqrt(jnp.maximum(jnp.linalg.eigvalsh(gram)[-1], 0.0))
