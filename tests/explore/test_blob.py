"""Arrays survive the way into a page, as far as they promise to."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phasegrok.explore.blob import LEVELS, MISSING, Blob, exact, quantized


def unpacked(blob: Blob, name: str) -> np.ndarray:
    """What page/data.js does."""
    plain = zlib.decompress(base64.b64decode(blob.text()), -zlib.MAX_WBITS)
    kind, offset, count, row = blob.arrays[name]
    size = np.dtype(kind).itemsize
    part = np.frombuffer(plain, np.uint8)[offset : offset + count * size]
    values = np.ascontiguousarray(part.reshape(size, count).T).view(f"<{kind}").reshape(-1)
    return np.cumsum(values.reshape(-1, row), axis=1, dtype=np.uint8).ravel() if row else values


@settings(derandomize=True, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 9))), st.booleans())
def test_arrays_come_out_again(levels: np.ndarray, delta: bool) -> None:
    """One after the other, whatever their kinds."""
    blob, other = Blob(), Blob()
    numbers = levels.astype("<f8") / 3
    blob.add("numbers", numbers)
    other.add("levels", levels, delta=delta)
    other.add("small", levels.astype("<u2"))
    blob.merge(other)
    assert np.array_equal(unpacked(blob, "numbers"), numbers.ravel())
    assert np.array_equal(unpacked(blob, "levels"), levels.ravel())
    assert np.array_equal(unpacked(blob, "small"), levels.ravel())


@settings(derandomize=True, deadline=None)
@given(arrays(np.float64, st.integers(0, 20), elements=st.floats(allow_nan=True)))
def test_exact_numbers_are_the_same_numbers(values: np.ndarray) -> None:
    packed = exact(values)
    assert np.array_equal(packed.astype(np.float64), values, equal_nan=True)


def test_exact_takes_half_the_bytes_where_it_can() -> None:
    assert exact(np.array([0.5, np.nan, np.float32(0.1)])).dtype == np.float32
    assert exact(np.array([0.5, 0.1])).dtype == np.float64


@settings(derandomize=True, deadline=None)
@given(
    arrays(np.float64, 12, elements=st.floats(-1e6, 1e6)),
    st.floats(-1e3, 1e3),
    st.floats(1e-3, 1e3),
)
def test_quantized_values_are_off_by_half_a_level(
    values: np.ndarray, low: float, width: float
) -> None:
    values = np.clip(values, low, low + width)
    levels = quantized(values, low, low + width)
    back = low + width * levels / LEVELS
    assert np.abs(back - values).max() <= width / LEVELS * 0.5000001
    assert MISSING not in levels


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_missing(value: float) -> None:
    assert quantized(np.array([value, 0.5]), 0.0, 1.0).tolist() == [MISSING, 127]
    assert quantized(np.array([1.0]), 1.0, 1.0).tolist() == [0], "a curve that never changes"
