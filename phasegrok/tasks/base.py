"""What a task is: a table of examples in a seed's order, and what models need to know of it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import jax
import numpy as np


class Table(NamedTuple):
    """All examples of a task.

    A run trains on the first ``n_train`` rows. The first ``n_corrupted`` of those show
    ``corrupted_label`` instead of ``label``. :class:`Size` says which rows are the test set.
    """

    inputs: jax.Array  # (total, ...) int32 tokens or indices, or float32 features
    label: jax.Array  # (total,) int32, the true label
    corrupted_label: jax.Array  # (total,) int32, the label shown where the row is corrupted


class Size(NamedTuple):
    """How many examples there are. The first ``pool`` rows of a table may train."""

    pool: int
    test: int | None = None  # rows after the pool, the test set; None: all rows that do not train

    @property
    def total(self) -> int:
        """Rows of the table."""
        return self.pool + (self.test or 0)


class Task(Protocol):
    """A task, with everything static about it. Its inputs are tokens or features."""

    size: Size
    outputs: int  # classes
    tokens: int | None  # a token's values, where inputs are pairs of tokens
    features: int | None  # numbers of an input, where they are not
    input_names: tuple[str, ...]  # columns of an example's stored inputs

    def table(self, order_key: jax.Array, label_key: jax.Array) -> Table:
        """The examples in a seed's order, a function of the keys alone."""

    def look_up(self, inputs: jax.Array) -> jax.Array:
        """What a model is given for rows of the table's ``inputs``."""

    def group_order(self) -> np.ndarray | None:
        """Tokens in the order in which a generalizing network's weights are periodic; None where
        inputs are no tokens."""

    def fingerprint(self) -> str | None:
        """Hash of data that the configuration names but does not hold; None if there is none."""
