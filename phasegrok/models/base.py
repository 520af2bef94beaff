"""What the engine asks of a model, as pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import jax

from phasegrok.config.run_record import RunRecord
from phasegrok.models.layers.lookup import Lookups
from phasegrok.models.layers.product import product

Params = Any  # a pytree of weights
ModelState = Any  # a pytree of what a model keeps besides weights (running statistics)


class DropoutSpec(NamedTuple):
    """What a training pass needs to draw dropout masks; absent in evaluation."""

    key: jax.Array  # of this step
    rate: jax.Array  # scalar, traced


class Pass(NamedTuple):
    """Rows on their way through a network: a training pass, or an evaluation."""

    inputs: jax.Array  # (rows, ...) as the table holds them
    rows: jax.Array  # (rows,) int32, their numbers in the table or batch, which masks depend on
    weights: jax.Array | None = None  # training: (rows,) float32, 0 for padding; else None
    dropout: DropoutSpec | None = None  # training with dropout
    lookups: Lookups = "scatter"  # how the gradients of tokens' vectors are taken


class Vectors(NamedTuple):
    """Weight vectors over tokens, by matrix name: arrays (neurons, tokens), see equation 4."""

    input: dict[str, jax.Array]  # rows of the input embedding
    output: dict[str, jax.Array]  # columns of the output layer
    joined: bool  # whether neuron k of both is the same one: networks with one hidden layer

    def layers(self) -> dict[str, dict[str, jax.Array]]:
        """The vectors of every layer of neurons, from the input to the output."""
        if self.joined:
            return {"hidden": {**self.input, **self.output}}
        return {"input": self.input, "output": self.output}

    def choose(self, of: str) -> dict[str, jax.Array]:
        """The vectors that a mean IPR is over, by the name that sweep files use."""
        if of == "input":
            return self.input
        return self.output if of == "output" else next(iter(self.layers().values()))


class Model(Protocol):
    """A model family at fixed shapes. Everything is pure, so it maps over cells.

    A family inherits from this class and says only what differs from the defaults here.
    """

    # Whether a training pass needs all rows of a step at once, for statistics over them.
    whole_batch: bool = False

    def begin(self, key: jax.Array, values: Mapping[str, jax.Array]) -> tuple[Params, ModelState]:
        """Initial weights of a run.

        Args:
            key: of the weights.
            values: the run's traced numbers, scalars, by dotted path.
        """
        return self.init(key, values["model.init_scale"])

    def init(self, key: jax.Array, scale: jax.Array) -> tuple[Params, ModelState]:
        """Initial weights times ``scale``; a function of the model and the key alone."""

    def apply(
        self, params: Params, model_state: ModelState, batch: Pass
    ) -> tuple[jax.Array, ModelState]:
        """Outputs (rows, outputs), and the model state after the pass. Only a training pass changes
        the state, of running statistics."""
        hidden, model_state = self.penultimate(params, model_state, batch)
        return product(hidden, self.output_weights(params)), model_state

    def penultimate(
        self, params: Params, model_state: ModelState, batch: Pass
    ) -> tuple[jax.Array, ModelState]:
        """What the output layer is given, (rows, neurons), and the model state after the pass."""

    def output_weights(self, params: Params) -> jax.Array:
        """The output layer, (neurons, outputs): ``apply`` is its product with ``penultimate``."""

    def matrices(self, params: Params) -> dict[str, Params]:
        """The weights whose norms are measured, by the names that the tables use: an array, or
        any pytree of them."""

    def vectors(self, params: Params) -> Vectors:
        """The weight vectors whose periodicity is measured."""
        return Vectors({}, {}, joined=True)

    def normalization_weights(self, params: Params) -> dict[str, jax.Array]:
        """Learned scales of the normalization after a layer's neurons, (neurons,), by the layer's
        name in ``vectors``; empty without normalization."""
        return {}

    def flops_per_row(self) -> int:
        """Minimal floating-point operations of one training step per training row."""

    def numbers_per_row(self) -> int:
        """Numbers in a row's widest activation, which tiles and chunks are sized by."""

    def run_records(self) -> dict[str, RunRecord]:
        """The runs that trained networks which the configuration names, by the keys that name
        them."""
        return {}

    def fingerprint(self) -> str | None:
        """Hash of networks that the configuration names but does not hold; None if there are
        none."""
        return None


def scaled(params: Params, scale: jax.Array) -> Params:
    """Initial weights times ``scale``; normalization keeps its scales of 1 and shifts of 0."""

    def each(path: tuple[Any, ...], weights: jax.Array) -> jax.Array:
        inside = any(getattr(key, "key", None) == "normalizations" for key in path)
        return weights if inside else weights * scale

    return jax.tree_util.tree_map_with_path(each, params)
