"""Optimizers by name, their numbers traced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import jax
import jax.numpy as jnp
import optax

from phasegrok.config import Adam, AdamW, OptimizerBlock, Sgd
from phasegrok.registry import Registry

Numbers = Mapping[str, jax.Array]  # scalars, traced, by the name of their key
Builder = Callable[[Any, Numbers], optax.GradientTransformation]

OPTIMIZERS: Final[Registry[Builder]] = Registry("optimizer")


def optimizer(
    config: OptimizerBlock, values: Mapping[str, jax.Array]
) -> optax.GradientTransformation:
    """The optax transformation of one run.

    Args:
        config: only what is static of it is read; its numbers are traced.
        values: scalars under ``optimizer.NAME``.
    """
    at = {path.removeprefix("optimizer."): v for path, v in values.items()}
    return OPTIMIZERS[type(config)](config, at)


@OPTIMIZERS.register(AdamW)
def _adamw(config: AdamW, at: Numbers) -> optax.GradientTransformation:
    if config.decay_towards == "init":
        return optax.chain(
            optax.scale_by_adam(at["beta1"], at["beta2"], at["epsilon"]),
            decay_to_start(at["weight_decay"]),
            optax.scale_by_learning_rate(at["learning_rate"]),
        )
    return optax.adamw(
        at["learning_rate"],
        at["beta1"],
        at["beta2"],
        at["epsilon"],
        weight_decay=at["weight_decay"],
    )


@OPTIMIZERS.register(Adam)
def _adam(config: Adam, at: Numbers) -> optax.GradientTransformation:
    return optax.chain(
        optax.add_decayed_weights(at["weight_decay"]),
        optax.adam(at["learning_rate"], at["beta1"], at["beta2"], at["epsilon"]),
    )


@OPTIMIZERS.register(Sgd)
def _sgd(config: Sgd, at: Numbers) -> optax.GradientTransformation:
    return optax.chain(
        optax.add_decayed_weights(at["weight_decay"]),
        add_signs(at["l1"]),
        optax.sgd(at["learning_rate"], at["momentum"]),
    )


def add_signs(strength: jax.Array) -> optax.GradientTransformation:
    """The gradient of ``strength`` times the sum of all weights' sizes, added to the gradient."""

    def update(grads: optax.Updates, params: optax.Params | None) -> optax.Updates:
        return jax.tree.map(lambda g, w: g + strength * jnp.sign(w), grads, params)

    return optax.stateless(update)


def decay_to_start(strength: jax.Array) -> optax.GradientTransformation:
    """Weight decay towards the weights that training began with.

    ``strength`` times what a weight has moved is added to its update.
    """

    def update(
        updates: optax.Updates, start: optax.OptState, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.OptState]:
        moved = jax.tree.map(jnp.subtract, params, start)
        return jax.tree.map(lambda u, m: u + strength * m, updates, moved), start

    return optax.GradientTransformation(lambda params: params, update)


def noise_like(key: jax.Array, like: optax.Params, deviation: jax.Array) -> optax.Params:
    """Independent normal numbers of a standard deviation, in the shapes of a pytree."""
    leaves, structure = jax.tree.flatten(like)
    drawn = [
        deviation * jax.random.normal(jax.random.fold_in(key, i), leaf.shape, leaf.dtype)
        for i, leaf in enumerate(leaves)
    ]
    return jax.tree.unflatten(structure, drawn)
