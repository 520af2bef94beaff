"""The analytic solution of modular addition (Doshi et al., equation 2 and appendix D)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from phasegrok.config import Modular
from phasegrok.models.known.base import SOLUTIONS, Solution

__all__ = ["solution", "weights"]


def weights(key: jax.Array, modulus: int, width: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Periodic weights with which the quadratic network adds modulo p, up to terms of 1/sqrt(N).

    U_ki = A cos(2 pi i sigma(k) / p + phi_u), V_kj likewise with phi_v, and
    W_qk = A cos(2 pi q sigma(k) / p + phi_u + phi_v); sigma is a random permutation of 0..N-1,
    so that the frequencies modulo p are as even as N allows, and the phases are uniform.

    The amplitude is A = (2/N)^(+1/3). Equation 2 prints the exponent -1/3, with which the outputs
    would not be those of equation 6: its prefactor is A^3 = 2/N.

    Args:
        key: of the permutation and the phases.
        modulus: p.
        width: N.

    Returns:
        U and V, (p, N), one row a token; W, (N, p), one column an output.
    """
    frequency_key, u_key, v_key = jax.random.split(key, 3)
    frequency = jax.random.permutation(frequency_key, jnp.arange(width, dtype=jnp.int32)) % modulus
    phase_u = jax.random.uniform(u_key, (width,), jnp.float32, -np.pi, np.pi)
    phase_v = jax.random.uniform(v_key, (width,), jnp.float32, -np.pi, np.pi)
    # Whole turns are taken off while the product is an integer: cosines of large angles are rough.
    token = jnp.arange(modulus, dtype=jnp.int32)
    angle = (2 * np.pi / modulus) * ((token[:, None] * frequency[None, :]) % modulus).astype(
        jnp.float32
    )
    amplitude = (2 / width) ** (1 / 3)
    u, v, w = (
        amplitude * jnp.cos(angle + phase) for phase in (phase_u, phase_v, phase_u + phase_v)
    )
    return u, v, w.T


@SOLUTIONS.register(Modular)
def solution(key: jax.Array, task: Modular, width: int) -> Solution:
    """Equation 2 for a task's modulus."""
    u, v, w = weights(key, task.modulus, width)
    return Solution(u, v, w, None)
