"""Sparse parity with flipped labels (Fuangkawinsombut's thesis, chapters 2 and 3)."""

from __future__ import annotations

from typing import Final

import jax
import jax.numpy as jnp

from phasegrok.config import Parity
from phasegrok.tasks.base import TASKS, Size, Table, Task

# A stream that no seed uses (phasegrok.train.state): a fixed test set shares no key with any
# seed's training set.
FIXED_TEST_SET: Final = 2**32 - 1


@TASKS.register(Parity)
class ParityTask(Task):
    """The product of the first k of n signs."""

    config: Parity
    outputs = 1  # f(x); an answer is +1 where it is above 0, and -1 elsewhere

    def __init__(self, config: Parity) -> None:
        self.config = config
        self.size = Size(config.train_examples, config.test_examples)
        self.features = config.bits
        # The first bits, which the label depends on; the others fill no columns.
        self.input_names = tuple(f"x{i + 1}" for i in range(config.parity_bits))

    def table(self, order_key: jax.Array, label_key: jax.Array) -> Table:
        """Training examples, then test examples, all drawn independently: (total, n) signs.

        A corrupted label is the other one of two, so nothing is drawn from ``label_key``. Each
        example has a key of its own: the training set of a larger table begins with that of a
        smaller one. A fixed test set depends on no key that is given.
        """
        pool, total = self.size.pool, self.size.total
        # Test examples count from the top, so that their number and the pool's do not mix.
        number = jnp.arange(total, dtype=jnp.uint32)
        number = jnp.where(number < pool, number, jnp.uint32(2**31) + number - jnp.uint32(pool))
        if self.config.test_set == "fixed":
            fixed = jax.random.fold_in(
                jax.random.key(0, impl=jax.random.key_impl(order_key)), FIXED_TEST_SET
            )
            keys = jnp.concatenate([_each(order_key, number[:pool]), _each(fixed, number[pool:])])
        else:
            keys = _each(order_key, number)
        signs = jax.vmap(lambda key: jax.random.rademacher(key, (self.config.bits,), jnp.float32))(
            keys
        )
        label = (jnp.prod(signs[:, : self.config.parity_bits], axis=1) > 0).astype(jnp.int32)
        return Table(inputs=signs, label=label, corrupted_label=1 - label)


def _each(key: jax.Array, numbers: jax.Array) -> jax.Array:
    """A key for each number, (numbers,)."""
    keys: jax.Array = jax.vmap(lambda i: jax.random.fold_in(key, i))(numbers)
    return keys
