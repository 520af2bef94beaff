"""Pruning curves against networks that are really pruned."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok.config import Loss
from phasegrok.measure.base import Examples
from phasegrok.measure.pruning import curve, removal_order
from phasegrok.train.losses import column_losses

ROWS, NEURONS, CLASSES = 300, 9, 5  # more rows than one tile holds


def network(seed: int = 0) -> tuple[np.ndarray, np.ndarray, Examples]:
    """Activations, output weights, and examples of which some show a wrong label."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, CLASSES, ROWS)
    shown = np.where(np.arange(ROWS) < 80, rng.integers(0, CLASSES, ROWS), label)
    subsets = np.stack([np.arange(ROWS) < 150, np.arange(ROWS) >= 150], 1)
    row = np.arange(ROWS)
    examples = Examples(
        *(jnp.asarray(x, jnp.int32) for x in (row, row, label, shown)), jnp.asarray(subsets, "f4")
    )
    features = rng.normal(size=(ROWS, NEURONS)).astype("f4")
    return features, rng.normal(size=(NEURONS, CLASSES)).astype("f4"), examples


def pruned(
    loss: Loss, features: np.ndarray, readout: np.ndarray, removal: list[int], examples: Examples
) -> np.ndarray:
    found = curve(
        partial(column_losses, loss),
        lambda some: jnp.asarray(features)[some.inputs],
        jnp.asarray(readout),
        jnp.asarray(removal),
        examples,
    )
    return np.asarray(found)


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_a_curve_is_that_of_networks_with_neurons_cut(loss: Loss) -> None:
    """For every count: cut those neurons' output weights to zero, run the network, and score it by
    the definitions (losses in NumPy, right = strictly larger than every other output)."""
    features, readout, examples = network()
    removal = np.random.default_rng(1).permutation(NEURONS)
    found = pruned(loss, features, readout, removal.tolist(), examples)
    assert found.shape == (NEURONS + 1, 2, 3)
    label, shown = np.asarray(examples.label), np.asarray(examples.shown)
    for count in range(NEURONS + 1):
        cut = readout.astype(float).copy()
        cut[removal[:count]] = 0
        out = features.astype(float) @ cut
        if loss == "mse":
            each = np.mean((out - np.eye(CLASSES)[shown]) ** 2, axis=1)
        else:
            each = np.log(np.exp(out).sum(1)) - out[np.arange(ROWS), shown]
        others = [np.delete(out[i], [label[i]]).max() for i in range(ROWS)]
        others_shown = [np.delete(out[i], [shown[i]]).max() for i in range(ROWS)]
        at = out[np.arange(ROWS), label], out[np.arange(ROWS), shown]
        scores = np.stack([each, at[1] > others_shown, at[0] > others], 1)
        for subset in (0, 1):
            mine = np.asarray(examples.subsets)[:, subset] > 0
            np.testing.assert_allclose(found[count, subset], scores[mine].sum(0), rtol=1e-4)


def test_equal_outputs_are_right_about_nothing() -> None:
    """With all neurons gone, and in a network whose output weights are all the same, no example
    counts; one of ``CLASSES`` would under argmax."""
    features, readout, examples = network()
    assert not pruned("mse", features, readout, list(range(NEURONS)), examples)[-1, :, 1:].any()
    same = pruned("mse", features, np.ones_like(readout), list(range(NEURONS)), examples)
    assert not same[:, :, 1:].any()


def test_a_diverged_network_is_right_about_nothing() -> None:
    """Infinite activations: every count but the last is wrong, and the padding adds no NaN."""
    features, readout, examples = network()
    found = pruned("mse", features * np.inf, readout, list(range(NEURONS)), examples)
    assert not found[:, :, 1:].any()
    assert np.isfinite(found[-1]).all()


def test_orders() -> None:
    """Dead neurons go first from the lowest and last from the highest; equal IPRs keep their
    places; random orders differ by key and hold every neuron."""
    ipr = jnp.array([0.5, np.nan, 0.1, 0.9, 0.1])
    dead = jnp.isnan(ipr)
    key = jax.random.key(0)
    assert removal_order("lowest", ipr, dead, key).tolist() == [1, 2, 4, 0, 3]
    assert removal_order("highest", ipr, dead, key).tolist() == [3, 0, 2, 4, 1]
    wide = jnp.zeros(50)
    first, second = (
        removal_order("random", wide, wide > 0, jax.random.key(i)).tolist() for i in (0, 1)
    )
    assert first != second and sorted(first) == sorted(second) == list(range(50))
