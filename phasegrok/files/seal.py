"""A file's own checksum, inside the file.

A seal is the text ``phasegrok-sha256:`` and 64 hexadecimal digits, somewhere where the format has
room for it: behind the first bytes of a Parquet file, as a value of a JSON object, as the comment
of a zip. The checksum is that of the whole file with 64 zeros in the place of the digits. So a file
that is copied by itself can still be verified, and there is no second file that could be lost.

Files of earlier versions have no seal. They are read as they are.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from phasegrok.errors import Damaged
from phasegrok.files.atomic import replacing

__all__ = ["BLANK", "holds", "read_object", "seal", "sealing", "verify"]

MARK: Final = b"phasegrok-sha256:"
DIGITS: Final = 64
DIGITS_FOLLOW: Final = re.compile(rb"(?=[0-9a-f]{%d})" % DIGITS)
# What a writer puts where the seal will be.
BLANK: Final = (MARK + b"0" * DIGITS).decode()
BLOCK: Final = 1 << 20


@contextmanager
def sealing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that appears whole or not at all, and holds its checksum.

    What is written has a :data:`BLANK` in it.
    """
    with replacing(path) as file:
        yield file
        seal(file)


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file, whose seal holds if it has one.

    Raises:
        Damaged: the file holds something else, or not what was written.
        FileNotFoundError: there is none.
    """
    verify(path)
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:  # of JSON and of UTF-8
        raise Damaged(path, f"found no JSON object ({error})") from None
    if not isinstance(found, dict):
        raise Damaged(path, "found no JSON object")
    return found


def seal(file: IO[bytes]) -> None:
    """Put the checksum of a file that was just written in the place of its :data:`BLANK`.

    Args:
        file: open for reading and writing.
    """
    place = _find(file)
    assert place is not None, "a file is sealed where it has a blank"
    digest = _digest(file, place)
    file.seek(place)
    file.write(digest)
    file.seek(0, os.SEEK_END)


def verify(path: Path) -> bool:
    """Whether a file is sealed; if it is, its checksum holds.

    Raises:
        Damaged: it does not.
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        found = holds(file)
    if found is False:
        raise Damaged(path, "its checksum does not hold")
    return found is not None


def holds(file: IO[bytes]) -> bool | None:
    """Whether the checksum of an open file holds; None where it has none."""
    place = _find(file)
    if place is None:
        return False if _is_mangled(file) else None
    file.seek(place)
    return file.read(DIGITS) == _digest(file, place)


def _find(file: IO[bytes]) -> int | None:
    """Where the digits of a seal begin: the last mark that has room for them behind it."""
    end = file.seek(0, os.SEEK_END)
    overlap = len(MARK) + DIGITS
    stop = end
    while stop > 0:
        start = max(0, stop - BLOCK)
        file.seek(start)
        block = file.read(min(end, stop + overlap) - start)
        found = block.rfind(MARK, 0, len(block) - DIGITS)
        if found >= 0:
            return start + found + len(MARK)
        stop = start
    return None


def _is_mangled(file: IO[bytes]) -> bool:
    """Whether a seal's digits stand behind a mark that was damaged: no earlier file has that."""
    overlap = len(MARK) + DIGITS
    start, end = 0, file.seek(0, os.SEEK_END)
    while start < end:
        file.seek(start)
        block = file.read(BLOCK + overlap)
        for found in DIGITS_FOLLOW.finditer(block, len(MARK)):
            mark = block[found.start() - len(MARK) : found.start()]
            if sum(a == b for a, b in zip(mark, MARK, strict=True)) > len(MARK) // 2:
                return True
        start += BLOCK
    return False


def _digest(file: IO[bytes], place: int) -> bytes:
    """The checksum of a file with zeros in the place of the digits."""
    digest = hashlib.sha256()
    file.seek(0)
    left = place
    while left and (block := file.read(min(left, BLOCK))):
        digest.update(block)
        left -= len(block)
    digest.update(b"0" * DIGITS)
    file.seek(place + DIGITS)
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest().encode()
