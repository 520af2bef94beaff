"""One holder at a time, whatever the file system has to offer."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phasegrok.errors import Locked
from phasegrok.files import lock
from phasegrok.files.claim import CLAIM, EXPIRY, process
from phasegrok.files.lock import hold

pytest.importorskip("fcntl")


def refusing(number: int) -> Callable[..., None]:
    def call(*args: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


@pytest.fixture(params=["flock", "ENOSYS", "ENOLCK", "EOPNOTSUPP", "no fcntl"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """File systems with and without flock."""
    if request.param == "no fcntl":
        monkeypatch.setattr(lock, "fcntl", None)
    elif request.param != "flock":
        number = getattr(errno, request.param)
        monkeypatch.setattr(lock.fcntl, "flock", refusing(number))
    return str(request.param)


def leave_claim(path: Path, **changed: Any) -> None:
    """A claim of a process that has ended without a word."""
    claim = {"holder": "process 7 on there", "token": "x", **process(), **changed}
    (path / CLAIM).write_text(json.dumps(claim))


def aged(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path / CLAIM, (then, then))


def test_the_second_holder_is_told_who_is_first(tmp_path: Path, system: str) -> None:
    """And the folder is free afterwards, with nothing left but the lock's own file."""
    with (
        hold(tmp_path, "process 7 on here"),
        pytest.raises(Locked, match="in use by process 7 on here"),
        hold(tmp_path, "me"),
    ):
        pass
    with hold(tmp_path, "me") as mine:
        mine.check()
    assert {path.name for path in tmp_path.iterdir()} <= {".lock"}


def test_a_process_that_was_killed_holds_nothing(tmp_path: Path, system: str) -> None:
    """At once, not after the time in which a claim of another machine grows old."""
    program = "import sys, time; from pathlib import Path; from phasegrok.files.lock import hold\n"
    program += "with hold(Path(sys.argv[1]), 'it'):\n print('held', flush=True); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    assert process.stdout is not None and process.stdout.readline() == b"held\n"
    with pytest.raises(Locked, match="in use by it"), hold(tmp_path, "me"):
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    assert (tmp_path / CLAIM).exists()
    with hold(tmp_path, "me") as mine:
        mine.check()


def test_a_number_that_is_used_again_is_another_process(tmp_path: Path, system: str) -> None:
    """This very process has the number, and began at another time."""
    leave_claim(tmp_path, start="0")
    with hold(tmp_path, "me"):
        pass


def test_another_machine_holds_as_long_as_it_beats(tmp_path: Path, system: str) -> None:
    """Flock may be local to a node, so it says nothing of others. A claim in a container is judged
    in the same way: there its number means another process."""
    for other in ({"boot": "there"}, {"space": "pid:[1]"} if system != "flock" else {"boot": "b"}):
        leave_claim(tmp_path, **other)
        aged(tmp_path, EXPIRY / 2)
        with pytest.raises(Locked, match="process 7 on there"), hold(tmp_path, "me"):
            pass
        aged(tmp_path, EXPIRY + 5)
        with hold(tmp_path, "me") as mine:
            mine.check()


def test_a_holder_that_slept_too_long_notices(tmp_path: Path, system: str) -> None:
    """It was stopped, and another machine took over: it must not write any more, nor take the
    other's claim away when it ends."""
    with hold(tmp_path, "sleeper") as sleeper:
        leave_claim(tmp_path, boot="there", holder="process 8 on there")
        with pytest.raises(Locked, match="taken over by process 8 on there"):
            sleeper.check()
    assert (tmp_path / CLAIM).exists()


def test_a_claim_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "HEARTBEAT", 0.01)
    with hold(tmp_path, "me"):
        aged(tmp_path, 1000)
        for _ in range(200):
            if time.time() - (tmp_path / CLAIM).stat().st_mtime < 500:
                break
            time.sleep(0.01)
        else:
            pytest.fail("nobody touched it")


def test_other_errors_are_told_as_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An I/O error is no other process."""
    monkeypatch.setattr(lock.fcntl, "flock", refusing(errno.EIO))
    with pytest.raises(OSError, match="Input/output error") as error, hold(tmp_path, "me"):
        pass
    assert error.value.filename == str(tmp_path / ".lock")


def test_without_links_creation_is_still_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on FAT."""
    monkeypatch.setattr(os, "link", refusing(errno.EPERM))
    with hold(tmp_path, "first"):
        assert json.loads((tmp_path / CLAIM).read_text())["holder"] == "first"
        with pytest.raises(Locked, match="first"), hold(tmp_path, "second"):
            pass


def test_half_a_claim_of_this_machine_is_none(tmp_path: Path) -> None:
    """A crash while it was written: flock says that nobody is there. Without flock it is believed
    until it is old."""
    (tmp_path / CLAIM).write_text('{"holder": "pro')
    aged(tmp_path, EXPIRY + 5)
    with hold(tmp_path, "me"):
        pass


def test_a_lock_of_a_folder_that_was_moved_away_is_not_this_folder_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened before a --fresh moved the folder, and taken after it: two would write to one."""
    path = tmp_path / "out"
    path.mkdir()
    flock = lock.fcntl.flock  # type: ignore[union-attr]
    moves = iter([True])

    def moved(*args: Any) -> None:
        if next(moves, False):
            path.rename(tmp_path / "out.old-1")
            path.mkdir()
        flock(*args)

    monkeypatch.setattr(lock.fcntl, "flock", moved)
    with hold(path, "me"), pytest.raises(Locked, match="me"), hold(path, "other"):
        pass
