"""Networks that compute a sparse parity exactly (Fuangkawinsombut's thesis, chapter 4).

All are of its form f(x) = u . relu(W x + b), read by the one rule used everywhere here: the answer
is +1 where f(x) > 0 and -1 elsewhere. (The sign of f alone would leave undecided the networks that
answer 0 for -1: that of two neurons, and that of three.)
"""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from phasegrok.config import Parity
from phasegrok.models.known.base import SOLUTIONS, Solution

__all__ = ["four_neurons", "patterns", "solution", "two_neurons", "weights"]


def patterns(bits: int) -> np.ndarray:
    """All sign patterns of ``bits`` bits, (2^bits, bits) of -1 and 1."""
    return np.array(list(itertools.product((-1.0, 1.0), repeat=bits)), np.float32)


def weights(bits: int, parity_bits: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Proposition 4.1: a neuron for each of the 2^k patterns of the first k of n bits.

    Neuron s has the pattern as its weights and the bias -(k - 1): it is 1 for its own pattern
    and 0 for all others, whose product with it is k - 2 at most. Its output weight is the
    parity of the pattern, so f(x) is +1 or -1 and the hinge loss is 0. (In the thesis only the
    patterns of parity +1 have neurons.)

    Returns:
        W^T (n, 2^k), b (2^k,), u (2^k, 1).
    """
    each = patterns(parity_bits)
    inputs = np.zeros((bits, len(each)), np.float32)
    inputs[:parity_bits] = each.T
    bias = np.full(len(each), 1.0 - parity_bits, np.float32)
    return jnp.asarray(inputs), jnp.asarray(bias), jnp.asarray(each.prod(axis=1)[:, None])


def two_neurons(bits: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Section 4.2: two neurons for the parity of the first two of n bits.

    relu(x1/2 + x2/2) + relu(-x1/2 - x2/2) is 1 where the two agree and 0 where they do not.

    Returns:
        W^T (n, 2), b (2,) of zeros, u (2, 1) of ones.
    """
    inputs = np.zeros((bits, 2), np.float32)
    inputs[:2] = [[0.5, -0.5], [0.5, -0.5]]
    return jnp.asarray(inputs), jnp.zeros(2), jnp.ones((2, 1))


def four_neurons(bits: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Four neurons for the parity of the first three of n bits (section 4.3 asks for them).

    The parity depends on the sum s of the three alone. With s = -3, -1, 1, 3,
    relu(s + 2) - 4 relu(s) + 8 relu(s - 2) is 0, 1, -1, 1, and -relu(-s - 2), the last neuron
    here, is -1, 0, 0, 0. So f(x) is +1 or -1 and the hinge loss is 0. Without the last neuron f(x)
    is 0 for three signs of -1, which is answered with -1.

    Returns:
        W^T (n, 4), b (4,), u (4, 1).
    """
    inputs = np.zeros((bits, 4), np.float32)
    inputs[:3] = [1.0, 1.0, 1.0, -1.0]
    return (
        jnp.asarray(inputs),
        jnp.asarray([2.0, 0.0, -2.0, -2.0]),
        jnp.asarray([[1.0], [-4.0], [8.0], [-1.0]]),
    )


@SOLUTIONS.register(Parity)
def solution(key: jax.Array, task: Parity, width: int) -> Solution:
    """The network of 2^k neurons, or one of few where ``width`` leaves room for no more: two for
    k = 2; four for k = 3, or three of them. Nothing is drawn from ``key``."""
    if width < 2**task.parity_bits:
        few = two_neurons if task.parity_bits == 2 else four_neurons
        u, bias, w = few(task.bits)
        u, bias, w = u[:, :width], bias[:width], w[:width]
    else:
        u, bias, w = weights(task.bits, task.parity_bits)
    return Solution(u, None, w, bias)
