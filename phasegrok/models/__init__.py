"""Models: networks as pure init and apply, by configuration.

Every module of this package may hold models. Each registers itself in
:data:`~phasegrok.models.registry.MODELS`; this file names none.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp

from phasegrok.config import Experiment, without_traced
from phasegrok.config.identity import names_files
from phasegrok.config.run_record import RunRecord
from phasegrok.models.base import DropoutSpec, Model, ModelState, Params, Pass, Vectors
from phasegrok.models.registry import MODELS, build
from phasegrok.registry import import_all

__all__ = [
    "MODELS",
    "DropoutSpec",
    "Model",
    "ModelState",
    "Params",
    "Pass",
    "Vectors",
    "build",
    "fingerprint",
    "layers",
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
    return sum(
        leaf.size
        for path, leaf in _cached(model)
        if embeddings or getattr(path[0], "key", None) not in EMBEDDINGS
    )


def layers(model: Model) -> int:
    """Number of arrays of weights of a model."""
    return len(_cached(model))


def _cached(model: Any) -> list[tuple[Any, Any]]:
    return _weights(model)


@lru_cache(maxsize=256)
def _weights(model: Any) -> list[tuple[Any, Any]]:
    """Paths and shapes of a model's weights. A deep one takes a quarter of a second to trace."""
    params = jax.eval_shape(lambda: model.init(jax.random.key(0), jnp.ones(()))[0])
    return jax.tree_util.tree_leaves_with_path(params)


def of(experiment: Experiment) -> Model:
    """The model of an experiment."""
    return build(experiment.model, experiment.task)


def run_records(experiment: Experiment) -> dict[str, RunRecord]:
    """The runs that trained the networks that an experiment names, by the keys that name them.

    Raises:
        Refusal: their files cannot be used; the message begins with the key.
    """
    return _static(experiment).run_records() if names_files(type(experiment.model)) else {}


def fingerprint(experiment: Experiment) -> str | None:
    """Hash of the trained networks that an experiment names but does not hold; None if there are
    none.

    Raises:
        Refusal: their files cannot be used; the message begins with the key.
    """
    return _static(experiment).fingerprint() if names_files(type(experiment.model)) else None


def _static(experiment: Experiment) -> Model:
    """The model, built once for all experiments that differ in traced values alone."""
    return of(without_traced(experiment))
