"""A finished sweep is recognized by its note, and only where nothing at all is otherwise."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from phasegrok import plugins, running
from phasegrok.results.folder import Folder
from phasegrok.running import finished
from phasegrok.running.finished import NOTE, finished_runs
from phasegrok.sweep.load import Sweep, load
from tests.running.damage import WAYS, copied, damage, make, result_files
from tests.running.watching import Watch, start
from tests.test_imports import loaded_by

RUNS = 6


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sweep, Path]:
    return make(tmp_path_factory.mktemp("finished"))


def test_a_finished_sweep_is_known_as_such(made: tuple[Sweep, Path], tmp_path: Path) -> None:
    sweep, whole = made
    assert finished_runs(Folder(whole), sweep) == RUNS
    # A copy elsewhere is the same, and a resume in spite of it leaves the note as it is.
    out = copied(whole, tmp_path / "out")
    before = (out / NOTE).read_bytes()
    running.run(running.prepare(sweep, out, False), Watch())
    assert (out / NOTE).read_bytes() == before and finished_runs(Folder(out), sweep) == RUNS


def test_whatever_is_damaged_it_is_not_known(made: tuple[Sweep, Path], tmp_path: Path) -> None:
    """Every file, the note itself too."""
    sweep, whole = made
    chance = random.Random(0)
    names = [*result_files(whole), Path(NOTE)]
    assert len(names) > 20
    for name in names:
        for way in chance.sample([*WAYS], 2):
            out = copied(whole, tmp_path / "out")
            damage(out / name, way, chance)
            assert finished_runs(Folder(out), sweep) == 0, (name, way)


def leave_checkpoint(out: Path) -> None:
    Folder(out).checkpoint_path("000-00000").touch()


def leave_temporary(out: Path) -> None:
    (out / ".cells.parquet.7-00000000.tmp").touch()


def remove_table(out: Path) -> None:
    shutil.rmtree(out / "neurons")


def remove_networks(out: Path) -> None:
    shutil.rmtree(out / "weights")


def add_part(out: Path) -> None:
    shutil.copy(out / "runs" / "000-00000.parquet", out / "runs" / "000-00007.parquet")


def choose_cells(out: Path) -> None:
    (out / "closeup.json").write_text("[1]")


@pytest.mark.parametrize(
    "change",
    [leave_checkpoint, leave_temporary, remove_table, remove_networks, add_part, choose_cells],
)
def test_what_is_left_over_or_gone_is_looked_at(
    made: tuple[Sweep, Path], tmp_path: Path, change: Callable[[Path], None]
) -> None:
    sweep, whole = made
    out = copied(whole, tmp_path / "out")
    change(out)
    assert finished_runs(Folder(out), sweep) == 0


def test_another_request_or_other_code_is_planned(
    made: tuple[Sweep, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also settings that decide no numbers: the plan says that they are not used."""
    sweep, whole = made
    more = replace(sweep, seeds=(0, 1))
    other = replace(sweep, engine=sweep.engine.model_copy(update={"chunk": 3}))
    assert finished_runs(Folder(whole), more) == finished_runs(Folder(whole), other) == 0
    monkeypatch.setattr(plugins, "_added", {("task", "mine"): plugins.Plugin("mine", "0" * 16)})
    assert finished_runs(Folder(whole), sweep) == 0
    monkeypatch.undo()
    newer = finished._code
    monkeypatch.setattr(finished, "_code", lambda: newer() + "1")
    assert finished_runs(Folder(whole), sweep) == 0


def test_an_unfinished_sweep_has_no_note(made: tuple[Sweep, Path], tmp_path: Path) -> None:
    sweep, whole = made
    out = copied(whole, tmp_path / "out")
    (out / NOTE).unlink()
    for path in out.glob("*/000-*.parquet"):
        path.unlink()
    start(sweep, out, calls=1)
    assert not (out / NOTE).exists()
    start(sweep, out)
    assert finished_runs(Folder(out), sweep) == RUNS


def test_a_sweep_that_reads_files_is_planned() -> None:
    """They may hold other data by now."""
    named = {name: finished._names_files(load(Path(f"sweeps/{name}.yaml"))) for name in SHIPPED}
    assert named == SHIPPED


SHIPPED = {"images": True, "circuits": False, "wd": False, "mixture": True}


def test_the_command_says_so_without_jax(made: tuple[Sweep, Path]) -> None:
    """And draws nothing that is drawn."""
    _, whole = made
    code = f"""
from typer.testing import CliRunner
from phasegrok.cli.main import app
asked = ["sweep", {str(whole.parent / "damaged.yaml")!r}, "--output", {str(whole)!r}]
done = CliRunner().invoke(app, asked)
assert done.exit_code == 0, done.output
assert "damaged: all 6 runs are done, and every file is whole" in done.output, done.output
"""
    assert "jax" not in loaded_by(code)
    drawn = {path: path.stat().st_mtime_ns for path in (whole / "figures").iterdir()}
    assert drawn and loaded_by(code).isdisjoint({"jax", "matplotlib"})
    assert drawn == {path: path.stat().st_mtime_ns for path in (whole / "figures").iterdir()}
