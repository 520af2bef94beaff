"""Dropout with a traced rate, from counter-based random bits."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.extend.random import threefry_2x32

from phasegrok.models.base import Pass

LEVELS = 1 << 16  # a rate is rounded to a multiple of one over this


def dropout_at(site: int, x: jax.Array, batch: Pass) -> jax.Array:
    """Dropout at one site of a network, in a training pass that has it; else ``x`` itself.

    Args:
        site: its number; two sites of a network draw different masks.
        x: (rows, ...).
        batch: the pass, which says whether there is dropout.
    """
    spec = batch.dropout
    if spec is None:
        return x
    flat = x.reshape(x.shape[0], -1)
    key = jax.random.fold_in(spec.key, site)
    return dropout(flat, spec.rate, key, batch.rows).reshape(x.shape)


def dropout(x: jax.Array, rate: jax.Array, key: jax.Array, rows: jax.Array) -> jax.Array:
    """Zero a share ``rate`` of the entries and scale the others by 1 / (1 - rate).

    Each entry's 16 bits are threefry of its (row, column) counters under ``key``, so that a row
    draws the same mask whatever the padding, the tiling or the other rows (the seed contract).
    One evaluation yields four entries: on a CPU a sixth of the time of ``jax.random.bernoulli``.

    Args:
        x: (rows, width) pre-activations.
        rate: scalar in [0, 1), rounded to a multiple of 2^-16.
        key: a threefry key for this step and layer.
        rows: (rows,) the rows' numbers in the table or batch.
    """
    width = x.shape[-1]
    blocks = -(-width // 4)
    shape = (x.shape[0], blocks)
    row = jnp.broadcast_to(rows.astype(jnp.uint32)[:, None], shape)
    block = jnp.broadcast_to(jnp.arange(blocks, dtype=jnp.uint32), shape)
    # The function enciphers (first half, second half) of its counters as pairs.
    counters = jnp.concatenate([row.ravel(), block.ravel()])
    words = threefry_2x32(jax.random.key_data(key), counters).reshape(2, *shape)
    bits = jax.lax.bitcast_convert_type(words, jnp.uint16)  # (2, rows, blocks, 2)
    bits = jnp.moveaxis(bits, 0, 2).reshape(x.shape[0], 4 * blocks)[:, :width]
    threshold = jnp.clip(jnp.round(rate * LEVELS), 0, LEVELS - 1)
    keep = bits.astype(jnp.float32) >= threshold
    return jnp.where(keep, x * (LEVELS / (LEVELS - threshold)), 0.0)
