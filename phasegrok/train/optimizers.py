"""Optimizers by name, their numbers traced."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import optax

from phasegrok.config import Adam, AdamW, Sgd


def optimizer(
    config: AdamW | Adam | Sgd, values: Mapping[str, jax.Array]
) -> optax.GradientTransformation:
    """The optax transformation of one cell.

    Args:
        config: only its kind is read; its numbers are traced.
        values: scalars under ``optimizer.NAME``.
    """
    at = {path.removeprefix("optimizer."): v for path, v in values.items()}
    match config:
        case AdamW():
            return optax.adamw(
                at["learning_rate"], at["beta1"], at["beta2"], at["epsilon"],
                weight_decay=at["weight_decay"],
            )  # fmt: skip
        case Adam():
            return optax.chain(
                optax.add_decayed_weights(at["weight_decay"]),
                optax.adam(at["learning_rate"], at["beta1"], at["beta2"], at["epsilon"]),
            )
        case Sgd():
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
