"""Models: networks as pure init and apply, by configuration."""

from __future__ import annotations

from functools import lru_cache

from phasegrok.config import Mlp, Modular
from phasegrok.models.base import Model, Noise, Params, Rest, Vectors
from phasegrok.models.mlp import MlpModel

__all__ = ["Model", "Noise", "Params", "Rest", "Vectors", "build"]


@lru_cache(maxsize=256)
def build(config: Mlp, task: Modular) -> Model:
    """The model that ``config`` describes, shaped for ``task``; cached, since both are static."""
    return MlpModel(config, tokens=task.modulus, outputs=task.modulus)
