"""Flax NNX networks as pure functions: what every family built on them shares."""

from __future__ import annotations

from abc import ABC, abstractmethod

import jax
from flax import nnx

from phasegrok.models.base import Params, Pass, Rest, scaled


class ModuleModel(ABC):
    """Init and apply of a module whose call gives what the output layer is given."""

    def __init__(self) -> None:
        self.graph = nnx.graphdef(nnx.eval_shape(lambda: self.make(nnx.Rngs(params=0))))

    @abstractmethod
    def make(self, rngs: nnx.Rngs) -> nnx.Module:
        """The module with its initial weights."""

    @abstractmethod
    def readout(self, params: Params) -> jax.Array:
        """The output layer, (neurons, outputs)."""

    def init(self, key: jax.Array, scale: jax.Array) -> tuple[Params, Rest]:
        params, rest = nnx.state(self.make(nnx.Rngs(params=key)), nnx.Param, ...)
        return scaled(params, scale), rest

    def apply(self, params: Params, rest: Rest, batch: Pass) -> tuple[jax.Array, Rest]:
        hidden, rest = self.features(params, rest, batch)
        return hidden @ self.readout(params), rest

    def features(self, params: Params, rest: Rest, batch: Pass) -> tuple[jax.Array, Rest]:
        # Without a copy, a module that updates statistics may not do so under grad and scan.
        network = nnx.merge(self.graph, params, rest, copy=True)
        hidden = network(batch)
        _, rest = nnx.state(network, nnx.Param, ...)
        return hidden, rest
