"""Table ``pruning``: neurons removed one at a time (Doshi et al., Figures 6, 17, 18 and 32).

A neuron adds the product of its activation and its output weights to the outputs, so removing one
takes a rank-one term off them. The curve is built from the other end, from no neuron to all: sums
begin at exact zeros instead of ending at rounding noise.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from phasegrok.config import PruningOrder
from phasegrok.measure import spectrum
from phasegrok.measure.accuracies import ACCURACIES, COUNTED, exact_accuracies
from phasegrok.measure.base import ColumnLosses, Examples, Groups, Keys, Measurement, Snapshot
from phasegrok.tasks.tiling import into_tiles, padded

# Rows worked on at a time on a CPU: 97 outputs of them (100 kB) stay in a second-level cache.
# Measured for one order of 500 neurons: 0.34 s with 256 rows, 0.39 with 128, 0.48 with 512.
TILE = 256

COLUMNS = (
    "test_accuracy",
    "train_accuracy",
    "corrupted_accuracy",
    "restored_accuracy",
    "clean_accuracy",
    "true_accuracy",
    "train_loss",
    "test_loss",
)


class Pruning(Measurement):
    """Accuracies and losses of the network with 0, 1, ... all neurons removed."""

    table = "pruning"
    key = "pruning"

    def compute(self, network: Snapshot) -> Groups:
        """(neurons + 1,) a column, counted in neurons removed, by order.

        The neurons are those of the last hidden layer, whose removal is a rank-one change.
        """
        examples, run = network.examples, network.run
        counts = jnp.sum(examples.subsets, axis=0)
        *_, last = network.layers().values()
        basis = spectrum.task_basis(network.task)
        assert basis is not None, "sweeps are checked: spectra are of tokens"
        ipr, dead = spectrum.neuron_ipr(last, basis, network.measure.ipr_order)
        groups: Groups = {}
        for order in network.measure.pruning:
            sums = curve(
                network.column_losses,
                lambda some: network.penultimate(some.inputs, some.row),
                network.model.output_weights(network.params),
                removal_order(order, ipr, dead, network.key),
                examples,
            )
            # What the shares are of; no columns.
            counted = {"n_train": run.n_train, "n_corrupted": run.n_corrupted}
            groups[order] = _means(sums, counts) | counted
        return groups

    def columns(self, arrays: Collection[str], inputs: Sequence[str]) -> list[str]:
        """The same for every model."""
        return ["order", "pruned", *COLUMNS]

    def rows(self, keys: Keys, group: str, arrays: Mapping[str, np.ndarray]) -> pd.DataFrame:
        """A row a count of neurons removed; accuracies are exact."""
        frame, (pruned,) = keys.spread(arrays["test_loss"].shape[1])
        frame["order"], frame["pruned"] = group, pruned
        counted = {name: arrays[name][:, None] for name in COUNTED}
        exact = exact_accuracies({**arrays, **counted}, keys.size)
        for name in COLUMNS:
            kind = np.float64 if name in ACCURACIES else np.float32
            frame[name] = exact[name].astype(kind).reshape(-1)
        return frame


def _means(sums: jax.Array, counts: jax.Array) -> dict[str, jax.Array]:
    """Columns from :func:`curve`, whose subsets are train, test, corrupted and clean."""
    train, test, corrupted, clean = (sums[:, i] / counts[i] for i in range(4))
    return {
        "train_loss": train[:, LOSS],
        "test_loss": test[:, LOSS],
        "train_accuracy": train[:, RIGHT_SHOWN],
        "test_accuracy": test[:, RIGHT_LABEL],
        "corrupted_accuracy": corrupted[:, RIGHT_SHOWN],
        "restored_accuracy": corrupted[:, RIGHT_LABEL],
        "clean_accuracy": clean[:, RIGHT_LABEL],
        "true_accuracy": (sums[:, 0, RIGHT_LABEL] + sums[:, 1, RIGHT_LABEL])
        / (counts[0] + counts[1]),
    }


def removal_order(
    order: PruningOrder, ipr: jax.Array, dead: jax.Array, key: jax.Array
) -> jax.Array:
    """(neurons,) the neurons in the order in which they are removed.

    ``lowest`` and ``highest`` say where they begin. Dead neurons have no IPR and count as below
    all others. ``random`` is a control: a permutation from ``key``.
    """
    if order == "random":
        return jax.random.permutation(key, ipr.shape[0])
    rank = jnp.where(dead, -1.0, ipr)
    return jnp.argsort(rank if order == "lowest" else -rank, stable=True)


LOSS, RIGHT_SHOWN, RIGHT_LABEL = range(3)  # what a curve sums
Sums = tuple[jax.Array, jax.Array, jax.Array]  # outputs, and those at both labels


class Grading(NamedTuple):
    """How the outputs on one tile's rows are scored."""

    loss: ColumnLosses
    handicap: jax.Array  # (outputs, rows) -inf at both labels: no label is its own rival
    same: jax.Array  # (rows,) whether both labels are one
    subsets: jax.Array  # (rows, subsets)

    @classmethod
    def of(cls, loss: ColumnLosses, tile: Examples, outputs: int) -> Grading:
        """The grading of one tile's rows."""
        output = jnp.arange(outputs, dtype=tile.label.dtype)[:, None]
        own = (output == tile.label) | (output == tile.shown)
        handicap = jnp.where(own, -jnp.inf, 0.0)
        return cls(loss, handicap, tile.label == tile.shown, tile.subsets)

    def scores(self, out: jax.Array, at_label: jax.Array, at_shown: jax.Array) -> jax.Array:
        """(subsets, 3) sums over the rows; ``out`` is (outputs, rows)."""
        others = jnp.max(out + self.handicap, axis=0)
        right_shown = (at_shown > others) & (self.same | (at_shown > at_label))
        right_label = (at_label > others) & (self.same | (at_label > at_shown))
        columns = [
            self.loss(out, at_shown),
            right_shown.astype(jnp.float32),
            right_label.astype(jnp.float32),
        ]
        # Where, not a product: padding rows of a diverged network would give 0 * inf = NaN.
        belongs = self.subsets.T[:, None] > 0
        return jnp.sum(jnp.where(belongs, jnp.stack(columns)[None], 0.0), axis=-1)


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
        loss: of every row, where outputs stand in columns.
        features: (rows, neurons) activations of the pruned layer on some examples.
        readout: (neurons, outputs) the layer after it.
        removal: (neurons,) from :func:`removal_order`.
        examples: all of them.

    Returns:
        (neurons + 1, subsets, 3): sums over each subset's rows of the loss against ``shown``, of
        being right about ``shown``, and of being right about ``label``.
    """
    rows, neurons = examples.row.shape[0], readout.shape[0]
    tile_rows = TILE if jax.default_backend() == "cpu" else rows
    tiles = -(-rows // tile_rows)
    last_removed_first = removal[::-1]
    weights = readout[last_removed_first]

    def add_tile(sums: jax.Array, tile: Examples) -> tuple[jax.Array, None]:
        grading = Grading.of(loss, tile, readout.shape[1])
        hidden = features(tile).T[last_removed_first]
        return sums + _tile_curve(grading, tile, hidden, weights), None

    zeros = jnp.zeros((neurons + 1, examples.subsets.shape[1], 3))
    everything = jax.tree.map(lambda x: padded(x, tiles * tile_rows), examples)
    sums, _ = jax.lax.scan(add_tile, zeros, into_tiles(everything, tiles))
    return sums[::-1]


def _tile_curve(
    grading: Grading, tile: Examples, hidden: jax.Array, weights: jax.Array
) -> jax.Array:
    """(neurons + 1, subsets, 3) sums over one tile's rows with 0, 1, ... all neurons there.

    Args:
        grading: of these rows.
        tile: the rows.
        hidden: (neurons, rows) activations, in the order in which neurons are added.
        weights: (neurons, outputs) in the same order.
    """
    label, shown = tile.label, tile.shown
    rows, outputs = label.shape[0], weights.shape[1]

    def add_neuron(carry: Sums, neuron: tuple[jax.Array, jax.Array]) -> tuple[Sums, jax.Array]:
        activation, weight = neuron
        out, at_label, at_shown = carry
        carry = (
            out + weight[:, None] * activation[None, :],
            at_label + weight[label] * activation,
            at_shown + weight[shown] * activation,
        )
        return carry, grading.scores(*carry)

    nothing = (jnp.zeros((outputs, rows)), jnp.zeros(rows), jnp.zeros(rows))
    empty = grading.scores(*nothing)
    _, grown = jax.lax.scan(add_neuron, nothing, (hidden, weights))
    return jnp.concatenate([empty[None], grown])
