"""Losses and answers, one value a row."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax

from phasegrok.config import Loss


def row_losses(
    loss: Loss, outputs: jax.Array, labels: jax.Array, accelerated: bool = False
) -> jax.Array:
    """Loss of every row; a training loss is their mean.

    ``mse`` is the squared distance to the one-hot label, averaged over the outputs. The training
    loss is then the mean over examples *and* outputs, as in the original experiments.
    ``cross_entropy`` is that of the softmax. ``brier`` is the squared distance of the softmax to
    the one-hot label, summed over the classes. (It is Brier's score, and the MSE of the efficiency
    study, section 2, which prints it with a stray minus.)

    With a single output f and labels y of -1 and 1 (numbered 0 and 1) they are (f - y)^2,
    log(1 + exp(-f y)) and 2 / (1 + exp(f y))^2. ``hinge`` is max(0, 1 - f y) (thesis, section 2.1).

    Args:
        loss: by name.
        outputs: (rows, classes), or (rows, 1) for two classes.
        labels: (rows,) int32.
        accelerated: whether no gradient may be a scatter.

    Returns:
        (rows,) float32.
    """
    if outputs.shape[-1] == 1:
        margin = at_label(outputs, labels)
        match loss:
            case "hinge":
                return jax.nn.relu(1 - margin)
            case "mse":
                return jnp.square(1 - margin)
            case "cross_entropy":
                return jax.nn.softplus(-margin)
            case "brier":
                return 2 * jnp.square(jax.nn.sigmoid(-margin))
    match loss:
        case "hinge":
            raise AssertionError("configurations are checked: hinge has one output")
        case "mse":
            target = jax.nn.one_hot(labels, outputs.shape[-1], dtype=outputs.dtype)
            return jnp.mean(jnp.square(outputs - target), axis=-1)
        case "cross_entropy" if accelerated:
            hot = jnp.arange(outputs.shape[-1], dtype=labels.dtype) == labels[:, None]
            shown = jnp.sum(jnp.where(hot, outputs, 0.0), axis=-1)
            return jax.nn.logsumexp(outputs, axis=-1) - shown
        case "cross_entropy":
            return optax.softmax_cross_entropy_with_integer_labels(outputs, labels)
        case "brier":
            target = jax.nn.one_hot(labels, outputs.shape[-1], dtype=outputs.dtype)
            return jnp.sum(jnp.square(jax.nn.softmax(outputs) - target), axis=-1)


def answers(outputs: jax.Array) -> jax.Array:
    """(rows,) int32, the classes that outputs (rows, classes) stand for.

    It is the largest output, the first on ties. With a single output it is 1 above 0, else 0. So an
    output of exactly 0 is an answer of -1, as in the thesis' network of two neurons (section 4.2).
    """
    if outputs.shape[-1] == 1:
        return (outputs[:, 0] > 0).astype(jnp.int32)
    return jnp.argmax(outputs, axis=-1).astype(jnp.int32)


def at_label(outputs: jax.Array, labels: jax.Array) -> jax.Array:
    """(rows,) the output at each row's label; of a single output f its margin, f y."""
    if outputs.shape[-1] == 1:
        return outputs[:, 0] * (2 * labels - 1).astype(outputs.dtype)
    return jnp.take_along_axis(outputs, labels[:, None], axis=-1)[:, 0]


def correct_logits(outputs: jax.Array, labels: jax.Array) -> jax.Array:
    """(rows,) the output at each row's label above the mean of its outputs.

    A softmax is blind to what is added to all outputs, and training lets that drift. With a single
    output it is the margin.
    """
    correct = at_label(outputs, labels)
    return correct if outputs.shape[-1] == 1 else correct - jnp.mean(outputs, axis=-1)


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
        case "brier":
            total = jax.nn.logsumexp(outputs, axis=0)
            squares = jnp.sum(jnp.exp(2 * (outputs - total)), axis=0)
            return squares - 2 * jnp.exp(at_label - total) + 1
        case "hinge":
            raise AssertionError("configurations are checked: only tokens are pruned by IPR")
