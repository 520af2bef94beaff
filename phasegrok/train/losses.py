"""Losses, one value a row."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax

from phasegrok.config import Loss


def row_losses(loss: Loss, outputs: jax.Array, labels: jax.Array) -> jax.Array:
    """Loss of every row; a training loss is their mean.

    ``mse`` is the squared distance to the one-hot label, averaged over the outputs (so the
    training loss is the mean over examples *and* outputs, as in the original experiments);
    ``cross_entropy`` is that of the softmax.

    Args:
        loss: by name.
        outputs: (rows, classes).
        labels: (rows,) int32.

    Returns:
        (rows,) float32.
    """
    match loss:
        case "mse":
            target = jax.nn.one_hot(labels, outputs.shape[-1], dtype=outputs.dtype)
            return jnp.mean(jnp.square(outputs - target), axis=-1)
        case "cross_entropy":
            return optax.softmax_cross_entropy_with_integer_labels(outputs, labels)


def column_losses(loss: Loss, outputs: jax.Array, at_label: jax.Array) -> jax.Array:
    """:func:`row_losses` of outputs that stand in columns, without looking labels up again.

    Pruning takes a loss hundreds of times for the same rows; this layout vectorizes over them.

    Args:
        loss: by name.
        outputs: (classes, rows).
        at_label: (rows,) the output at each row's label.

    Returns:
        (rows,) float32.
    """
    match loss:
        case "mse":
            return (jnp.sum(jnp.square(outputs), axis=0) - 2 * at_label + 1) / outputs.shape[0]
        case "cross_entropy":
            return jax.nn.logsumexp(outputs, axis=0) - at_label
