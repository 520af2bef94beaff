"""Where compiled programs are kept: where the user wants it, or nowhere, without an error."""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import pytest

from phasegrok.config import Engine
from phasegrok.running.keeping import VARIABLE, kept
from phasegrok.train.engine import compiled
from tests.conftest import MakeSweep
from tests.running.watching import start


def folder_of(engine: Engine, environment: dict[str, str]) -> tuple[Path | None, str]:
    store, note = kept(engine, environment)
    return store.folder if store else None, note


@pytest.mark.parametrize(
    ("key", "environment", "folder"),
    [
        ("auto", {"HOME": "{}"}, "{}/.cache/phasegrok/programs"),
        ("auto", {"HOME": "{}", "XDG_CACHE_HOME": "{}/xdg"}, "{}/xdg/phasegrok/programs"),
        ("auto", {"HOME": "{}", "XDG_CACHE_HOME": "no/path"}, "{}/.cache/phasegrok/programs"),
        ("auto", {}, None),
        ("auto", {"HOME": "relative"}, None),
        ("auto", {"HOME": "{}/file"}, None),
        ("off", {"HOME": "{}"}, None),
        ("off", {"HOME": "{}", VARIABLE: "{}/a"}, "{}/a"),
        ("{}/b", {"HOME": "{}"}, "{}/b"),
        ("{}/b", {"HOME": "{}", VARIABLE: "off"}, None),
        ("{}/b", {"HOME": "{}", VARIABLE: "auto"}, "{}/.cache/phasegrok/programs"),
        ("{}/b", {VARIABLE: " "}, "{}/b"),
    ],
)
def test_the_environment_wins_over_the_sweep(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    environment: dict[str, str],
    folder: str | None,
) -> None:
    """A home that is none, or a file, turns it off without a word."""
    monkeypatch.setattr(sys, "platform", "linux")
    (tmp_path / "file").touch()
    home = {name: value.format(tmp_path) for name, value in environment.items()}
    found = folder_of(Engine(compilation_cache=key.format(tmp_path)), home)
    assert found == (Path(folder.format(tmp_path)) if folder else None, "")
    assert not list(tmp_path.rglob("programs"))  # until there is something to keep


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("darwin", {"HOME": "/Users/a"}, "/Users/a/Library/Caches/phasegrok"),
        ("win32", {"LOCALAPPDATA": "/C/local", "HOME": "/x"}, "/C/local/phasegrok/cache"),
        ("win32", {}, None),
    ],
)
def test_other_systems_have_other_folders(
    monkeypatch: pytest.MonkeyPatch, platform: str, environment: dict[str, str], folder: str | None
) -> None:
    from phasegrok.machine import cache_folder

    monkeypatch.setattr(sys, "platform", platform)
    assert cache_folder(environment) == (Path(folder) if folder else None)


def test_a_place_that_was_named_and_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    named = str(tmp_path / "file")
    for engine, environment, words in (
        (Engine(compilation_cache=named), {}, "note: engine.compilation_cache: "),
        (Engine(), {VARIABLE: named}, f"note: {VARIABLE}: "),
    ):
        found, note = folder_of(engine, environment)
        assert found is None and note.startswith(words) and "it is a file" in note


def test_jaxs_own_cache_stays_where_a_user_turned_it_on(tmp_path: Path) -> None:
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    try:
        assert folder_of(Engine(), {"HOME": str(tmp_path)}) == (None, "")
        both = folder_of(Engine(), {VARIABLE: str(tmp_path / "ours")})
        assert both == (tmp_path / "ours", "")
    finally:
        jax.config.update("jax_compilation_cache_dir", before)


def test_it_is_no_part_of_results() -> None:
    """Neither in manifests nor in what identifies a sweep; a relative path is refused."""
    assert "compilation_cache" not in Engine(compilation_cache="/a").model_dump()
    with pytest.raises(ValueError, match="pattern"):
        Engine(compilation_cache="beside/the/file")


def test_tables_are_the_same_bytes_whatever_is_kept(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two programs, trained with an empty cache, a full one, one in which every entry is damaged
    (cut, or with a bit changed), and none that can be written: the same files, and no word."""
    sweep = make_sweep("axes: {model.activation: [quadratic, relu]}", "measure.spectra=true")
    programs = tmp_path / "programs"
    tables: list[dict[str, bytes]] = []
    for turn in ("empty", "full", "damaged"):
        monkeypatch.setenv(VARIABLE, str(programs))
        before = sorted(programs.glob("*")) if programs.exists() else []
        for i, path in enumerate(before if turn == "damaged" else ()):
            data = path.read_bytes()
            half = len(data) // 2
            path.write_bytes(data[:half] + bytes([data[half] ^ 64]) * (i % 2) + data[half + 1 :])
        compiled.cache_clear()
        out = tmp_path / turn
        start(sweep, out)
        tables.append({str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*.parquet")})
        kept_now = sorted(programs.glob("*"))
        assert kept_now and (kept_now == before or turn == "empty")
    assert len(tables[0]) > 6
    assert tables[0] == tables[1] == tables[2]
