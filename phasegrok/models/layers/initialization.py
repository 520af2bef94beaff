"""Draws of initial weights."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def gaussian(key: jax.Array, deviation: float, shape: tuple[int, ...]) -> jax.Array:
    """Weights N(0, deviation^2)."""
    return deviation * jax.random.normal(key, shape, jnp.float32)


def uniform(key: jax.Array, fan_in: int, shape: tuple[int, ...]) -> jax.Array:
    """Weights U(-1, 1) / sqrt(fan_in)."""
    bound = fan_in**-0.5
    return jax.random.uniform(key, shape, jnp.float32, -bound, bound)
