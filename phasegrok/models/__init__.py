"""Models: networks as pure init and apply, by configuration."""

from __future__ import annotations

from functools import lru_cache

import jax
import jax.numpy as jnp

from phasegrok import tasks
from phasegrok.config import Experiment, Images, Mlp, Modular, Parity, Transformer
from phasegrok.models.base import Model, Noise, Params, Pass, Rest, Vectors
from phasegrok.models.mlp import MlpModel
from phasegrok.models.transformer import TransformerModel

__all__ = ["Model", "Noise", "Params", "Pass", "Rest", "Vectors", "build", "of", "parameters"]


def parameters(model: Model) -> int:
    """Number of weights of a model."""
    params = jax.eval_shape(lambda: model.init(jax.random.key(0), jnp.ones(()))[0])
    return sum(x.size for x in jax.tree.leaves(params))


@lru_cache(maxsize=256)
def build(config: Mlp | Transformer, task_config: Modular | Images | Parity) -> Model:
    """The model that ``config`` describes, shaped for a task; cached, since both are static."""
    task = tasks.build(task_config)
    match config:
        case Mlp():
            return MlpModel(config, task)
        case Transformer():
            return TransformerModel(config, task)


def of(experiment: Experiment) -> Model:
    """The model of an experiment."""
    return build(experiment.model, experiment.task)
