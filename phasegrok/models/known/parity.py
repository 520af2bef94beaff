"""Networks that compute a sparse parity exactly (Fuangkawinsombut's thesis, chapter 4).

Both are of its form f(x) = u . relu(W x + b), read by the one rule used everywhere here: the answer
is +1 where f(x) > 0 and -1 elsewhere. (The sign of f alone would leave the two-neuron network,
which answers 0 for -1, undecided.)
"""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from phasegrok.config import Parity
from phasegrok.models.known.base import SOLUTIONS, Solution

__all__ = ["patterns", "solution", "two_neurons", "weights"]


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


@SOLUTIONS.register(Parity)
def solution(key: jax.Array, task: Parity, width: int) -> Solution:
    """The network of 2^k neurons, or that of two where ``width`` leaves room for no more. Nothing
    is drawn from ``key``."""
    if width < 2**task.parity_bits:
        u, bias, w = two_neurons(task.bits)
    else:
        u, bias, w = weights(task.bits, task.parity_bits)
    return Solution(u, None, w, bias)
