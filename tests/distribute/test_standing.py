"""How far a sweep is, by its files: what is done, who works on it, who was lost."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from phasegrok import running
from phasegrok.cli.status import status_text
from phasegrok.distribute.losses import note_death
from phasegrok.distribute.standing import standing
from phasegrok.errors import Damaged, Refusal
from phasegrok.files.claim import EXPIRY, process
from phasegrok.files.members import Member, join
from phasegrok.results.compact import compact
from phasegrok.results.folder import Folder
from phasegrok.results.sessions import read_sessions, write_session
from phasegrok.running import chunk
from phasegrok.sweep.load import load
from tests.distribute.children import SWEEP
from tests.running.null import null
from tests.running.watching import Watch


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Seven chunks of 52 runs, two of which are not there."""
    monkeypatch.setattr(chunk, "compiled", null)
    (tmp_path / "sweep.yaml").write_text(SWEEP.replace("[0.3, 0.5, 0.7, 0.9]", "[0.5]"))
    sweep, out = load(tmp_path / "sweep.yaml"), tmp_path / "out"
    running.run(running.prepare(sweep, out, False, lambda line: None), Watch())
    for name in ("000-00003", "000-00005"):
        (out / "runs" / f"{name}.parquet").unlink()
    return Folder(out)


def test_what_is_done_is_counted_by_names(folder: Folder) -> None:
    """Also where parts were merged, whose names the manifest does not know."""
    found = standing(folder)
    assert (found.done, found.asked, found.parts) == (36, 52, 5)
    assert found.rate == 0 and found.left is None and found.workers == []
    size = sum(path.stat().st_size for path in folder.path.rglob("*") if path.is_file())
    assert found.size == size and found.free > 0
    compact(folder)
    assert (standing(folder).done, standing(folder).parts) == (36, 3)
    assert "36/52 runs are done" in status_text(folder)
    assert "nobody works on it" in status_text(folder)


def test_who_works_on_it_and_who_was_lost(folder: Folder) -> None:
    with join(folder.path, f"shard 1/2, process {os.getpid()} on here since now") as member:
        member.claim("000-00003")
        lost = Member(folder.path, "lost")
        holder = {"holder": "shard 2/2, process 7 on there since then", "token": "lost"}
        lost.path.write_text(json.dumps(holder | process() | {"boot": "there"}))
        lost.claim("000-00005")
        then = time.time() - EXPIRY - 100
        os.utime(lost.path, (then, then))
        session = {"started": "2026", "host": "here", "pid": os.getpid(), "share": "1/2"}
        write_session(folder.path, "x", session | {"seconds": 4.0, "runs": 8, "over": False})
        found = standing(folder)
        living, stale = found.workers
        assert living.lives and living.chunk == "000-00003" and living.rate == 2.0
        assert not stale.lives and stale.chunk == "000-00005" and stale.silent > EXPIRY
        assert found.rate == 2.0 and found.left == 8.0
        said = status_text(folder)
        assert "1 process: 120.0 runs/min, ETA 8 s" in said
        assert "  stale: shard 2/2, process 7 on there" in said and "chunk 000-00005" in said


def test_chunks_that_are_skipped_are_named(folder: Folder) -> None:
    for i in range(3):
        for _ in range(2):  # by two who find the same claim
            note_death(folder, "000-00003", {"token": f"{i}", "holder": f"process {i}"})
    assert standing(folder).failed == {"000-00003": ["process 0", "process 1", "process 2"]}
    assert "failed: chunk 000-00003, at which 3 processes died" in status_text(folder)
    folder.checkpoint_path("000-00003").touch()
    assert standing(folder).failed == {}, "it came further since"


def test_a_session_that_cannot_be_read_is_left_out(folder: Folder) -> None:
    before = read_sessions(folder.path)
    assert len(before) == 1 and before[0].runs == 52 and before[0].over
    (folder.path / "sessions" / "bad.json").write_text("{")
    (folder.path / "sessions" / "odd.json").write_text('{"seconds": "long"}')
    assert read_sessions(folder.path) == before


def test_what_cannot_be_said_is_refused(tmp_path: Path, folder: Folder) -> None:
    with pytest.raises(Refusal, match="no results here"):
        standing(Folder(tmp_path / "nowhere"))
    (folder.path / "runs" / "merged.parquet").write_text("no table")
    with pytest.raises(Damaged, match=r"merged\.parquet"):
        standing(folder)
