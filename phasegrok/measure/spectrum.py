"""Inverse participation ratio: how periodic a weight vector is (Doshi et al., section 1.1)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

# A neuron is dead when one of its weight vectors has a norm below this: the product of its
# layers then adds nothing to the outputs. Living ones are between 0.01 and 10; weight decay
# sends the others through zero exponentially, so the count hardly depends on the value.
DEAD_NORM = 1e-6


def fourier_basis(order: np.ndarray, size: int) -> np.ndarray:
    """Real Fourier transform of vectors of length ``size`` read in ``order``, as a matrix.

    Shape (size, 2 (L//2 + 1)), L = len(order): cosines, then sines. A product with this small
    matrix maps over cells on any device and needs no transform of prime length.
    """
    length = len(order)
    frequency = np.arange(length // 2 + 1)
    angle = 2 * np.pi * np.outer(np.arange(length), frequency) / length
    basis = np.zeros((size, 2 * len(frequency)))
    basis[order] = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    return basis.astype(np.float32)


def ipr(vectors: jax.Array, basis: np.ndarray, r: int = 2) -> jax.Array:
    """Inverse participation ratio of the last axis (equation 3 and its footnote).

    IPR = (|F|_2r / |F|_2)^2r over the magnitudes F of the real Fourier spectrum: 1 for a pure
    cosine, at least (1 / bins)^(r-1). A zero vector has none: the value there is NaN.
    """
    peak = jnp.max(jnp.abs(vectors), axis=-1, keepdims=True)
    # The ratio has no scale; vectors shrunk by weight decay would underflow in fourth powers.
    scaled = vectors / jnp.where(peak > 0, peak, 1.0)
    spectrum = jnp.matmul(scaled, basis, precision="highest")
    cosine, sine = jnp.split(spectrum, 2, axis=-1)
    power = cosine**2 + sine**2
    ratio = jnp.sum(power**r, axis=-1) / jnp.sum(power, axis=-1) ** r
    return jnp.where(peak[..., 0] > 0, ratio, jnp.nan)


def neuron_ipr(vectors: list[jax.Array], basis: np.ndarray) -> tuple[jax.Array, jax.Array]:
    """Per-neuron IPR (equation 4) and which neurons are dead.

    Args:
        vectors: one array (neurons, size) per weight matrix connected to the layer.
        basis: from :func:`fourier_basis`.

    Returns:
        ``(ipr, dead)``, each (neurons,): the mean over the matrices, and whether any of the
        neuron's vectors has a norm below :data:`DEAD_NORM`.
    """
    stacked = jnp.stack(vectors)
    dead = jnp.any(jnp.linalg.norm(stacked, axis=-1) < DEAD_NORM, axis=0)
    return jnp.mean(ipr(stacked, basis), axis=0), dead


def mean_ipr(vectors: list[jax.Array], basis: np.ndarray) -> tuple[jax.Array, jax.Array]:
    """Mean IPR over living neurons (NaN if none lives) and the number of dead ones."""
    each, dead = neuron_ipr(vectors, basis)
    # With none alive this is 0 / 0 = NaN, which is the answer.
    mean = jnp.sum(jnp.where(dead, 0.0, each)) / jnp.sum(~dead, dtype=each.dtype)
    return mean, jnp.sum(dead, dtype=jnp.int32)
