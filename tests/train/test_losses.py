"""Losses by hand."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from phasegrok.train.losses import column_losses, row_losses


def test_losses_by_hand() -> None:
    """MSE averages over the outputs too; cross-entropy is -log softmax."""
    outputs, labels = jnp.array([[0.0, 2.0, 1.0]]), jnp.array([2])
    np.testing.assert_allclose(row_losses("mse", outputs, labels), [(0 + 4 + 0) / 3])
    expected = np.log(np.exp([0, 2, 1]).sum()) - 1
    np.testing.assert_allclose(row_losses("cross_entropy", outputs, labels), [expected], rtol=1e-6)


def test_brier_by_hand() -> None:
    """Squared distance of the probabilities to the one-hot label, summed: in columns the same, and
    with a single output f the same as with outputs (0, f)."""
    p = np.exp([0.0, 2.0, 1.0]) / np.exp([0.0, 2.0, 1.0]).sum()
    expected = p[0] ** 2 + p[1] ** 2 + (1 - p[2]) ** 2
    outputs, label = jnp.array([[0.0, 2.0, 1.0]]), jnp.array([2])
    np.testing.assert_allclose(row_losses("brier", outputs, label), [expected], rtol=1e-5)
    found = column_losses("brier", outputs.T, outputs[:, 2])
    np.testing.assert_allclose(found, [expected], rtol=1e-5)
    for y in (0, 1):
        one, two = jnp.array([[0.7]]), jnp.array([[0.0, 0.7]])
        both = [row_losses("brier", f, jnp.array([y])) for f in (one, two)]
        np.testing.assert_allclose(both[0], both[1], rtol=1e-5)
