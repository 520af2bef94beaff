"""Terminals as they are: closed, full, narrow, plain, of another language, in another folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from phasegrok.cli import streams
from phasegrok.running import manifest

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "results" / "reference" / "quickstart"
STATUS = f"{sys.executable} -c 'from phasegrok.cli.start import main; main()' status"


def shell(line: str, cwd: Path = ROOT, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """A line of a POSIX shell; an environment variable that is None is not there."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **changes}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=cwd,
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
        errors="surrogateescape",
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few tables, in a folder with a name that ASCII does not have."""
    path = tmp_path_factory.mktemp("Phasen") / "Größe α=½"
    path.mkdir()
    for name in ("runs", "manifest.json", "cells.parquet"):
        copy = shutil.copytree if (REFERENCE / name).is_dir() else shutil.copy
        copy(REFERENCE / name, path / name)
    return path


@pytest.mark.parametrize(
    ("ending", "code", "error"),
    [
        ("| head -c 1", 0, ""),
        ("| true", 0, ""),
        (">&-", 0, ""),
        (">&- 2>&- <&-", 0, ""),
        ("> /dev/full", 74, "error: standard output: No space left on device\n"),
        ("> /dev/full 2>&1", 74, ""),
    ],
)
def test_output_that_nobody_takes(folder: Path, ending: str, code: int, error: str) -> None:
    """Who left has what he wanted, and a closed stream was closed on purpose; what a full disk
    lost is said where it still can be. Never a traceback or a broken pipe."""
    done = shell(f"{STATUS} '{folder}' {ending}")
    assert (done.returncode, done.stderr) == (code, error)


@pytest.mark.parametrize(
    "changes",
    [
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "C", "LANG": "C", "COLUMNS": "20", "TERM": "dumb"},
        {"HOME": None, "COLUMNS": "1", "TERM": None},
    ],
    ids=lambda changes: ",".join(changes),
)
def test_any_environment(folder: Path, changes: dict[str, str | None], tmp_path: Path) -> None:
    """A locale without the folder's letters, 20 columns or 1, no HOME, another directory: the
    diagram is there."""
    done = shell(f"{STATUS} '{folder}'", tmp_path, **changes)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert "runs are done" in done.stdout and "data fraction" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_training_sweep_does_not_need_its_output(tmp_path: Path) -> None:
    """Its reader leaves after a line, its stderr is full: it trains, draws, and ends with 0. Its
    home cannot be written, and the folder's name is no text of the locale."""
    sets = "--set train.steps=20 --set train.log_every=10 --set data.data_fraction=0.5"
    axes = "--set data.corruption_fraction=0 --set optimizer.weight_decay=[0,1]"
    file = ROOT / "sweeps" / "quickstart.yaml"
    (home := tmp_path / "home").touch()
    line = (
        f"{sys.executable} -m phasegrok.sweep {file} {sets} {axes} --set model.width=8"
        " --set task.modulus=5 --output 'δ' 2> /dev/full | head -n 1"
    )
    ascii_only = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    quick = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    done = shell(line, tmp_path, HOME=str(home), **ascii_only, **quick)
    assert done.returncode == 0, done
    assert len(done.stdout.splitlines()) == 1
    assert (tmp_path / "δ" / "figures" / "phase_diagram.png").exists()


@pytest.mark.parametrize(
    ("terminal", "variables", "drawing", "colour"),
    [
        (True, {"TERM": "xterm"}, True, True),
        (True, {}, True, True),
        (True, {"TERM": "dumb"}, False, False),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, True, True),
        (False, {"TERM": "xterm"}, False, False),
    ],
)
def test_who_wants_colour(
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
    variables: Mapping[str, str],
    drawing: bool,
    colour: bool,
) -> None:
    """A terminal that can and a user who did not say no."""
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    assert (streams.wants_drawing(), streams.wants_colour()) == (drawing, colour)


def test_the_revision_is_of_phasegrok(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository around site-packages, or one that git was called in, is not ours."""

    def git(*words: str) -> None:
        who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    package: Any = tmp_path / "site-packages" / "run"
    package.mkdir(parents=True)
    (package / "manifest.py").touch()
    (tmp_path / "mine.txt").touch()
    git("init")
    git("add", "mine.txt")
    git("commit", "-m", "mine")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    ours = manifest.git_revision()
    monkeypatch.setattr(manifest, "__file__", str(package / "manifest.py"))
    assert manifest.git_revision() is None
    git("add", "site-packages")
    git("commit", "-m", "a checkout")
    found = manifest.git_revision()
    assert found and found != ours
