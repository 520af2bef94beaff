"""``--plan`` answers at once; ``--measure`` tries a few steps, and is for plans alone."""

from __future__ import annotations

from pathlib import Path

import jax
import pytest
from typer.testing import CliRunner, Result

from phasegrok.cli.main import app
from phasegrok.machine import slowdown
from phasegrok.train import devices
from tests.conftest import TINY


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(devices, "use_all_cores", lambda: None)  # conftest.py has set the devices
    monkeypatch.setenv("PHASEGROK_COMPILATION_CACHE", str(tmp_path / "programs"))
    (tmp_path / "tiny.yaml").write_text(TINY + "axes: {optimizer.weight_decay: [0, 1, 2]}\n")
    return tmp_path / "tiny.yaml"


def invoke(*args: object) -> Result:
    return CliRunner().invoke(app, list(map(str, args)), catch_exceptions=False)


def test_a_plan_compiles_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler is taken away. Neither results nor programs are written."""
    monkeypatch.setattr(jax.stages.Lowered, "compile", None)
    done = invoke("sweep", file, "--plan", "--output", file.parent / "out")
    assert done.exit_code == 0, done.output
    assert "estimated time on this machine: " in done.output
    assert "(from shapes and this machine's speed)" in done.output
    assert {path.name for path in file.parent.iterdir()} == {"tiny.yaml"}


def test_a_busy_machine_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the time that the same work takes beside what runs there."""
    monkeypatch.setattr("phasegrok.machine.cores", lambda: 2)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    for load, said in ((0.1, False), (6.0, True)):
        monkeypatch.setattr("os.getloadavg", lambda load=load: (load, load, load))
        assert slowdown() == max(1, (load + 2) / 2)
        done = invoke("sweep", file, "--plan", "--output", file.parent / "out")
        assert ("other processes are busy here: " in done.output) == said


def test_measuring_compiles_and_tries(file: Path) -> None:
    done = invoke("sweep", file, "--plan", "--measure", "--output", file.parent / "out")
    assert done.exit_code == 0, done.output
    assert "(from a few steps on this machine)" in done.output
    assert not (file.parent / "out").exists()


def test_measuring_is_for_plans(file: Path) -> None:
    refused = invoke("sweep", file, "--measure", "--output", file.parent / "out")
    assert refused.exit_code == 2
    assert "allowed: --plan --measure" in refused.output
    assert not (file.parent / "out").exists()


def test_a_cache_that_is_no_absolute_path_is_refused(file: Path) -> None:
    """In a sweep file or ``--set``; a place that cannot be used is a note, and no more."""
    where = ("sweep", file, "--plan", "--output", file.parent / "out", "--set")
    refused = invoke(*where, "engine.compilation_cache=programs")
    assert refused.exit_code == 2
    assert "allowed: auto, off or an absolute path" in refused.output
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PHASEGROK_COMPILATION_CACHE")
        noted = invoke(*where, f"engine.compilation_cache={file}")
    assert noted.exit_code == 0 and "is not used, since it is a file" in noted.output
