"""Bytes that processes keep for later ones, by name: what is lost of them costs time, nothing else.

So nothing here raises for what a disk does. An entry that cannot be read, or does not hold what was
written, is none; one that cannot be written is not kept.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["Store", "unusable"]

SUFFIX: Final = ".kept"
DIGEST: Final = hashlib.sha256().digest_size
# A file that is still not whole after so long was left behind by a process that was killed.
HALF_WRITTEN_SECONDS: Final = 3600.0
SPARE: Final = 0.9  # of the bound is what pruning leaves, so that not every entry prunes


class Store:
    """Entries of a folder, the least recently used of which make room for new ones.

    Args:
        folder: made when first written to. Other files in it are left alone.
        most_bytes: that all entries together may take.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder, self.most_bytes = folder, most_bytes

    def get(self, name: str) -> bytes | None:
        """What was kept under a name; None where it is not there, or is not what was written."""
        path = self._path(name)
        try:
            with open(path, "rb") as file:
                digest, data = file.read(DIGEST), file.read()
        except OSError:
            return None
        if _digest(name, data) != digest:
            self.drop(name)
            return None
        with suppress(OSError):
            os.utime(path)  # it was of use just now
        return data

    def put(self, name: str, data: bytes) -> None:
        """Keep something under a name; it appears whole or not at all."""
        if len(data) > self.most_bytes * SPARE:
            return
        hidden = self.folder / f".{os.getpid()}-{secrets.token_hex(4)}.tmp"
        # Not synced: what a power cut leaves of it is told by its checksum.
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(hidden, "wb") as file:
                file.write(_digest(name, data) + data)
            hidden.replace(self._path(name))
            self._prune()
        except OSError:
            with suppress(OSError):
                hidden.unlink()

    def has(self, name: str) -> bool:
        """Whether there is an entry of a name, whole or not."""
        return self._path(name).exists()

    def drop(self, name: str) -> None:
        """Forget an entry."""
        with suppress(OSError):
            self._path(name).unlink()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{SUFFIX}"

    def _prune(self) -> None:
        """Forget what was longest of no use, where all together take too much."""
        now, found = time.time(), []
        for path in self.folder.iterdir():
            with suppress(OSError):  # another process prunes as well
                stat = path.lstat()
                if path.suffix == SUFFIX:
                    found.append((stat.st_mtime, stat.st_size, path))
                elif _is_half_written(path.name) and now - stat.st_mtime > HALF_WRITTEN_SECONDS:
                    path.unlink()
        total = sum(size for _, size, _ in found)
        if total <= self.most_bytes:
            return
        for _, size, path in sorted(found):
            if total <= self.most_bytes * SPARE:
                return
            with suppress(OSError):
                path.unlink()
            total -= size


def unusable(folder: Path) -> str:
    """Why compiled code should not be kept in a folder; nothing where it may be.

    Whoever can write there can run code as this user. So it has to be the user's own.
    """
    there = folder
    try:
        while not there.exists() and there != there.parent:
            there = there.parent
        if not there.is_dir():
            return "it is a file" if there == folder else f"{there} is a file"
        if not os.access(there, os.W_OK | os.X_OK):
            return "no permission to write"
        if there != folder or not hasattr(os, "getuid"):
            return ""  # it will be made, for this user alone
        status = there.stat()
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "no such folder can be made"
    if status.st_uid != os.getuid():
        return "it belongs to another user"
    if status.st_mode & 0o002:
        return "everybody may write there"
    return ""


def _digest(name: str, data: bytes) -> bytes:
    """Of the name too: an entry under another's name is not what was written."""
    return hashlib.sha256(name.encode() + b"\0" + data).digest()


def _is_half_written(name: str) -> bool:
    return name.startswith(".") and name.endswith(".tmp")
