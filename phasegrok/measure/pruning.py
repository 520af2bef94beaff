"""Pruning neurons one at a time (Doshi et al., Figures 6, 17, 18 and 32).

A neuron adds the product of its activation and its output weights to the outputs, so removing one
takes a rank-one term off them. The curve is built from the other end, from no neuron to all: sums
begin at exact zeros instead of ending at rounding noise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from phasegrok.config import PruningOrder
from phasegrok.tasks.tiling import into_tiles, padded

# Rows worked on at a time on a CPU: 97 outputs of them (100 kB) stay in a second-level cache.
# Measured for one order of 500 neurons: 0.34 s with 256 rows, 0.39 with 128, 0.48 with 512.
TILE = 256


def removal_order(
    order: PruningOrder, ipr: jax.Array, dead: jax.Array, key: jax.Array
) -> jax.Array:
    """(neurons,) the neurons in the order in which they are removed.

    ``lowest`` and ``highest`` begin there; dead neurons, which have no IPR, count as below all
    others. ``random`` is a control: a permutation from ``key``.
    """
    if order == "random":
        return jax.random.permutation(key, ipr.shape[0])
    rank = jnp.where(dead, -1.0, ipr)
    return jnp.argsort(rank if order == "lowest" else -rank, stable=True)


class Examples(NamedTuple):
    """Examples that a pruned network is tried on, one a row."""

    row: jax.Array  # (rows,) int32, numbers in the table
    inputs: jax.Array  # (rows, ...)
    label: jax.Array  # (rows,) int32, the true label
    shown: jax.Array  # (rows,) int32, the label that the network was given
    parts: jax.Array  # (rows, parts) float32, 1 where a row belongs to a part


# Losses of rows that stand in columns: of (outputs, rows) and the output at each row's label.
ColumnLosses = Callable[[jax.Array, jax.Array], jax.Array]


def curve(
    loss: ColumnLosses,
    features: Callable[[Examples], jax.Array],
    readout: jax.Array,
    removal: jax.Array,
    examples: Examples,
) -> jax.Array:
    """Losses and right answers with 0, 1, ... all neurons removed.

    An answer is right if its output is larger than every other: a network whose outputs are all
    equal, as one without neurons, is right about nothing.

    Args:
        loss: of every row, see ``train.losses.column_losses``.
        features: (rows, neurons) activations of the pruned layer on some examples.
        readout: (neurons, outputs) the layer after it.
        removal: (neurons,) from :func:`removal_order`.
        examples: all of them.

    Returns:
        (neurons + 1, parts, 3): sums over each part's rows of the loss against ``shown``, of
        being right about ``shown``, and of being right about ``label``.
    """
    neurons, outputs = readout.shape
    rows = examples.row.shape[0]
    tile_rows = TILE if jax.default_backend() == "cpu" else rows
    tiles = -(-rows // tile_rows)
    last_removed_first = removal[::-1]
    weights = readout[last_removed_first]

    def add_tile(sums: jax.Array, tile: Examples) -> tuple[jax.Array, None]:
        label, shown = tile.label, tile.shown
        output = jnp.arange(outputs, dtype=label.dtype)[:, None]
        # Both labels are left out of the maximum that they have to beat.
        handicap = jnp.where((output == label) | (output == shown), -jnp.inf, 0.0)
        scores = partial(_scores, loss, handicap, label == shown, tile.parts)

        def add_neuron(
            carry: tuple[jax.Array, jax.Array, jax.Array], neuron: tuple[jax.Array, jax.Array]
        ) -> tuple[tuple[jax.Array, jax.Array, jax.Array], jax.Array]:
            activation, weight = neuron
            out, at_label, at_shown = carry
            carry = (
                out + weight[:, None] * activation[None, :],
                at_label + weight[label] * activation,
                at_shown + weight[shown] * activation,
            )
            return carry, scores(*carry)

        nothing = (jnp.zeros((outputs, tile_rows)), jnp.zeros(tile_rows), jnp.zeros(tile_rows))
        empty = scores(*nothing)
        hidden = features(tile).T[last_removed_first]
        _, grown = jax.lax.scan(add_neuron, nothing, (hidden, weights))
        return sums + jnp.concatenate([empty[None], grown]), None

    zeros = jnp.zeros((neurons + 1, examples.parts.shape[1], 3))
    everything = jax.tree.map(lambda x: padded(x, tiles * tile_rows), examples)
    sums, _ = jax.lax.scan(add_tile, zeros, into_tiles(everything, tiles))
    return sums[::-1]


def _scores(
    loss: ColumnLosses,
    handicap: jax.Array,
    same: jax.Array,
    part: jax.Array,
    out: jax.Array,
    at_label: jax.Array,
    at_shown: jax.Array,
) -> jax.Array:
    """(parts, 3) sums over one tile's rows; ``out`` is (outputs, rows)."""
    others = jnp.max(out + handicap, axis=0)
    right_shown = (at_shown > others) & (same | (at_shown > at_label))
    right_label = (at_label > others) & (same | (at_label > at_shown))
    columns = [
        loss(out, at_shown),
        right_shown.astype(jnp.float32),
        right_label.astype(jnp.float32),
    ]
    # Where, not a product: padding rows of a diverged network would give 0 * inf = NaN.
    return jnp.sum(jnp.where(part.T[:, None] > 0, jnp.stack(columns)[None], 0.0), axis=-1)
