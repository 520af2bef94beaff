"""Inverse participation ratio: how periodic a weight vector is (Doshi et al., section 1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from phasegrok.tasks import Task

__all__ = [
    "CONSTANT_SHARE",
    "DEAD_NORM",
    "Summary",
    "dominant",
    "fourier_basis",
    "ipr",
    "neuron_ipr",
    "neurons",
    "summary",
    "task_basis",
]

# A neuron is dead when one of its weight vectors has a norm below this: the product of its
# layers then adds nothing to the outputs. Living ones are between 0.01 and 10; weight decay
# sends the others through zero exponentially, so the count hardly depends on the value.
DEAD_NORM = 1e-6
# A neuron is constant when more than this share of its spectrum's power is at frequency 0. That
# the largest component is there says less: so it is for 17 % of the neurons of sweeps/phases.yaml
# without weight decay, which are spread over all frequencies (mean IPR 0.07).
CONSTANT_SHARE = 0.5


class Summary(NamedTuple):
    """What the curves say of a layer's spectra."""

    mean_ipr: jax.Array  # over living neurons, constants included; NaN if none lives
    dead: jax.Array  # int32, how many
    constant: jax.Array  # int32, how many of the living ones


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


def task_basis(task: Task) -> np.ndarray | None:
    """The basis in which a task's weights are periodic: its tokens in their group's order.

    None where its inputs are no tokens.
    """
    order = task.group_order()
    return None if order is None or task.tokens is None else fourier_basis(order, task.tokens)


def ipr(vectors: jax.Array, basis: np.ndarray, r: int = 2) -> jax.Array:
    """Inverse participation ratio of the last axis (equation 3 and its footnote).

    IPR = (|F|_2r / |F|_2)^2r over the magnitudes F of the real Fourier spectrum: 1 for a pure
    cosine, at least (1 / bins)^(r-1). A zero vector has none: the value there is NaN.
    """
    cosine, sine = _spectrum(vectors, basis)
    power = cosine**2 + sine**2
    ratio = jnp.sum(power**r, axis=-1) / jnp.sum(power, axis=-1) ** r
    return jnp.where(jnp.any(vectors != 0, axis=-1), ratio, jnp.nan)


def dominant(vectors: jax.Array, basis: np.ndarray) -> tuple[jax.Array, jax.Array]:
    """Frequency and phase of the largest Fourier component of the last axis.

    Returns:
        ``(frequency, phase)``: the whole number f of periods (0 is a constant vector) and phi in
        (-pi, pi] of the component cos(2 pi f i / L + phi), i counted in the task's order.
    """
    cosine, sine = _spectrum(vectors, basis)
    frequency = jnp.argmax(cosine**2 + sine**2, axis=-1).astype(jnp.int32)
    at = frequency[..., None]
    top_cosine = jnp.take_along_axis(cosine, at, axis=-1)[..., 0]
    top_sine = jnp.take_along_axis(sine, at, axis=-1)[..., 0]
    # cos(a + phi) = cos a cos phi - sin a sin phi: the sine part carries a minus sign.
    return frequency, jnp.arctan2(-top_sine, top_cosine)


def neuron_ipr(
    vectors: Mapping[str, jax.Array], basis: np.ndarray, r: int = 2
) -> tuple[jax.Array, jax.Array]:
    """Per-neuron IPR (equation 4) and which neurons are dead.

    Args:
        vectors: one array (neurons, size) per weight matrix connected to the layer.
        basis: from :func:`fourier_basis`.
        r: order of the IPR.

    Returns:
        ``(ipr, dead)``, each (neurons,): the mean over the matrices, and whether any of the
        neuron's vectors has a norm below :data:`DEAD_NORM`.
    """
    stacked = jnp.stack(list(vectors.values()))
    dead = jnp.any(jnp.linalg.norm(stacked, axis=-1) < DEAD_NORM, axis=0)
    return jnp.mean(ipr(stacked, basis, r), axis=0), dead


def summary(vectors: Mapping[str, jax.Array], basis: np.ndarray, r: int = 2) -> Summary:
    """Mean IPR over a layer's living neurons, and how many are dead and how many constant.

    Constants are in the mean: equation 3 leaves no frequency out, and the analytic solution
    (equation 2) has the frequency 0 beside the others, with an IPR of 1.
    """
    each, dead = neuron_ipr(vectors, basis, r)
    # With none alive this is 0 / 0 = NaN, which is the answer.
    mean = jnp.sum(jnp.where(dead, 0.0, each)) / jnp.sum(~dead, dtype=each.dtype)
    # A share that is not a number, of weights that are none, is above nothing.
    constant = ~dead & (_shares(vectors, basis)[:, 0] > CONSTANT_SHARE)
    return Summary(mean, jnp.sum(dead, dtype=jnp.int32), jnp.sum(constant, dtype=jnp.int32))


def neurons(
    vectors: Mapping[str, jax.Array], basis: np.ndarray, r: int = 2
) -> dict[str, jax.Array]:
    """Everything that the ``neurons`` table says of one layer, (neurons,) each.

    ``ipr`` (NaN where dead), ``dead``, ``frequency`` (of the largest component of the matrices'
    spectra together, each scaled to norm 1), and per matrix ``ipr_M``, ``frequency_M``,
    ``phase_M`` and ``norm_M``.
    """
    each, dead = neuron_ipr(vectors, basis, r)
    columns = {"ipr": jnp.where(dead, jnp.nan, each), "dead": dead}
    columns["frequency"] = jnp.argmax(_shares(vectors, basis), axis=-1).astype(jnp.int32)
    for name, matrix in vectors.items():
        columns[f"ipr_{name}"] = ipr(matrix, basis, r)
        columns[f"frequency_{name}"], columns[f"phase_{name}"] = dominant(matrix, basis)
        columns[f"norm_{name}"] = jnp.linalg.norm(matrix, axis=-1)
    return columns


def _shares(vectors: Mapping[str, jax.Array], basis: np.ndarray) -> jax.Array:
    """(neurons, frequencies) shares of power, the mean over the matrices."""
    shares = jnp.zeros(())
    for matrix in vectors.values():
        cosine, sine = _spectrum(matrix, basis)
        power = cosine**2 + sine**2
        shares = shares + power / jnp.sum(power, axis=-1, keepdims=True)
    return shares / len(vectors)


def _spectrum(vectors: jax.Array, basis: np.ndarray) -> tuple[jax.Array, jax.Array]:
    """Cosine and sine parts, up to a positive factor.

    The scale of the vectors is taken out: weight decay shrinks some so far that their fourth
    powers would underflow.
    """
    peak = jnp.max(jnp.abs(vectors), axis=-1, keepdims=True)
    scaled = vectors / jnp.where(peak > 0, peak, 1.0)
    spectrum = jnp.matmul(scaled, basis, precision="highest")
    cosine, sine = jnp.split(spectrum, 2, axis=-1)
    return cosine, sine
