"""A disk that fails at the N-th call, and stays broken until it is mended.

It stands between phasegrok and the system: every opening for writing, every write, sync, rename,
link, folder and removal below one folder is a call. Also used by ``benchmarks/faults.py``.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# What a process sees of a disk without space, beyond its quota, broken, or made read-only; and
# what it does not see, as it is dead.
FULL, QUOTA, BROKEN, READ_ONLY = errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS
KILLED = 0
NAMES = ("rename", "replace", "link", "mkdir", "unlink", "fsync")


class Killed(BaseException):
    """The process ends here: nothing that it would do after this reaches the disk."""


class Disk:
    """Counts the calls below a folder, and fails from one on.

    Args:
        folder: below which calls count.
        at: number of the first call that fails; None for no failure.
        how: an error number, or :data:`KILLED`.
        once: whether the disk works again after that call.
    """

    def __init__(
        self, folder: Path, at: int | None = None, how: int = FULL, once: bool = False
    ) -> None:
        self.folder, self.at, self.how, self.once = str(folder), at, how, once
        self.calls = 0
        self.failed = False

    def call(self, path: object) -> None:
        """One call; it fails where the disk does."""
        if not str(path).startswith(self.folder):
            return
        self.calls += 1
        if self.at is not None and self.calls > self.at and not (self.once and self.failed):
            self.failed = True
            if self.how == KILLED:
                raise Killed
            raise OSError(self.how, os.strerror(self.how), str(path))


class File:
    """A file that is written to; the write that fails has written half of its bytes."""

    def __init__(self, file: Any, path: str, disk: Disk) -> None:
        self._file, self._path, self._disk = file, path, disk

    def write(self, data: Any) -> int:
        try:
            self._disk.call(self._path)
        except BaseException:
            self._file.write(data[: len(data) // 2])
            self._file.flush()
            raise
        return int(self._file.write(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> File:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


@contextmanager
def between(disk: Disk) -> Iterator[Disk]:
    """Put a disk between phasegrok and the system."""
    opened = builtins.open

    def opening(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if isinstance(file, int) or not set(mode) & set("wax+"):
            return opened(file, mode, *args, **kwargs)
        disk.call(os.fspath(file))
        return File(opened(file, mode, *args, **kwargs), str(os.fspath(file)), disk)

    def failing(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(first: Any, *args: Any, **kwargs: Any) -> Any:
            path = f"/proc/self/fd/{first}" if isinstance(first, int) else os.fspath(first)
            disk.call(os.path.realpath(path) if isinstance(first, int) else path)
            return function(first, *args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtins, "open", opening)
        patch.setattr(io, "open", opening)
        for name in NAMES:
            patch.setattr(os, name, failing(getattr(os, name)))
        yield disk
