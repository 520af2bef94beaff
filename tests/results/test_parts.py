"""Parts of tables: what they hold, and how small they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from phasegrok.results.parts import merge_parts, read_part, write_part


def test_floats_that_seldom_repeat_lie_byte_by_byte(tmp_path: Path) -> None:
    """Numbers that training computes in float32; not accuracies, of which there are few."""
    draw = np.random.default_rng(0)
    loss = draw.lognormal(size=20_000).astype(np.float32).astype(np.float64)
    accuracy = draw.integers(0, 100, loss.size) / 100
    table = pa.table({"run": np.arange(loss.size), "loss": loss, "accuracy": accuracy})
    write_part(tmp_path / "part.parquet", table)
    merge_parts([tmp_path / "part.parquet"] * 2, tmp_path / "both.parquet")
    for name, times in (("part", 1), ("both", 2)):
        path = tmp_path / f"{name}.parquet"
        group = pq.read_metadata(path).row_group(0)
        found = {(c := group.column(i)).path_in_schema: c for i in range(group.num_columns)}
        assert "BYTE_STREAM_SPLIT" in found["loss"].encodings
        assert found["loss"].total_compressed_size < 0.5 * loss.nbytes * times
        assert "RLE_DICTIONARY" in found["accuracy"].encodings
        assert read_part(path).equals(pa.concat_tables([table] * times))


def test_parts_without_rows_are_merged(tmp_path: Path) -> None:
    empty = pa.table({"run": pa.array([], pa.string()), "loss": pa.array([], pa.float64())})
    write_part(tmp_path / "part.parquet", empty)
    merge_parts([tmp_path / "part.parquet"] * 2, tmp_path / "both.parquet")
    assert read_part(tmp_path / "both.parquet").equals(empty)
