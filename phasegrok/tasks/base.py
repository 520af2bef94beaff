"""What a task is: a table of examples in a seed's order."""

from __future__ import annotations

from typing import NamedTuple

import jax


class Table(NamedTuple):
    """All examples of a task. A cell trains on the first ``n_train`` rows, of which the first
    ``n_corrupted`` show ``noise`` instead of ``label``; every other row is the test set."""

    inputs: jax.Array  # (total, ...) int32 tokens or float32 features
    label: jax.Array  # (total,) int32, the true label
    noise: jax.Array  # (total,) int32, the label shown where the row is corrupted
