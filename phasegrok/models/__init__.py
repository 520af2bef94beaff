"""Models: networks as pure init and apply, by configuration."""

from __future__ import annotations

from functools import lru_cache

import jax
import jax.numpy as jnp

from phasegrok import tasks
from phasegrok.config import Experiment, Images, Lstm, Mlp, Modular, Parity, Transformer
from phasegrok.models.base import Model, Noise, Params, Pass, Rest, Vectors
from phasegrok.models.lstm import LstmModel
from phasegrok.models.mlp import MlpModel
from phasegrok.models.transformer import TransformerModel

__all__ = ["Model", "Noise", "Params", "Pass", "Rest", "Vectors", "build", "of", "parameters"]


# Weights that belong to tokens or positions, one vector each, and no part of the network between.
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


@lru_cache(maxsize=256)
def build(config: Mlp | Transformer | Lstm, task_config: Modular | Images | Parity) -> Model:
    """The model that ``config`` describes, shaped for a task; cached, since both are static."""
    task = tasks.build(task_config)
    match config:
        case Mlp():
            return MlpModel(config, task)
        case Transformer():
            return TransformerModel(config, task)
        case Lstm():
            return LstmModel(config, task)


def of(experiment: Experiment) -> Model:
    """The model of an experiment."""
    return build(experiment.model, experiment.task)
