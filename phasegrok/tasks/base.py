"""What a task is: a table of examples in a seed's order, and what models need to know of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

import jax
import numpy as np

from phasegrok.config import TaskBlock
from phasegrok.registry import Registry


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
    """A task, with everything static about it. Its inputs are tokens or features.

    A task inherits from this class and says only what differs from the defaults here.
    """

    config: TaskBlock  # the task's block of the sweep file
    size: Size
    outputs: int  # numbers that a network answers with: one a class, or a single one
    tokens: int | None = None  # values that a token has, where inputs are pairs of tokens
    features: int | None = None  # numbers in an input, where inputs are features
    input_names: tuple[str, ...]  # columns of an example's inputs in the tables

    def table(self, order_key: jax.Array, label_key: jax.Array) -> Table:
        """The examples in a seed's order, a function of the keys alone.

        Args:
            order_key: decides which examples there are and their order.
            label_key: decides the corrupted labels.
        """

    def look_up(self, inputs: jax.Array) -> jax.Array:
        """What a model is given for rows of the table's ``inputs``: by default the rows."""
        return inputs

    def group_order(self) -> np.ndarray | None:
        """Tokens in the order in which a generalizing network's weights are periodic; None where
        inputs are no tokens."""
        return None

    def fingerprint(self) -> str | None:
        """Hash of data that the configuration names but does not hold; None if there is none."""
        return None


TASKS: Final[Registry[Callable[[Any], Task]]] = Registry("task")
