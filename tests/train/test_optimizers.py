"""Optimizers with traced numbers, against their definitions."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from phasegrok.config import Adam, AdamW, Sgd
from phasegrok.train.optimizers import add_signs, noise_like, optimizer


def two_updates(config: Adam | AdamW | Sgd, **values: float) -> float:
    """A weight of 1 after two steps with gradients 0.5 and -0.2."""
    traced = {f"optimizer.{k}": jnp.float32(v) for k, v in values.items()}
    transform = optimizer(config, traced)
    w = jnp.float32(1)
    state = transform.init(w)
    with jax.numpy_dtype_promotion("standard"):
        for g in (0.5, -0.2):
            update, state = transform.update(jnp.float32(g), state, w)
            w = w + update
    return float(w)


def adam(l2: float, decoupled: float, towards: float = 0.0) -> float:
    w, m, v = 1.0, 0.0, 0.0
    for t, g in ((1, 0.5), (2, -0.2)):
        g += l2 * w
        m, v = 0.9 * m + 0.1 * g, 0.98 * v + 0.02 * g * g
        step = m / (1 - 0.9**t) / ((v / (1 - 0.98**t)) ** 0.5 + 1e-8)
        w -= 0.1 * (step + decoupled * (w - towards))
    return w


def test_weight_decay_is_decoupled_in_adamw_only() -> None:
    """AdamW shrinks weights by lr * wd beside Adam's step; Adam and SGD add wd * w to the
    gradient first. Decay towards the beginning acts on what a weight has moved. All against scalar
    recursions written out."""
    betas = {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-8}
    np.testing.assert_allclose(two_updates(AdamW(), **betas, weight_decay=3), adam(0, 3), rtol=1e-5)
    np.testing.assert_allclose(two_updates(Adam(), **betas, weight_decay=3), adam(3, 0), rtol=1e-5)
    to_start = two_updates(AdamW(decay_towards="init"), **betas, weight_decay=3)
    np.testing.assert_allclose(to_start, adam(0, 3, towards=1), rtol=1e-5)
    g1 = 0.5 + 0.3
    w1 = 1 - 0.1 * g1
    w2 = w1 - 0.1 * (0.9 * g1 - 0.2 + 0.3 * w1)
    found = two_updates(Sgd(), learning_rate=0.1, momentum=0.9, weight_decay=0.3, l1=0)
    np.testing.assert_allclose(found, w2, rtol=1e-5)


def test_l1_adds_the_weights_signs() -> None:
    """To the gradient, beside the decay; a weight at zero gets none."""
    w1 = 1 - 0.1 * (0.5 + 0.3 * 1 + 0.04)
    w2 = w1 - 0.1 * (-0.2 + 0.3 * w1 + 0.04)
    found = two_updates(Sgd(), learning_rate=0.1, momentum=0.0, weight_decay=0.3, l1=0.04)
    np.testing.assert_allclose(found, w2, rtol=1e-6)
    update, _ = add_signs(jnp.float32(2)).update(jnp.zeros(3), (), jnp.array([-1.0, 0.0, 5.0]))
    np.testing.assert_array_equal(update, [-2, 0, 2])


def test_gaussian_noise_is_normal_and_independent() -> None:
    """Standard deviation as asked for; leaves of one shape differ, and so do keys."""
    like = {"a": jnp.zeros(20_000), "b": jnp.zeros(20_000)}
    drawn = noise_like(jax.random.key(0), like, jnp.float32(0.3))
    np.testing.assert_allclose([float(x.std()) for x in drawn.values()], 0.3, rtol=0.03)
    correlation = np.corrcoef(drawn["a"], drawn["b"])[0, 1]
    assert abs(correlation) < 0.03
    other = noise_like(jax.random.key(1), like, jnp.float32(0.3))
    assert not np.array_equal(drawn["a"], other["a"])
