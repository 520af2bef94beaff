"""Rows in equal tiles, so that what is computed on them stays in a cache."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp


def padded(x: jax.Array, rows: int) -> jax.Array:
    """``x`` cut or filled with zeros to ``rows`` rows."""
    x = x[:rows]
    return jnp.pad(x, [(0, rows - x.shape[0])] + [(0, 0)] * (x.ndim - 1))


def into_tiles(batch: Any, tiles: int) -> Any:
    """Split the leading axis of every leaf into ``tiles`` equal parts."""
    return jax.tree.map(lambda x: x.reshape(tiles, x.shape[0] // tiles, *x.shape[1:]), batch)
