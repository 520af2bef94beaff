"""Processes that share a folder's work: each piece is one process's, whatever happens to it."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from phasegrok.errors import Displaced, Locked
from phasegrok.files import members
from phasegrok.files.claim import EXPIRY, process
from phasegrok.files.lock import hold, hold_briefly
from phasegrok.files.members import Member, join, living, pieces, remove_all


@pytest.fixture(params=["links", "no links"])
def links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """File systems with hard links, and without (FAT, some network drives)."""

    def link(*args: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if request.param == "no links":
        monkeypatch.setattr(os, "link", link)


def leave(folder: Path, token: str, age: float = 0.0, **changed: object) -> Member:
    """A member that has ended without a word: of this machine, unless that is changed."""
    (folder / ".workers" / "pieces").mkdir(parents=True, exist_ok=True)
    member = Member(folder, token)
    claim = {"holder": f"process {token}", "token": token, **process(), **changed}
    member.path.write_text(json.dumps(claim))
    then = time.time() - age
    os.utime(member.path, (then, then))
    return member


@pytest.mark.usefixtures("links")
def test_a_piece_is_one_process_s(tmp_path: Path) -> None:
    with join(tmp_path, "first") as first, join(tmp_path, "second") as second:
        mine = first.claim("000-00001")
        assert mine is not None and second.claim("000-00001") is None
        assert first.claim("000-00001") == mine, "asked for twice, it is the same"
        mine.check()
        assert pieces(tmp_path)["000-00001"]["holder"] == "first"
        mine.release()
        lost: list[object] = []
        theirs = second.claim("000-00001", lost=lost.append)
        assert theirs is not None and not lost, "it was given back"
        with pytest.raises(Displaced, match="taken over by second"):
            mine.check()
        mine.release()
        theirs.check()
    assert not pieces(tmp_path) and not living(tmp_path)


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize("kind", ["ended", "stopped", "elsewhere", "removed"])
def test_a_stale_piece_is_taken_over(tmp_path: Path, kind: str) -> None:
    """Of a process that ended: at once. Of one that sleeps, or of another machine: once it is old.
    Who had it is told to the one who takes over, while the claim is still there for the next; not
    to write, to the one who wakes up."""

    def note(claim: Mapping[str, Any]) -> None:
        noted.append((claim["token"], pieces(tmp_path)["000-00000"]["token"]))

    noted: list[tuple[str, str]] = []
    changed: dict[str, object] = {"ended": {"start": "0"}, "elsewhere": {"boot": "there"}}.get(
        kind, {}
    )
    lost = leave(tmp_path, "lost", 0.0, **changed)
    piece = lost.claim("000-00000")
    assert piece is not None
    with join(tmp_path, "me") as me:
        if kind != "ended":
            assert me.claim("000-00000") is None, "it is fresh"
            then = time.time() - EXPIRY - 5
            os.utime(lost.path, (then, then))
        if kind == "removed":
            lost.path.unlink()
        assert me.claim("000-00000", lost=note) is not None and noted == [("lost", "lost")]
        with pytest.raises(Displaced, match="taken over by me"):
            piece.check()


def test_of_many_who_take_over_one_has_it(tmp_path: Path) -> None:
    """All find the same stale claim; the last to act must not take it from the first."""
    leave(tmp_path, "lost", start="0").claim("x")
    found = members.read_claim(tmp_path / ".workers" / "pieces" / "x")
    with join(tmp_path, "first") as first, join(tmp_path, "late") as late:
        mine = first.claim("x")
        assert mine is not None
        members.remove_stale(mine.path, found, late.token)  # what it found is there no more
        mine.check()
        assert late.claim("x") is None


def test_a_sleeper_s_heartbeat_keeps_all_of_its_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "HEARTBEAT", 0.01)
    with join(tmp_path, "me") as me, join(tmp_path, "other") as other:
        assert me.claim("a") and me.claim("b")
        then = time.time() - 1000
        os.utime(me.path, (then, then))
        deadline = time.monotonic() + 10
        while members.modified(me.path) < then + 500 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert other.claim("a") is None and other.claim("b") is None


def test_nobody_holds_a_folder_that_others_share(tmp_path: Path) -> None:
    """And those who share it wait for each other, not for one who has it for long."""
    with join(tmp_path, "process 7, shard 1/2"):
        with pytest.raises(Locked, match="in use by process 7, shard 1/2"), hold(tmp_path, "me"):
            pass
        with hold_briefly(tmp_path, "shard 2/2"):
            pass
    leave(tmp_path, "old", start="0")
    with (
        hold(tmp_path, "me"),
        pytest.raises(Locked, match="in use by me"),
        hold_briefly(tmp_path, "shard 2/2"),
    ):
        pass


def test_who_holds_a_folder_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    turns = iter(range(3))

    def turn() -> None:
        if next(turns, None) is None:
            raise Enough

    with (
        hold_briefly(tmp_path, "shard 1/2"),
        pytest.raises(Enough),
        hold_briefly(tmp_path, "shard 2/2", turn),
    ):
        pass


def test_one_that_was_thought_lost_stops(tmp_path: Path) -> None:
    """It slept, and another process took the folder for itself: it is no member any more."""
    with join(tmp_path, "sleeper") as sleeper:
        piece = sleeper.claim("x")
        assert piece is not None
        remove_all(tmp_path)
        with pytest.raises(Displaced, match="no longer claimed"):
            piece.check()
        with pytest.raises(Locked, match="slept for longer"):
            sleeper.claim("y")


def test_a_piece_is_taken_from_one_who_is_known_to_be_lost(tmp_path: Path) -> None:
    """A scheduler says so, and does not wait until its claim is old."""
    with join(tmp_path, "lost") as lost, join(tmp_path, "me") as me:
        theirs = lost.claim("x")
        assert theirs is not None and me.claim("x") is None
        assert me.claim("x", take_over=True) is not None
        with pytest.raises(Displaced):
            theirs.check()
