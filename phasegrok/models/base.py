"""What the engine asks of a model, as pure functions."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import jax

Params = Any  # a pytree of weights
Rest = Any  # a pytree of what a model carries besides weights (running statistics)


class Noise(NamedTuple):
    """What a training pass needs to draw dropout masks; absent in evaluation."""

    key: jax.Array  # of this step
    rate: jax.Array  # scalar, traced


class Model(Protocol):
    """A model family at fixed shapes. Everything is pure, so it maps over cells."""

    def init(self, key: jax.Array, scale: jax.Array) -> tuple[Params, Rest]:
        """Initial weights times ``scale``; a function of the model and the key alone."""

    def apply(
        self, params: Params, rest: Rest, inputs: jax.Array, rows: jax.Array, noise: Noise | None
    ) -> tuple[jax.Array, Rest]:
        """Outputs (rows, outputs) for ``inputs``; ``rows`` are their numbers (for masks)."""

    def norms(self, params: Params) -> dict[str, jax.Array]:
        """Frobenius norms of the weight matrices, by the names that the tables use."""

    def vectors(self, params: Params) -> list[jax.Array]:
        """Weight vectors whose IPR is a neuron's: arrays (neurons, tokens), see equation 4."""

    def flops_per_row(self) -> int:
        """Minimal floating-point operations of one training step per training row."""
