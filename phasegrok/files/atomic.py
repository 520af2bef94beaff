"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

__all__ = [
    "TEMPORARY",
    "copy_whole",
    "remove_temporaries",
    "replacing",
    "set_aside",
    "sync_folder",
    "write_whole",
]

TEMPORARY: Final = ".*.tmp"  # the names of files that are not whole yet, as a pattern


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that appears whole or not at all, even across a power loss.

    Two processes that write one file at the same moment do not meet: each has a temporary file of
    its own, and the last rename wins.
    """
    hidden = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with open(hidden, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(path)
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell
            hidden.unlink()
        raise
    sync_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all."""
    with replacing(path) as file:
        file.write(content)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file, whole or not at all, into a folder that is made where there is none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as written, open(source, "rb") as read:
        shutil.copyfileobj(read, written)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last, where the system can: Windows cannot open folders."""
    try:
        directory = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def set_aside(path: Path, folder: Path) -> Path:
    """Move a file out of the way, to ``FOLDER/damaged/...``; nothing is deleted.

    It keeps its place below ``folder`` there, and gets ``.damaged-N`` with the first free N. Beside
    the others of its table it would be read with them, by whoever reads the table as a folder.
    """
    home = folder / "damaged" / path.relative_to(folder).parent
    home.mkdir(parents=True, exist_ok=True)
    n = 1
    while (aside := home / f"{path.name.removeprefix('.')}.damaged-{n}").exists():
        n += 1
    path.rename(aside)
    sync_folder(path.parent)
    return aside


def remove_temporaries(folder: Path) -> None:
    """Remove what killed processes left half written in a folder. Only its holder may ask."""
    for path in folder.glob(TEMPORARY):
        with suppress(FileNotFoundError):
            path.unlink()
