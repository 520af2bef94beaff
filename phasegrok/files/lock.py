"""One holder of a folder at a time: on one machine by the kernel, on several by a claim on disk.

The kernel's lock (flock) ends with its process, however that ends. But some file systems have none
(ENOSYS on some mounts of Lustre), and some keep it to one node (GPFS, Lustre with localflock). So
the holder also has a **claim** (:mod:`phasegrok.files.claim`): a file that is made by one atomic
link, and touched every few seconds. Who finds a claim of

- its own machine, where flock works: takes over, since the kernel let go of the holder;
- its own machine, where flock does not work: asks whether that very process still lives;
- another machine: waits for no one. A claim that was touched within :data:`EXPIRY` seconds holds.
  An older one is taken over.

Several processes that share a folder's work (:mod:`phasegrok.files.members`) hold it one after the
other, each for a moment. While one of them lives, nobody else holds the folder.

What storage has to offer is in docs/reliability.md.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Final

from phasegrok.errors import Locked
from phasegrok.files.claim import (
    CLAIM,
    EXPIRY,
    HEARTBEAT,
    NOT_THERE,
    is_living,
    linked,
    modified,
    process,
    read_claim,
    remove_stale,
    who,
)
from phasegrok.files.members import living
from phasegrok.files.repeating import repeating

fcntl: ModuleType | None
try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None

__all__ = ["CLAIM", "Hold", "hold", "hold_briefly"]

LOCK: Final = ".lock"
# flock answers so where somebody holds the lock; every other answer says that it does not work.
HELD: Final = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
TURN: Final = 0.1  # seconds between tries, where others hold the folder for a moment


class Hold:
    """A folder that this process holds."""

    def __init__(self, path: Path, token: str) -> None:
        self.path, self.token = path, token

    def check(self) -> None:
        """Refuse to go on with a folder that another machine took over meanwhile: this process
        slept longer than its claim holds.

        Raises:
            Locked: it says who has it now.
        """
        found = read_claim(self.path / CLAIM)
        if found.get("token") != self.token:
            raise Locked(f"{self.path}: was taken over by {who(found)}; what is published is kept")


@contextmanager
def hold(path: Path, holder: str) -> Iterator[Hold]:
    """Hold a folder alone.

    Args:
        path: the folder.
        holder: what others are told of this process.

    Raises:
        Locked: another process holds it, or some share it; the message says which.
    """
    with _hold(path, holder, brief=False) as mine:
        if others := living(path):
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            raise Locked(f"{path}: in use by {who(others[0])}{more}")
        yield mine


@contextmanager
def hold_briefly(
    path: Path, holder: str, turn: Callable[[], object] = lambda: None
) -> Iterator[Hold]:
    """Hold a folder for a moment, among others who do the same: those that do are waited for.

    Args:
        path: the folder.
        holder: what others are told of this process.
        turn: called while waiting; it may raise.

    Raises:
        Locked: another process holds it for long.
    """
    unknown = 0  # how often somebody had the folder who does not say who it is
    with contextlib.ExitStack() as stack:
        while True:
            try:
                mine = stack.enter_context(_hold(path, holder, brief=True))
                break
            except Locked:
                found = read_claim(path / CLAIM)
                unknown = 0 if found else unknown + 1
                if not found.get("brief", unknown * TURN < HEARTBEAT):
                    raise
            turn()
            time.sleep(TURN)
        yield mine


@contextmanager
def _hold(path: Path, holder: str, brief: bool) -> Iterator[Hold]:
    with contextlib.ExitStack() as stack:
        kernel = stack.enter_context(_flock(path))
        token = secrets.token_hex(8)
        claim = {"holder": holder, "token": token, "brief": brief, **process()}
        _take_claim(path, claim, kernel)
        stack.callback(_release, path / CLAIM, token)
        stack.enter_context(repeating(HEARTBEAT, partial(_touch, path / CLAIM, token)))
        yield Hold(path, token)


@contextmanager
def _flock(path: Path) -> Iterator[bool]:
    """The kernel's lock; yields whether there is one here."""
    while True:
        with open(path / LOCK, "a+") as file:
            works = _flocked(file, path)
            # A lock that was opened before its folder was moved away is another folder's.
            try:
                same = os.path.samestat(os.fstat(file.fileno()), os.stat(path / LOCK))  # noqa: PTH116
            except FileNotFoundError:
                same = False
            if same:
                yield works
                return


def _flocked(file: IO[str], path: Path) -> bool:
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in HELD:
            found = read_claim(path / CLAIM)
            if not found:  # a version without claims wrote who it is into the lock
                file.seek(0)
                found = {"holder": file.read().strip()}
            raise Locked(f"{path}: in use by {who(found)}") from None
        if error.errno in NOT_THERE:
            return False
        raise OSError(error.errno, error.strerror, str(path / LOCK)) from None
    return True


def _take_claim(path: Path, claim: dict[str, Any], kernel: bool) -> None:
    """Make the claim; a stale one is moved out of the way by the one who finds it first."""
    # Its name is not that of a temporary file: a holder that cleans up would take it away.
    mine = path / f"{CLAIM}-{claim['token']}"
    try:
        mine.write_text(json.dumps(claim))
        for _ in range(3):
            if linked(mine, path / CLAIM):
                return
            found = read_claim(path / CLAIM)
            if _is_held(path / CLAIM, found, mine, kernel):
                raise Locked(f"{path}: in use by {who(found)}")
            remove_stale(path / CLAIM, found, claim["token"])
        raise Locked(f"{path}: in use by {who(read_claim(path / CLAIM))}")
    finally:
        with contextlib.suppress(OSError):
            mine.unlink()


def _is_held(claim: Path, found: dict[str, Any], mine: Path, kernel: bool) -> bool:
    """Whether the process of a claim still has the folder."""
    if kernel and found.get("boot") == process()["boot"]:
        return False
    if (lives := is_living(found)) is not None:
        return lives
    try:
        return modified(mine) - modified(claim) < EXPIRY
    except FileNotFoundError:
        return False


def _release(claim: Path, token: str) -> None:
    with contextlib.suppress(OSError):
        if read_claim(claim).get("token") == token:
            claim.unlink()


def _touch(claim: Path, token: str) -> None:
    """Say that the holder lives, unless another process has the folder by now."""
    with contextlib.suppress(OSError):
        if read_claim(claim).get("token") == token:
            os.utime(claim)
