"""IDX files, the format of MNIST: judged by header and size before their bytes are read."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from phasegrok.errors import Refusal, escaped
from phasegrok.machine import memory_bytes

__all__ = ["read_idx"]

UNSIGNED_BYTES: Final = 8  # IDX's code of the type
PIECE: Final = 1 << 20  # bytes read at a time, so that a false size allocates nothing
# Images are held as bytes, as float32 while a program reads them, and once more as constants of
# compiled programs.
SHARE: Final = 8


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """An IDX file of unsigned bytes: a magic number, sizes (big-endian), then the bytes.

    Raises:
        Refusal: the file is not one of these, its length is not what its sizes say, it holds
            nothing, or it is too large for this machine.
    """
    name = escaped(str(path))
    try:
        opened: Any = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rb") as file:
            sizes = _sizes(file, name, dimensions)
            return _numbers(file, name, sizes)
    # gzip raises zlib's own error and EOFError at damaged content.
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise Refusal(f"task.source: {name}: damaged: {said}") from None


def _sizes(file: IO[bytes], name: str, dimensions: int) -> tuple[int, ...]:
    """The sizes in a header, all at least 1, of no more bytes than can be held."""
    head = file.read(4 + 4 * dimensions)
    magic = (UNSIGNED_BYTES << 8) + dimensions
    if len(head) < 4 + 4 * dimensions or struct.unpack(">I", head[:4])[0] != magic:
        raise Refusal(
            f"task.source: {name}: damaged: found no IDX header of unsigned bytes in {dimensions}"
            f" dimension{'s' if dimensions > 1 else ''}"
        )
    sizes = struct.unpack(f">{dimensions}I", head[4:])
    if not all(sizes):
        raise Refusal(
            f"task.source: {name}: found {_product(sizes)} images or labels; allowed: at least one"
        )
    most = memory_bytes() // SHARE
    if math.prod(sizes) > most:
        raise Refusal(
            f"task.source: {name}: found {_product(sizes)} = {math.prod(sizes)} bytes; allowed:"
            f" at most {most} here, an eighth of the memory"
        )
    return sizes


def _numbers(file: IO[bytes], name: str, sizes: tuple[int, ...]) -> np.ndarray:
    """The bytes after a header, and not one more."""
    wanted, content = math.prod(sizes), bytearray()
    while piece := file.read(min(PIECE, wanted + 1 - len(content))):
        content += piece
    if len(content) != wanted:
        found = f"more than {wanted}" if len(content) > wanted else str(len(content))
        raise Refusal(
            f"task.source: {name}: damaged: found {found} bytes of data; the header says"
            f" {_product(sizes)} = {wanted}"
        )
    return np.frombuffer(content, np.uint8).reshape(sizes)


def _product(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))
