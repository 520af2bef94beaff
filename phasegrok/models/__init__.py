"""Models: networks as pure init and apply, by configuration.

Every module of this package may hold models. Each registers itself in
:data:`~phasegrok.models.registry.MODELS`; this file names none.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from phasegrok.config import Experiment, without_traced
from phasegrok.config.run_record import RunRecord
from phasegrok.models.base import DropoutSpec, Model, ModelState, Params, Pass, Vectors
from phasegrok.models.registry import build
from phasegrok.registry import import_all

__all__ = [
    "DropoutSpec",
    "Model",
    "ModelState",
    "Params",
    "Pass",
    "Vectors",
    "build",
    "fingerprint",
    "of",
    "parameters",
    "run_records",
]

import_all(__name__, __path__)

# Weights that belong to tokens or positions, one vector each. No other layer lies between them
# and the inputs or the outputs.
EMBEDDINGS = ("embedding", "position", "unembedding")


def parameters(model: Model, embeddings: bool = True) -> int:
    """Number of weights of a model; without ``embeddings``, of those between its tokens'."""
    params = jax.eval_shape(lambda: model.init(jax.random.key(0), jnp.ones(()))[0])
    leaves = jax.tree_util.tree_leaves_with_path(params)
    return sum(
        leaf.size
        for path, leaf in leaves
        if embeddings or getattr(path[0], "key", None) not in EMBEDDINGS
    )


def of(experiment: Experiment) -> Model:
    """The model of an experiment."""
    return build(experiment.model, experiment.task)


def run_records(experiment: Experiment) -> dict[str, RunRecord]:
    """The runs that trained the networks that an experiment names, by the keys that name them.

    Raises:
        Refusal: their files cannot be used; the message begins with the key.
    """
    return _static(experiment).run_records()


def fingerprint(experiment: Experiment) -> str | None:
    """Hash of the trained networks that an experiment names but does not hold; None if there are
    none.

    Raises:
        Refusal: their files cannot be used; the message begins with the key.
    """
    return _static(experiment).fingerprint()


def _static(experiment: Experiment) -> Model:
    """The model, built once for all experiments that differ in traced values alone."""
    return of(without_traced(experiment))
