"""What is kept for later: whole or not there, bounded, and never a reason to fail."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from phasegrok.files.store import Store, unusable
from tests.running.faulty import BROKEN, FULL, READ_ONLY, Disk, between


def test_what_is_kept_is_found_and_nothing_else(tmp_path: Path) -> None:
    store = Store(tmp_path / "deep" / "kept", 1000)
    assert store.get("a") is None and not store.has("a")
    store.put("a", b"one")
    assert store.get("a") == b"one" and store.has("a")
    store.put("a", b"two")
    assert Store(tmp_path / "deep" / "kept", 1000).get("a") == b"two"
    assert (tmp_path / "deep" / "kept").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", ["cut", "bit", "other", "empty", "folder", "longer"])
def test_damage_is_no_entry_and_is_mended(tmp_path: Path, damage: str) -> None:
    """Cut short, one bit changed, another entry's bytes, nothing, a folder: none of it comes back,
    and the next one that is written does."""
    store = Store(tmp_path, 10_000)
    store.put("a", b"machine code" * 50)
    store.put("b", b"other code!!" * 50)
    (path,) = (p for p in tmp_path.iterdir() if p.name.startswith("a"))
    whole = path.read_bytes()
    if damage == "folder":
        path.unlink()
        path.mkdir()
        assert store.get("a") is None
        return
    changed = {
        "cut": whole[:-7],
        "bit": whole[:99] + bytes([whole[99] ^ 1]) + whole[100:],
        "other": path.with_name(path.name.replace("a", "b", 1)).read_bytes(),
        "empty": b"",
        "longer": whole + b"\0",
    }
    path.write_bytes(changed[damage])
    assert store.get("a") is None
    assert not path.exists()
    store.put("a", b"again")
    assert store.get("a") == b"again" and store.get("b") == b"other code!!" * 50


def test_what_was_of_no_use_for_longest_makes_room(tmp_path: Path) -> None:
    """Of four entries, three of which fit, the one that goes is the one last used; foreign files
    stay, and what a killed process left half written goes after an hour."""
    store = Store(tmp_path, 3 * 132 + 20)
    (tmp_path / "notes.txt").write_text("mine")
    for age, name in enumerate(("old.tmp", "new.tmp")):
        (tmp_path / f".1-{name}").write_bytes(b"x" * 500)
        os.utime(tmp_path / f".1-{name}", None if age else (0, 0))
    for i, name in enumerate("abc"):
        store.put(name, b"x" * 100)
        os.utime(tmp_path / f"{name}.kept", (1000 + i, 1000 + i))
    assert store.get("a")  # of use just now
    store.put("d", b"x" * 100)
    assert {p.name for p in tmp_path.iterdir()} >= {"a.kept", "d.kept", "notes.txt", ".1-new.tmp"}
    assert not store.has("b") and not (tmp_path / ".1-old.tmp").exists()
    assert sum(p.stat().st_size for p in tmp_path.glob("*.kept")) <= 3 * 132 + 20
    store.put("huge", b"x" * 10_000)
    assert not store.has("huge") and store.get("a")


@pytest.mark.parametrize("how", [FULL, BROKEN, READ_ONLY])
def test_no_disk_is_a_reason_to_fail(tmp_path: Path, how: int) -> None:
    """It breaks at every call in turn: nothing is raised, nothing half is ever read."""
    with between(Disk(tmp_path)) as disk:
        Store(tmp_path / "ok", 1000).put("a", b"one")
    assert disk.calls > 2
    for at in range(disk.calls):
        store = Store(tmp_path / str(at), 1000)
        with between(Disk(tmp_path, at, how)):
            store.put("a", b"one" * 100)
            assert store.get("a") in (None, b"one" * 100)
        assert store.get("a") in (None, b"one" * 100)
    assert errno.ENOSPC == FULL


def test_a_folder_that_others_may_write_to_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes there runs code as this user."""
    assert not unusable(tmp_path) and not unusable(tmp_path / "new" / "one")
    (tmp_path / "file").write_text("")
    assert "is a file" in unusable(tmp_path / "file") and "file" in unusable(
        tmp_path / "file" / "x"
    )
    tmp_path.chmod(0o777)
    assert unusable(tmp_path) == "everybody may write there"
    tmp_path.chmod(0o700)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert unusable(tmp_path) == "it belongs to another user"
