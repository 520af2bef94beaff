"""Threefry-2x32 in operations that a Pallas kernel has."""

from __future__ import annotations

from typing import Final

import jax
import jax.numpy as jnp

ROTATIONS: Final = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY: Final = 0x1BD11BDA  # of the key schedule (Salmon et al., 2011)


def threefry(
    key: tuple[jax.Array, jax.Array], first: jax.Array, second: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The two words that ``jax.extend.random.threefry_2x32`` gives for pairs of counters.

    Args:
        key: two uint32 scalars.
        first, second: uint32 arrays of one shape.

    Returns:
        Two uint32 arrays of that shape.
    """
    keys = (*key, key[0] ^ key[1] ^ jnp.uint32(PARITY))
    first, second = first + keys[0], second + keys[1]
    for group in range(5):
        for rotation in ROTATIONS[group % 2]:
            first = first + second
            second = (second << jnp.uint32(rotation)) | (second >> jnp.uint32(32 - rotation))
            second = first ^ second
        first = first + keys[(group + 1) % 3]
        second = second + keys[(group + 2) % 3] + jnp.uint32(group + 1)
    return first, second
