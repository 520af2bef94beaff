"""Archives of arrays (``.npz``), judged before their bytes are read.

A file that was cut, flipped or made by somebody else must cost a line, not the machine's memory: a
zip of 2 MB may claim to hold 2 GB, and a header of 100 bytes an array of 10^12 numbers.

The checksums of a zip are those of its members. A flipped bit of its directory, or another archive
in its place, is found by the seal of the whole file, which is the zip's comment.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.lib import format as npy

from phasegrok.files.seal import BLANK, holds, seal

__all__ = ["BadArchive", "Expected", "read_npz", "write_npz"]

Expected = Mapping[str, tuple[tuple[int, ...], str]]  # shape and dtype, by name

MOST_MEMBERS: Final = 10_000
MOST_NAME: Final = 200  # characters
MOST_DIMENSIONS: Final = 32
# Of directory, local headers and .npy headers, beside the arrays: about 400 bytes a member.
MOST_EXTRA: Final = 4 << 20
PIECE: Final = 1 << 20  # bytes read at a time, so that a false size allocates nothing
KINDS: Final = "biufcU"  # of dtypes; no objects, which are pickles, and no records
END: Final = struct.Struct("<4s4H2LH")  # what a zip without a comment ends with
SECOND_END: Final = 76  # bytes of zip64's last record and its locator
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ODD_FLAGS: Final = 0x1 | 0x20 | 0x40 | 0x2000  # encrypted, patched, or with hidden headers
LAST_CHARACTER: Final = 0x10FFFF


class BadArchive(ValueError):
    """The content of a file is not what it should be. The text says why, without the path."""


def read_npz(
    source: Path | bytes, most_bytes: int, expected: Expected | None = None
) -> dict[str, np.ndarray]:
    """The arrays of an archive, in its order.

    Args:
        source: the file, or what is in it.
        most_bytes: that all arrays together may have.
        expected: shape and dtype (``float32``, ``<i8``) by name; no array may lack, be another, or
            come besides.

    Raises:
        BadArchive: it is no such archive, or is not what was written.
        OSError: the file cannot be read.
    """
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        try:
            return _read(file, most_bytes, expected)
        except OSError as error:
            # zipfile seeks where a false offset says, which is not the disk's fault.
            if error.errno is None or isinstance(source, bytes):
                raise BadArchive("found no .npz archive") from None
            raise


def _read(file: IO[bytes], most_bytes: int, expected: Expected | None) -> dict[str, np.ndarray]:
    with _archive(file, most_bytes) as archive:
        members = _members(archive, most_bytes)
        if expected is not None:
            _check_names(members, expected)
        arrays: dict[str, np.ndarray] = {}
        for name, info in members.items():
            try:
                with archive.open(info) as stream:
                    arrays[name] = _array(stream, info, name, expected)
            except BadArchive:
                raise
            except (OSError, MemoryError):
                raise
            # zipfile and zlib raise whatever their parsing runs into.
            except Exception as error:
                raise BadArchive(f"found {name} unreadable ({_reason(error)})") from None
    return arrays


def _archive(file: IO[bytes], most_bytes: int) -> zipfile.ZipFile:
    """The archive, its size and its last record judged before its directory is read."""
    size = file.seek(0, io.SEEK_END)
    if size > most_bytes + MOST_EXTRA:
        raise BadArchive(f"found {size} bytes; allowed: at most {most_bytes} bytes of arrays")
    tail, comment = _last_record(file, size)
    _, _, _, here, count, directory, begin, _ = END.unpack(tail)
    if count > MOST_MEMBERS or count != here or directory > MOST_EXTRA:
        raise BadArchive("found no .npz archive of a sensible size")
    if not count:
        raise BadArchive("found no arrays")
    # Archives of 2 GiB have a second record, which alone knows where 4 GiB and more begin.
    end = size - END.size - comment - (SECOND_END if begin > zipfile.ZIP64_LIMIT else 0)
    if begin + directory != end and begin != 0xFFFFFFFF:
        raise BadArchive("found a directory of another length than the archive says")
    try:
        file.seek(0)
        archive = zipfile.ZipFile(file)
    except OSError:
        raise
    except Exception as error:
        raise BadArchive(f"found no .npz archive ({_reason(error)})") from None
    if len(archive.infolist()) != count:
        raise BadArchive(f"found {len(archive.infolist())} arrays; the archive says {count}")
    return archive


def _last_record(file: IO[bytes], size: int) -> tuple[bytes, int]:
    """The last record, and the length of the comment behind it: none, or a seal that holds."""
    for comment in (0, len(BLANK)):
        file.seek(max(0, size - END.size - comment))
        tail = file.read(END.size)
        if len(tail) == END.size and tail.startswith(b"PK\5\6") and END.unpack(tail)[-1] == comment:
            if comment and not holds(file):
                raise BadArchive("its checksum does not hold")
            return tail, comment
    raise BadArchive("found no .npz archive")


def _members(archive: zipfile.ZipFile, most_bytes: int) -> dict[str, zipfile.ZipInfo]:
    """The members by the names of their arrays; nothing of them has been read."""
    infos = archive.infolist()
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename.removesuffix(".npy")
        plain = name.isprintable() and not set(name) & set("/\\") and 0 < len(name) <= MOST_NAME
        if not plain or name == info.filename:
            raise BadArchive("found a member that is no array")
        if name in found:
            raise BadArchive(f"found {name} a second time")
        if info.compress_type not in METHODS or info.flag_bits & ODD_FLAGS:
            raise BadArchive(f"found {name} packed in another way than stored or deflated")
        found[name] = info
    total = sum(info.file_size for info in infos)
    if total > most_bytes + MOST_EXTRA:
        raise BadArchive(f"found arrays of {total} bytes; allowed: at most {most_bytes}")
    return found


def _check_names(members: Mapping[str, object], expected: Expected) -> None:
    for name in expected:
        if name not in members:
            raise BadArchive(f"found no array {name}; allowed: {_words(*expected[name], name)}")
    for name in members:
        if name not in expected:
            raise BadArchive(f"found an array {name}; allowed: no array of this name")


def _array(
    stream: IO[bytes], info: zipfile.ZipInfo, name: str, expected: Expected | None
) -> np.ndarray:
    """One array. Its header is judged before memory is taken for its numbers."""
    head = _Counted(stream)
    shape, fortran, dtype = _header(head, name)
    if expected is not None:
        wanted, kind = expected[name]
        if shape != wanted or dtype != np.dtype(kind):
            raise BadArchive(f"found {_words(shape, dtype, name)}; allowed: {_words(wanted, kind)}")
    size = math.prod(shape) * dtype.itemsize
    if head.count + size != info.file_size:
        raise BadArchive(
            f"found {info.file_size - head.count} bytes in {name}; {_words(shape, dtype)} has"
            f" {size}"
        )
    content = bytearray()
    while piece := head.read(PIECE):  # to the end, where zipfile compares the checksum too
        content += piece
    if len(content) != size:
        raise BadArchive(f"found {len(content)} bytes in {name} of {size}")
    if head.crc != info.CRC:
        raise BadArchive(f"found another checksum in {name} than the archive has")
    array = np.frombuffer(content, dtype)
    if dtype.kind == "U" and dtype.itemsize:
        codes = array.view(np.dtype(np.uint32).newbyteorder(dtype.byteorder))
        if codes.size and int(codes.max()) > LAST_CHARACTER:
            raise BadArchive(f"found text in {name} that is none")
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


class _Counted:
    """A stream that counts, and sums up, what was read of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.count, self.crc = stream, 0, 0

    def read(self, size: int) -> bytes:
        piece = self.stream.read(size)
        self.count += len(piece)
        self.crc = zlib.crc32(piece, self.crc)
        return piece


def _header(head: Any, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and dtype of an array; NumPy itself bounds a header's length."""
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            version = npy.read_magic(head)
            shape, fortran, dtype = readers[version](head)
    except (zipfile.BadZipFile, zlib.error):  # of a small member, read whole with its header
        raise
    # A header is a Python literal: damaged ones raise SyntaxError, TypeError, RecursionError...
    except Exception:
        raise BadArchive(f"found no header of an array in {name}") from None
    if dtype.kind not in KINDS or dtype.names is not None or dtype.subdtype is not None:
        raise BadArchive(f"found {name} of {dtype}; allowed: numbers")
    if len(shape) > MOST_DIMENSIONS or any(type(n) is not int or n < 0 for n in shape):
        raise BadArchive(f"found {name} of an impossible shape")
    return shape, bool(fortran), dtype


def _words(shape: tuple[int, ...], kind: Any, name: str = "") -> str:
    """``name float32 (12, 7)``."""
    dtype = np.dtype(kind)
    order = "" if dtype.isnative else "big-endian "
    return f"{name} {order}{dtype.name} ({', '.join(map(str, shape))})".lstrip()


def _reason(error: Exception) -> str:
    """The first line of what a library says."""
    text = str(error).partition("\n")[0]
    return text if text.isprintable() and text else type(error).__name__


def write_npz(file: IO[bytes], arrays: Mapping[str, np.ndarray]) -> None:
    """Write an archive of arrays by name, with a seal.

    Args:
        file: open for reading and writing, and empty.
        arrays: at least one.
    """
    everything: dict[str, Any] = dict(arrays)
    np.savez(file, **everything)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = BLANK.encode()
    seal(file)
