"""Processes that share the work on a folder: each takes pieces of it, by claims on disk.

Such a process is a **member**: a file in ``.workers/`` says which process it is, and is touched as
long as it lives. A **piece** is had by a hard link to that file in ``.workers/pieces/``: made by
one process alone, with its content, and touched with it. So a process has one heartbeat, however
many pieces it has. Where there are no links, a piece's file has the same content.

The pieces of a member that ended, or was not touched for :data:`EXPIRY` seconds, may be taken by
others. A process that was stopped meanwhile (SIGSTOP, a suspended machine) finds that out before
it writes. flock is not used: it is missing on some file systems, and local to a node on others.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from phasegrok.errors import Displaced, Locked
from phasegrok.files.claim import (
    EXPIRY,
    HEARTBEAT,
    is_living,
    linked,
    modified,
    process,
    read_claim,
    remove_stale,
    who,
)
from phasegrok.files.repeating import repeating

__all__ = [
    "WORKERS",
    "Member",
    "Piece",
    "join",
    "living",
    "members",
    "pieces",
    "remove_all",
    "remove_ended",
]

WORKERS: Final = ".workers"
PIECES: Final = "pieces"
SUFFIX: Final = ".member"


@dataclass(frozen=True)
class Piece:
    """A piece of a folder's work that a process has."""

    path: Path  # of its claim
    token: str

    def check(self) -> None:
        """Refuse to go on with a piece that another process took over meanwhile.

        Raises:
            Displaced: it says who has it now.
        """
        found = read_claim(self.path)
        if found.get("token") != self.token:
            taken = f"was taken over by {who(found)}" if found else "is no longer claimed"
            raise Displaced(f"{self.path.name}: {taken}; nothing of it is written here")

    def release(self) -> None:
        """Give it to whoever wants it next."""
        with contextlib.suppress(OSError):
            if read_claim(self.path).get("token") == self.token:
                self.path.unlink()


class Member:
    """A process that shares the work on a folder."""

    def __init__(self, folder: Path, token: str) -> None:
        self.folder, self.token = folder, token
        self.path = folder / WORKERS / f"{token}{SUFFIX}"

    def claim(
        self,
        name: str,
        take_over: bool = False,
        lost: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> Piece | None:
        """Take a piece; None where another process has it.

        Args:
            name: of the piece.
            take_over: from whoever has it: somebody who knows says that the other one is lost.
            lost: called with the claim of a process that the piece is taken over from, while that
                claim is still there: whoever dies meanwhile leaves it to the next. Several may
                call it for the same claim.

        Raises:
            Locked: this process is no member any more.
        """
        place = self.folder / WORKERS / PIECES / name
        for _ in range(2):
            try:
                if linked(self.path, place):
                    return Piece(place, self.token)
            except FileNotFoundError:
                self.check()
                raise
            found = read_claim(place)
            if found.get("token") == self.token:
                return Piece(place, self.token)
            if not take_over and self._is_had(place, found):
                return None
            if found and lost is not None:
                lost(found)
            remove_stale(place, found, self.token)
        return None

    def check(self) -> None:
        """Refuse to go on in a folder that another process took for itself meanwhile.

        Raises:
            Locked: it is so.
        """
        if not self.path.exists():
            raise Locked(
                f"{self.folder}: was taken over by another process, since this one slept for longer"
                " than its claim holds; what is published is kept"
            )

    def _is_had(self, place: Path, found: Mapping[str, Any]) -> bool:
        """Whether the process that claimed a piece still works on it."""
        if not found:  # half written, where there are no links, or gone just now
            with contextlib.suppress(FileNotFoundError):
                return self._now() - modified(place) < EXPIRY
            return False
        return _lives(place.parents[1] / f"{found.get('token')}{SUFFIX}", found, self._now())

    def _now(self) -> float:
        """The time of the file server."""
        os.utime(self.path)
        return modified(self.path)


@contextmanager
def join(
    folder: Path, holder: str, more: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[Member]:
    """Be a member while this lasts.

    Args:
        folder: whose work is shared. Whoever calls holds it, and lets go of it afterwards.
        holder: what others are told of this process.
        more: values that its file also has; ``serves`` is the token of a process that holds the
            folder, and gives this one its pieces.
    """
    (folder / WORKERS / PIECES).mkdir(parents=True, exist_ok=True)
    member = Member(folder, secrets.token_hex(8))
    content = {"holder": holder, "token": member.token, **process(), **more}
    member.path.write_text(json.dumps(content))
    try:
        with repeating(HEARTBEAT, partial(_touch, member.path)):
            yield member
    finally:
        for place in (folder / WORKERS / PIECES).glob("*"):
            Piece(place, member.token).release()
        with contextlib.suppress(OSError):
            member.path.unlink()


def members(folder: Path) -> dict[Path, dict[str, Any]]:
    """What the files of all members say, by their path, of those that ended without a word too."""
    return {path: read_claim(path) for path in sorted((folder / WORKERS).glob(f"*{SUFFIX}"))}


def living(folder: Path, now: float | None = None) -> list[dict[str, Any]]:
    """What the files of living members say, without those that serve another process: they write
    nothing that it may not write.

    Args:
        folder: whose work they share.
        now: the time of the file server; by default this process's own, made by a file there.
    """
    found = members(folder)
    if found and now is None:
        now = _time_of(folder / WORKERS)
    return [
        each
        for path, each in found.items()
        if not each.get("serves") and _lives(path, each, now or 0.0)
    ]


def pieces(folder: Path) -> dict[str, dict[str, Any]]:
    """What is claimed of a folder's work, and what the claim of each piece says."""
    places = sorted((folder / WORKERS / PIECES).glob("[!.]*"))
    return {place.name: read_claim(place) for place in places}


def remove_all(folder: Path) -> None:
    """Remove members that do not live, claims, and what else is noted there. Only who holds the
    folder alone may ask."""
    shutil.rmtree(folder / WORKERS, ignore_errors=True)


def remove_ended(folder: Path) -> None:
    """Remove members that have ended for certain. Their claims stay, until somebody takes over."""
    for path, found in members(folder).items():
        if is_living(found) is False:
            path.unlink(missing_ok=True)


def _lives(path: Path, found: Mapping[str, Any], now: float) -> bool:
    """Whether a member lives: it was touched lately, and has not ended as far as one can see."""
    if is_living(dict(found)) is False:
        return False
    try:
        return now - modified(path) < EXPIRY
    except FileNotFoundError:
        return False


def _time_of(home: Path) -> float:
    """The time of the server of a folder, by a file that is made there for a moment."""
    path = home / f".time-{secrets.token_hex(4)}.tmp"
    path.touch()
    try:
        return modified(path)
    finally:
        path.unlink()


def _touch(path: Path) -> None:
    with contextlib.suppress(OSError):
        os.utime(path)
