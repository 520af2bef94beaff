"""Archives of arrays are judged before their bytes are read, and never read wrongly."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from phasegrok.files.npz import BadArchive, read_npz, write_npz

ARRAYS: dict[str, Any] = {
    "header": np.array('{"part": "000-00000"}'),
    "state_0": np.arange(6, dtype=np.uint32).reshape(2, 3),
    "hidden.0": np.asfortranarray(np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)),
    "none": np.zeros((0, 3)),
    "scalar": np.float32(3),
    "flags": np.array([True, False]),
}
EXPECTED = {name: (np.shape(a), np.asarray(a).dtype.str) for name, a in ARRAYS.items()}


def packed(save: Any = np.savez, **arrays: Any) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def member(name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of one member with any content."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def npy(dtype: str, shape: str, content: bytes = b"") -> bytes:
    """The content of a .npy file with any header."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_was_saved_is_read(save: Any, tmp_path: Path) -> None:
    """Every kind of array that we save, from a file and from bytes, bit for bit."""
    content = packed(save, **ARRAYS)
    (tmp_path / "a.npz").write_bytes(content)
    for source in (content, tmp_path / "a.npz"):
        found = read_npz(source, 1000, EXPECTED)
        assert list(found) == list(ARRAYS)
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == np.asarray(array).dtype


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_any_damage_is_refused_or_changes_nothing(save: Any) -> None:
    """Flipped bits and cuts at 3000 places: never another error, never other numbers, never fewer
    arrays. Bytes that mean nothing (dates, padding) may be anything."""
    content, draw = packed(save, **ARRAYS), random.Random(0)
    refused = 0
    for number in range(3000):
        damaged = bytearray(content)
        damaged[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        if number % 5 == 0:
            del damaged[draw.randrange(len(damaged)) :]
        try:
            found = read_npz(bytes(damaged), 1000)
        except BadArchive as error:
            refused += 1
            assert str(error).isprintable()
            continue
        assert list(found) == list(ARRAYS)
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(found[name], array)
    assert refused > 1500


def test_of_what_is_written_here_no_bit_may_differ(tmp_path: Path) -> None:
    """Neither a flip anywhere, nor a cut, nor another archive of ours with a byte of this one."""
    with (tmp_path / "a.npz").open("w+b") as file:
        write_npz(file, ARRAYS)
    content = (tmp_path / "a.npz").read_bytes()
    assert list(read_npz(content, 1000, EXPECTED)) == list(ARRAYS)
    with np.load(tmp_path / "a.npz") as plain:  # other readers do not mind the seal
        assert list(plain.files) == list(ARRAYS)
    for place in range(0, len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        for each in (bytes(damaged), content[:place]):
            with pytest.raises(BadArchive):
                read_npz(each, 1000)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "found no .npz archive"),
        (b"PK", "found no .npz archive"),
        (b"PK\5\6" + bytes(18), "found no arrays"),
        (packed(a=np.ones(2, "f4"))[:-30], "found no .npz archive"),
        (packed(b=np.ones(2, "f4")), "found no array a; allowed: a float32 (2)"),
        (packed(a=np.ones(2, "f4"), b=np.ones(2)), "found an array b; allowed: no array of this"),
        (packed(a=np.ones(2)), "found a float64 (2); allowed: float32 (2)"),
        (packed(a=np.ones(2, ">f4")), "found a big-endian float32 (2); allowed: float32 (2)"),
        (packed(a=np.ones((2, 1), "f4")), "found a float32 (2, 1); allowed: float32 (2)"),
        (packed(a=np.array([None, {}])), "found a of object; allowed: numbers"),
        (packed(a=np.zeros(2, [("x", "f4")])), "; allowed: numbers"),
        (member("a.npy", npy("<f4", "(2,)", bytes(7))), "found 7 bytes in a; float32 (2) has 8"),
        (member("a.npy", npy("<f4", "(-2,)")), "found a of an impossible shape"),
        (member("a.npy", npy("<f4", "(10**6, 10**6)")), "found no header of an array in a"),
        (member("a.npy", npy("<f4", "(1000000, 1000000)")), "(1000000, 1000000); allowed"),
        (member("a.npy", b"\x93NUMPY\x03\x00"), "found no header of an array in a"),
        (member("a.npy", npy("<f4", "(" * 200)), "found no header of an array in a"),
        (member("a", npy("<f4", "(2,)", bytes(8))), "found a member that is no array"),
        (member("../a.npy", npy("<f4", "(2,)", bytes(8))), "found a member that is no array"),
        (member("a.npy", b"", zipfile.ZIP_LZMA), "packed in another way than stored or deflated"),
        (member("a.npy", bytes(6 << 20)), "bytes; allowed: at most 8"),
    ],
)
def test_foreign_archives_are_refused(content: bytes, words: str) -> None:
    """One line that says what was found; no array of the size that a header claims comes to be."""
    with pytest.raises(BadArchive) as refused:
        read_npz(content, 8, {"a": ((2,), "float32")})
    assert words in str(refused.value) and str(refused.value).isprintable()


def test_encrypted_and_doubled_members_are_refused() -> None:
    """The flag of encryption in the directory, and one name twice."""
    content = bytearray(packed(a=np.ones(2, "f4")))
    content[content.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(BadArchive, match="packed in another way"):
        read_npz(bytes(content), 8)
    twice = packed(a=np.ones(2, "f4"), b=np.ones(2, "f4")).replace(b"b.npy", b"a.npy")
    with pytest.raises(BadArchive, match="found a a second time"):
        read_npz(twice, 16)


def test_a_bomb_costs_no_memory() -> None:
    """1 GB of zeros in 1 MB, whose directory says so, and one whose directory says 8 bytes: both
    are refused before or while they are unpacked; neither takes the memory."""
    import tracemalloc

    bomb = member("a.npy", npy("<f4", "(250000000,)", bytes(100 << 20)))
    small = bytearray(bomb)
    at = small.index(b"PK\1\2") + 24
    small[at : at + 4] = struct.pack("<I", len(npy("<f4", "(2,)", bytes(8))))
    tracemalloc.start()
    for content in (bomb, bytes(small)):
        with pytest.raises(BadArchive):
            read_npz(content, 1 << 20)
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()


def test_an_error_of_the_disk_is_no_damage(tmp_path: Path) -> None:
    """A file that is not there, or that may not be read, is told as what it is."""
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "none.npz", 8)
    with pytest.raises(IsADirectoryError):
        read_npz(tmp_path, 8)
