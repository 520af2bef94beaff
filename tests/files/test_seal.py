"""A sealed file says by itself whether it is whole."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

from phasegrok.errors import Damaged
from phasegrok.files import seal as sealing
from phasegrok.files.seal import BLANK, seal, verify


def sealed(path: Path, before: int, after: int) -> bytes:
    random.seed(before)
    file = io.BytesIO(random.randbytes(before) + BLANK.encode() + random.randbytes(after))
    seal(file)
    path.write_bytes(file.getvalue())
    return file.getvalue()


@pytest.mark.parametrize("block", [97, 1 << 20])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 95), (96, 2), (1000, 300), (10, 5000)])
def test_every_flipped_bit_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, before: int, after: int
) -> None:
    """Wherever the seal is, and however blocks fall on it; also one of the seal's own mark."""
    monkeypatch.setattr(sealing, "BLOCK", block)
    path = tmp_path / "file"
    content = sealed(path, before, after)
    assert verify(path)
    mark = range(before, before + len(sealing.MARK))
    for place in (*mark, *random.sample(range(len(content)), min(len(content), 60))):
        flipped = bytearray(content)
        flipped[place] ^= 1 << random.randrange(8)
        path.write_bytes(flipped)
        with pytest.raises(Damaged, match="file: damaged: its checksum does not hold"):
            verify(path)


def test_cut_and_longer_files_are_found(tmp_path: Path) -> None:
    """A cut behind the seal, and bytes that were appended. Without its seal a file is not vouched
    for."""
    path = tmp_path / "file"
    content = sealed(path, 100, 100)
    for changed in (content[:-1], content + b"x", content[1:]):
        path.write_bytes(changed)
        with pytest.raises(Damaged):
            verify(path)
    for cut in (0, 50, 120):
        path.write_bytes(content[:cut])
        assert not verify(path)
