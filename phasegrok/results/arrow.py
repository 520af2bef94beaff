"""Frames as Arrow tables; read and written where JAX is not loaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa


def _kind(dtype: Any) -> pa.DataType:
    """The Arrow type of a column; of all kinds that are no numbers it is text."""
    if dtype.kind == "f":
        return pa.float32() if dtype == np.float32 else pa.float64()
    if dtype.kind == "b":
        return pa.bool_()
    return pa.int64() if dtype.kind in "iu" else pa.string()


def as_table(frame: pd.DataFrame) -> pa.Table:
    """Arrow table without an index and with NaN stored as null; one schema for every part."""
    arrays, fields = [], []
    for name, values in frame.items():
        kind = _kind(values.dtype)
        arrays.append(pa.Array.from_pandas(values, type=kind))
        fields.append(pa.field(name, kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
