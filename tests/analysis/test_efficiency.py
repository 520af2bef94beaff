"""Norms at a common logit, crossings and ascents by hand."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from phasegrok import models
from phasegrok.analysis.efficiency import ascent, norm_at_logit, reaches, share_below
from phasegrok.config import Mlp, Modular
from phasegrok.models.base import Pass
from phasegrok.train.losses import correct_logits


def test_norm_at_logit_is_what_scaling_the_weights_does() -> None:
    """The study's MLP with all weights times c has its norm times c and, its four layers being
    homogeneous, its correct logit times c^4. So its norm at the first network's logit is that
    network's norm."""
    config = Mlp(embedding=6, width=8, depth=3, activation="relu", initialization="kaiming")
    model = models.build(config, Modular(modulus=5))
    params, state = model.init(jax.random.key(3), jnp.ones(()))
    inputs = jnp.array([[0, 1], [2, 3], [4, 4]])
    labels = jnp.array([1, 0, 3])

    def norm_and_logit(c: float) -> tuple[float, float]:
        scaled = jax.tree.map(lambda w: c * w, params)
        outputs, _ = model.apply(scaled, state, Pass(inputs, jnp.arange(3)))
        norm = jnp.sqrt(sum(jnp.sum(w**2) for w in jax.tree.leaves(scaled)))
        return float(norm), float(jnp.mean(jnp.abs(correct_logits(outputs, labels))))

    norm, logit = norm_and_logit(1.0)
    other, larger = norm_and_logit(1.3)
    assert larger > 2 * logit
    np.testing.assert_allclose(norm_at_logit(other, larger, logit, 4), norm, rtol=1e-5)


def test_norm_at_logit_by_hand() -> None:
    """16 times the logit is twice the norm of four layers; a negative logit has no scale."""
    np.testing.assert_allclose(norm_at_logit([3.0, 3.0], [1.0, 16.0], 16.0, 4), [6.0, 3.0])
    assert np.isnan(norm_at_logit(3.0, -1.0, 16.0, 4))


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1.0, 3.0, 5.0], 1.5), ([2.0, 1.0, 0.0], 1.0), ([0.0, 1.0, 1.5], np.nan)],
)
def test_reaches(values: list[float], expected: float) -> None:
    """Half way between the first two; at once; never."""
    np.testing.assert_equal(reaches([1.0, 2.0, 3.0], values, 2.0), expected)


def test_ascent_begins_where_the_plateau_is_left_for_good() -> None:
    """From step 30, the last at 0.5 or below before 0.9 is reached at 50; the fall at 60 is later.
    The rows' order is of no account."""
    curve = pd.DataFrame(
        {
            "step": [0, 10, 20, 30, 40, 50, 60],
            "test_accuracy": [0.0, 0.6, 0.6, 0.5, 0.7, 0.95, 0.1],
        }
    )
    assert ascent(curve.sample(frac=1, random_state=0), 0.5, 0.9) == 20
    assert np.isnan(ascent(curve, 0.5, 0.96))
    assert ascent(curve, -1.0, 0.9) == 50


def test_share_below_counts_what_is_lost_again() -> None:
    """Of the four points from the first at 0.9 on, one is below; a run that never gets there has no
    share."""
    curves = pd.DataFrame(
        {
            "run": ["a"] * 6 + ["b"] * 2,
            "step": [0, 1, 2, 3, 4, 5, 0, 1],
            "train_accuracy": [0.0, 0.5, 0.9, 1.0, 0.4, 1.0, 0.0, 0.5],
        }
    )
    found = share_below(curves, "train_accuracy", 0.9)
    assert found["a"] == 0.25 and np.isnan(found["b"])
