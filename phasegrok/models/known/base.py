"""Which weights are known to solve which task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import jax

from phasegrok.registry import Registry


class Solution(NamedTuple):
    """Weights of a network with one hidden layer that solves a task without training."""

    u: jax.Array  # (tokens or features, width), of the first token or of the features
    v: jax.Array | None  # (tokens, width), of the second token; None where inputs are features
    w: jax.Array  # (width, outputs)
    bias: jax.Array | None  # (width,), of the hidden layer


# By the task's block: from a key, the block and a width to weights. The block's ``solved_by`` says
# which widths and networks there are.
SOLUTIONS: Final[Registry[Callable[[jax.Array, Any, int], Solution]]] = Registry("")
