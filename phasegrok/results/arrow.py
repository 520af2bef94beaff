"""Frames as Arrow tables; read and written where JAX is not loaded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa


def as_table(frame: pd.DataFrame) -> pa.Table:
    """Arrow table without an index and with NaN stored as null; one schema for every part."""
    arrays, fields = [], []
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_float_dtype(values):
            kind = pa.float32() if values.dtype == np.float32 else pa.float64()
        elif pd.api.types.is_bool_dtype(values):
            kind = pa.bool_()
        elif pd.api.types.is_integer_dtype(values):
            kind = pa.int64()
        else:
            kind = pa.string()
        arrays.append(pa.Array.from_pandas(values, type=kind))
        fields.append(pa.field(name, kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
