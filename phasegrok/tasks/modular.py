"""Modular arithmetic with symmetric label corruption (Doshi et al., section 1.1)."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from phasegrok.config import Modular
from phasegrok.tasks.base import TASKS, Size, Table, Task


@TASKS.register(Modular)
class ModularTask(Task):
    """z = m + n or m * n modulo p."""

    config: Modular
    input_names: tuple[str, ...] = ("m", "n")

    def __init__(self, config: Modular) -> None:
        self.config = config
        self.size = Size(config.modulus**2)
        self.outputs = config.modulus
        self.tokens = config.modulus

    def table(self, order_key: jax.Array, label_key: jax.Array) -> Table:
        """All p^2 examples in a seed's order, with a corrupted label for every row.

        The permutation has the task's full length, never a padded one, so that a row's content
        depends on task and seed alone; corrupted labels are uniform over all p classes, the true
        one included (section 1.1, label corruption).
        """
        p = self.config.modulus
        pair = jax.random.permutation(order_key, jnp.arange(p * p, dtype=jnp.int32))
        m, n = pair // p, pair % p
        label = (m + n) % p if self.config.operation == "addition" else (m * n) % p
        corrupted_label = jax.random.randint(label_key, (p * p,), 0, p, dtype=jnp.int32)
        return Table(inputs=jnp.stack([m, n], axis=1), label=label, corrupted_label=corrupted_label)

    def group_order(self) -> np.ndarray:
        """Addition is periodic in natural order. Multiplication modulo a prime is addition of
        discrete logarithms: its order is g^0, g^1, ... for a primitive root g, and 0, which has no
        logarithm, is left out. Modulo a composite the multiplicative group is in general not
        cyclic; there the natural order is kept.
        """
        p = self.config.modulus
        if self.config.operation == "addition":
            return np.arange(p)
        if any(p % d == 0 for d in range(2, math.isqrt(p) + 1)):
            return np.arange(p)
        for g in range(1, p):
            powers = [pow(g, k, p) for k in range(p - 1)]
            if len(set(powers)) == p - 1:
                return np.array(powers)
        raise AssertionError("every prime has a primitive root")
