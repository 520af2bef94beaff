"""Arrays as one compressed text in a page.

Every array is laid out so that it compresses well, all are deflated together and written in base64.
The page takes them apart again (``page/data.js``).
"""

from __future__ import annotations

import base64
import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["MISSING", "Blob", "exact", "quantized"]

MISSING: Final = 255  # a quantized value that is not there
LEVELS: Final = 254  # of quantized values: more than a plot of 200 pixels can show
LEVEL: Final = 6  # of zlib: the highest takes four times as long for 2 %

KINDS: Final = {"f8": "<f8", "f4": "<f4", "u4": "<u4", "u2": "<u2", "u1": "<u1"}


class Blob:
    """Named arrays, and their place in the text."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self.arrays: dict[str, list[Any]] = {}

    def add(self, name: str, values: NDArray[Any], delta: bool = False) -> None:
        """Add an array.

        Args:
            name: by which the page asks for it.
            values: of a kind in :data:`KINDS`; several dimensions are laid out one after the other.
            delta: of uint8 alone: every value is written as what it is above the one before it in
                its last dimension, modulo 256.
        """
        kind = next(key for key, kind in KINDS.items() if values.dtype == np.dtype(kind))
        flat = np.ascontiguousarray(values)
        if delta:
            flat = np.diff(flat, axis=-1, prepend=np.zeros_like(flat[..., :1]))
        # Bytes of equal weight beside each other: exponents are alike where mantissas are not.
        plain = flat.reshape(-1).view(np.uint8).reshape(-1, flat.dtype.itemsize).T.tobytes()
        self.arrays[name] = [kind, self._size, values.size, int(delta) * values.shape[-1]]
        self._parts.append(plain)
        self._size += len(plain)

    def merge(self, other: Blob) -> None:
        """Add all arrays of another one."""
        for name, (kind, offset, *rest) in other.arrays.items():
            self.arrays[name] = [kind, self._size + offset, *rest]
        self._parts += other._parts
        self._size += other._size

    def text(self) -> str:
        """All arrays, raw deflate, in base64."""
        deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = b"".join([*map(deflate.compress, self._parts), deflate.flush()])
        return base64.b64encode(packed).decode("ascii")


def exact(values: NDArray[np.float64]) -> NDArray[Any]:
    """The same numbers in the smallest floats that hold all of them; NaN stays NaN."""
    with np.errstate(over="ignore"):
        small = values.astype("<f4")
    same = np.array_equal(small.astype(np.float64), values, equal_nan=True)
    return small if same else values.astype("<f8")


def quantized(
    values: NDArray[np.float64], low: NDArray[np.float64] | float, high: NDArray[np.float64] | float
) -> NDArray[np.uint8]:
    """Numbers as 0 .. :data:`LEVELS` between two bounds; what is not finite is :data:`MISSING`.

    Args:
        values: any shape.
        low, high: bounds, which broadcast against ``values``.
    """
    width = np.asarray(high - low, np.float64)
    share = (values - low) / np.where(width > 0, width, 1.0)
    known = np.isfinite(share)
    levels = np.rint(np.clip(np.where(known, share, 0.0), 0.0, 1.0) * LEVELS)
    return np.where(known, levels, MISSING).astype(np.uint8)
