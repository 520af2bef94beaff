"""The result folder: parts that appear whole, one writer at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phasegrok.errors import Locked, Refusal
from phasegrok.results.folder import Folder, replacing
from phasegrok.results.tables import as_table


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    """A crash in the middle of writing: the old file is whole, and nothing new is visible."""
    path = tmp_path / "cells.parquet"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), replacing(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.glob("[!.]*")] == ["cells.parquet"]


def test_published_parts_are_done_and_read_back(tmp_path: Path) -> None:
    """Curves first, runs last: a folder with curves alone is not done. Plain pandas reads it."""
    folder = Folder(tmp_path)
    made = {
        name: as_table(pd.DataFrame({"run": ["a", "b"], "seed": [0, 1]}))
        for name in ("curves", "runs")
    }
    folder.publish("000-00000", {"curves": made["curves"]})
    assert folder.done() == set()
    folder.publish("000-00000", made)
    assert folder.done() == {"000-00000"}
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "runs"), made["runs"].to_pandas())


def test_saved_weights_open_with_plain_numpy(tmp_path: Path) -> None:
    """weights/RUN/STEP.npz, arrays by name, as saved."""
    weights = {"u": np.arange(6, dtype=np.float32).reshape(2, 3), "hidden.0": np.ones((3, 3), "f4")}
    Folder(tmp_path).save_weights("abc", 200, weights)
    with np.load(tmp_path / "weights" / "abc" / "200.npz") as file:
        assert file.files == list(weights)
        np.testing.assert_array_equal(file["u"], weights["u"])


def test_checkpoints_serve_their_own_chunk_only(tmp_path: Path) -> None:
    """The same header gets its arrays back; a chunk of other runs gets nothing."""
    folder = Folder(tmp_path)
    folder.save_checkpoint("p", {"runs": ["a"], "intervals": 3}, {"x": np.arange(3)})
    loaded = folder.load_checkpoint("p", {"runs": ["a"]})
    assert loaded is not None and loaded[0]["intervals"] == 3
    np.testing.assert_array_equal(loaded[1]["x"], np.arange(3))
    assert folder.load_checkpoint("p", {"runs": ["b"]}) is None


def test_the_second_holder_is_told_who_is_first(tmp_path: Path) -> None:
    """The lock names its holder and is free again afterwards."""
    with (
        Folder(tmp_path).lock("process 7 on here"),
        pytest.raises(Locked, match="process 7 on here"),
        Folder(tmp_path).lock("me"),
    ):
        pass
    with Folder(tmp_path).lock("me"):
        pass


def test_old_results_are_moved_never_deleted(tmp_path: Path) -> None:
    """Twice aside: .old-1 and .old-2, each with its contents."""
    for n in (1, 2):
        folder = Folder(tmp_path / "wd")
        folder.path.mkdir()
        folder.write_text("mark", str(n))
        assert folder.set_aside() == tmp_path / f"wd.old-{n}"
    assert (tmp_path / "wd.old-1" / "mark").read_text() == "1"
    with pytest.raises(Refusal, match="no results here"):
        folder.require_manifest()
