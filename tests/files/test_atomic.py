"""Files appear whole or not at all, whoever writes beside."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from phasegrok.files.atomic import TEMPORARY, replacing


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    """A crash in the middle of writing: the old file is whole, and nothing new is visible."""
    path = tmp_path / "cells.parquet"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), replacing(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["cells.parquet"], "no temporary is left"


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    """Both are in the middle of one file at the same moment: the last one's is whole."""
    path, meet = tmp_path / "file", threading.Barrier(2)

    def write(letter: bytes) -> None:
        with replacing(path) as file:
            file.write(letter * 10)
            meet.wait(10)
            assert len(list(tmp_path.glob(TEMPORARY))) == 2
            meet.wait(10)

    writers = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b")]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert path.read_bytes() in (b"a" * 10, b"b" * 10)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
