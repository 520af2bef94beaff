"""Which experiments the fused kernel serves, and their loss by it: the one way in."""

from __future__ import annotations

from typing import NamedTuple

import jax

from phasegrok import tasks
from phasegrok.config import Experiment, value_at
from phasegrok.kernels.mlp import MOST_OUTPUTS, Kind, Mask, Rows, Weights, loss_and_right
from phasegrok.models import DropoutSpec, Params
from phasegrok.plan.program import Program

__all__ = ["FusedRows", "loss", "problem"]

# What the kernel computes; everything else of the default network is a number or a shape.
SERVED = {
    "model.kind": ("mlp",),
    "model.embedding": (None,),
    "model.depth": (2,),
    "model.bias": (False,),
    "model.normalization": ("none",),
    "model.activation": ("quadratic", "relu"),
    "loss": ("mse", "cross_entropy"),
}


class FusedRows(NamedTuple):
    """Rows of a step, as :class:`phasegrok.train.batches.Batch` has them."""

    rows: jax.Array  # (B,) int32
    inputs: jax.Array  # (B, 2) int32
    labels: jax.Array  # (B,) int32
    weights: jax.Array  # (B,) float32


def problem(experiment: Experiment) -> str | None:
    """Why the kernel does not serve an experiment, ``found PATH VALUE; allowed: ...``; None if it
    does."""
    if not experiment.task.has_tokens:
        return f"found task.kind {experiment.task.kind}; allowed: a task on pairs of tokens"
    for path, allowed in SERVED.items():
        found = value_at(experiment, path)
        if found not in allowed:
            words = " or ".join("null" if each is None else str(each) for each in allowed)
            return f"found {path} {found}; allowed: {path} {words}"
    task = tasks.of(experiment)
    for name, count in (("outputs", task.outputs), ("tokens", task.tokens or 0)):
        if not 1 < count <= MOST_OUTPUTS:
            return f"found {count} {name}; allowed: 2 to {MOST_OUTPUTS}"
    return None


def loss(
    program: Program, params: Params, tile: FusedRows, dropout: DropoutSpec | None
) -> jax.Array:
    """The sum of a tile's losses, each times its weight; ``params`` have a gradient.

    Args:
        program: what is trained; :func:`problem` has none with it.
        params: of an :class:`~phasegrok.models.mlp.MlpModel`.
        tile: the rows.
        dropout: of the step.
    """
    experiment = program.experiment
    assert problem(experiment) is None, "sweeps are checked: others have no kernel"
    kind = Kind(
        value_at(experiment, "model.activation"),
        experiment.loss,  # type: ignore[arg-type]
        program.precision,
        dropout is not None,
    )
    weights = Weights(*(params[name][...] for name in ("u", "v", "w")))
    first, second = tile.inputs[:, 0], tile.inputs[:, 1]
    rows = Rows(first, second, tile.labels, tile.weights, tile.rows)
    mask = None
    if dropout is not None:  # the network's only site has number 0
        mask = Mask(jax.random.key_data(jax.random.fold_in(dropout.key, 0)), dropout.rate)
    return loss_and_right(kind, weights, rows, mask)[0]
