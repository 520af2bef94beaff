"""Flax NNX networks as pure functions: what every family built on them shares."""

from __future__ import annotations

from abc import abstractmethod

import jax
from flax import nnx

from phasegrok.models.base import Model, ModelState, Params, Pass, scaled


class ModuleModel(Model):
    """Init and apply of a module whose call gives what the output layer is given."""

    def __init__(self) -> None:
        self.graph = nnx.graphdef(nnx.eval_shape(lambda: self.make(nnx.Rngs(params=0))))

    @abstractmethod
    def make(self, rngs: nnx.Rngs) -> nnx.Module:
        """The module with its initial weights."""

    def init(self, key: jax.Array, scale: jax.Array) -> tuple[Params, ModelState]:
        params, model_state = nnx.state(self.make(nnx.Rngs(params=key)), nnx.Param, ...)
        return scaled(params, scale), model_state

    def penultimate(
        self, params: Params, model_state: ModelState, batch: Pass
    ) -> tuple[jax.Array, ModelState]:
        # Without a copy, a module that updates statistics may not do so under grad and scan.
        network = nnx.merge(self.graph, params, model_state, copy=True)
        hidden = network(batch)
        _, model_state = nnx.state(network, nnx.Param, ...)
        return hidden, model_state
