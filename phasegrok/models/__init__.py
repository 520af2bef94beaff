"""Models: networks as pure init and apply, by configuration."""

from __future__ import annotations

from functools import lru_cache

import jax
import jax.numpy as jnp

from phasegrok.config import Experiment, Mlp, Modular, Transformer
from phasegrok.models.base import Model, Noise, Params, Pass, Rest, Vectors
from phasegrok.models.mlp import MlpModel
from phasegrok.models.transformer import TransformerModel

__all__ = ["Model", "Noise", "Params", "Pass", "Rest", "Vectors", "build", "of", "parameters"]


def parameters(model: Model) -> int:
    """Number of weights of a model."""
    params = jax.eval_shape(lambda: model.init(jax.random.key(0), jnp.ones(()))[0])
    return sum(x.size for x in jax.tree.leaves(params))


@lru_cache(maxsize=256)
def build(config: Mlp | Transformer, task: Modular) -> Model:
    """The model that ``config`` describes, shaped for ``task``; cached, since both are static."""
    match config:
        case Mlp():
            return MlpModel(config, tokens=task.modulus, outputs=task.modulus)
        case Transformer():
            return TransformerModel(config, tokens=task.modulus, outputs=task.modulus)


def of(experiment: Experiment) -> Model:
    """The model of an experiment."""
    return build(experiment.model, experiment.task)
