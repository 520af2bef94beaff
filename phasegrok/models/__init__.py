"""Models: networks as pure init and apply, by configuration."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import jax
import jax.numpy as jnp

from phasegrok import tasks
from phasegrok.config import Experiment, Images, Lstm, Mixture, Mlp, Modular, Parity, Transformer
from phasegrok.config.run_record import About
from phasegrok.models.base import DropoutSpec, Model, ModelState, Params, Pass, Vectors
from phasegrok.models.frozen.mixture import PARTS, MixtureModel
from phasegrok.models.lstm import LstmModel
from phasegrok.models.mlp import MlpModel
from phasegrok.models.transformer import TransformerModel

__all__ = [
    "PARTS",
    "DropoutSpec",
    "Model",
    "ModelState",
    "Params",
    "Pass",
    "Vectors",
    "begin",
    "build",
    "fingerprint",
    "of",
    "origins",
    "parameters",
]


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
def build(
    config: Mlp | Transformer | Lstm | Mixture, task_config: Modular | Images | Parity
) -> Model:
    """The model that ``config`` describes, shaped for a task; cached, since both are static."""
    task = tasks.build(task_config)
    match config:
        case Mlp():
            return MlpModel(config, task)
        case Transformer():
            return TransformerModel(config, task)
        case Lstm():
            return LstmModel(config, task)
        case Mixture():
            return MixtureModel(config, task, task_config, build)


def of(experiment: Experiment) -> Model:
    """The model of an experiment."""
    return build(experiment.model, experiment.task)


def begin(
    model: Model, key: jax.Array, values: Mapping[str, jax.Array]
) -> tuple[Params, ModelState]:
    """Initial weights of a cell, from the traced numbers that its model has, by dotted path."""
    if isinstance(model, MixtureModel):
        return model.begin({part: values[f"model.{part}_scale"] for part in PARTS})
    return model.init(key, values["model.init_scale"])


def origins(experiment: Experiment) -> dict[str, About]:
    """The runs that trained the networks that an experiment names, by the keys that name them.

    Raises:
        Refusal: their files cannot be used; the message begins with the key.
    """
    if not isinstance(experiment.model, Mixture):
        return {}
    model = of(experiment)
    assert isinstance(model, MixtureModel)
    return {f"model.{part}": frozen.about for part, frozen in model.frozen.items()}


def fingerprint(experiment: Experiment) -> str | None:
    """Hash of the trained networks that an experiment names but does not hold, if there are any."""
    if not isinstance(experiment.model, Mixture):
        return None
    model = of(experiment)
    assert isinstance(model, MixtureModel)
    return "-".join(frozen.fingerprint for frozen in model.frozen.values())
