"""Merged parts hold the same rows in the same order, whatever cuts the merging short."""

from __future__ import annotations

import random
import shutil
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from phasegrok import running
from phasegrok.errors import Refusal
from phasegrok.results import compact as module
from phasegrok.results.compact import compact, is_cut_short, settle
from phasegrok.results.folder import Folder
from phasegrok.results.parts import run_ids
from phasegrok.running import chunk
from phasegrok.running.audit import audit
from phasegrok.sweep.load import Sweep, load
from tests.running.faulty import KILLED, Disk, Killed, between
from tests.running.null import null
from tests.running.watching import Watch
from tests.thorough import some

TABLES = ("runs", "curves")
SWEEP = """\
name: many
task: {kind: modular, modulus: 7}
model: {width: 12}
train: {steps: 20, log_every: 10}
axes:
  data.data_fraction: [0.3, 0.8]
  optimizer.weight_decay: {start: 0, stop: 4, num: 10}
engine: {chunk: 2}
measure: {weights: final}
"""


@pytest.fixture(autouse=True)
def trained_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk, "compiled", null)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sweep, Path]:
    """Ten chunks of two programs."""
    home = tmp_path_factory.mktemp("compact")
    (home / "sweep.yaml").write_text(SWEEP)
    sweep = load(home / "sweep.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunk, "compiled", null)
        train(sweep, home / "whole")
    return sweep, home / "whole"


def train(sweep: Sweep, out: Path) -> Watch:
    watch = Watch()
    running.run(running.prepare(sweep, out, False, watch.note), watch)
    return watch


def copied(made: tuple[Sweep, Path], to: Path) -> Folder:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(made[1], to)
    return Folder(to)


def same(out: Path, whole: Path) -> bool:
    return all(pd.read_parquet(out / name).equals(pd.read_parquet(whole / name)) for name in TABLES)


def test_rows_are_the_same_and_a_sweep_has_nothing_to_do(
    made: tuple[Sweep, Path], tmp_path: Path
) -> None:
    """So says every reader: pandas, the folder, a resume, an audit that trains runs again."""
    sweep, whole = made
    folder = copied(made, tmp_path / "out")
    done = compact(folder)
    assert (done.before, done.after) == (20, 2)
    assert [path.name for path in folder.parts("runs")] == ["000-00000--001-00004.parquet"]
    assert same(folder.path, whole) and folder.read("curves").equals(Folder(whole).read("curves"))
    watch = train(sweep, folder.path)
    assert watch.trained == 0 and watch.notes == [] and watch.skipped == 20
    again = compact(folder)
    assert (again.before, again.after) == (2, 2)
    found = audit(folder.path, retrain=20)
    assert found.sound and found.trained == 20 and found.same
    assert not (folder.path / ".compact").exists()


def test_what_is_missing_keeps_its_place(made: tuple[Sweep, Path], tmp_path: Path) -> None:
    """A chunk that is trained later stands where it would have stood."""
    sweep, whole = made
    folder = copied(made, tmp_path / "out")
    for table in TABLES:
        (folder.path / table / "000-00002.parquet").unlink()
    compact(folder)
    names = [path.stem for path in folder.parts("runs")]
    assert names == ["000-00000--000-00001", "000-00003--001-00004"]
    assert train(sweep, folder.path).trained == 2
    assert same(folder.path, whole)
    compact(folder)
    assert len(folder.parts("curves")) == 1 and same(folder.path, whole)


def test_parts_do_not_grow_beyond_a_size(made: tuple[Sweep, Path], tmp_path: Path) -> None:
    folder = copied(made, tmp_path / "out")
    size = max(path.stat().st_size for table in TABLES for path in folder.parts(table))
    done = compact(folder, largest=3 * size)
    assert 2 < done.after < 20 and same(folder.path, made[1])
    assert {p.name for p in folder.parts("runs")} == {p.name for p in folder.parts("curves")}


@pytest.mark.parametrize("table", TABLES)
def test_a_damaged_merged_part_costs_its_chunks(
    made: tuple[Sweep, Path], tmp_path: Path, table: str
) -> None:
    """All of them are trained again; nothing of the others, and no row is there twice."""
    sweep, whole = made
    folder = copied(made, tmp_path / "out")
    size = max(path.stat().st_size for name in TABLES for path in folder.parts(name))
    compact(folder, largest=3 * size)
    victim = folder.parts(table)[0]
    lost = len(run_ids(folder.part_path("runs", victim.stem)))
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(bytes(content))
    watch = train(sweep, folder.path)
    assert watch.trained == lost < 20
    assert same(folder.path, whole)


@pytest.mark.parametrize("exchange", some([True, False], {1}))
def test_whatever_cuts_it_short(
    made: tuple[Sweep, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    """Killed at any call of the disk: each table is whole, old or new, for whoever looks; the same
    command goes on, and so does a sweep. Without an exchange of names there is one moment in which
    a table has none: then it is not there, and never half."""
    sweep, whole = made
    if not exchange:
        monkeypatch.setattr(module, "_exchanged", lambda one, other: False)
    with between(Disk(tmp_path / "counted")) as disk:
        compact(copied(made, tmp_path / "counted"))
    many = disk.calls
    assert many > 60
    late = range(many - 22, many, 1 if exchange else 3)  # where tables are put in place
    for at in [*late, *random.Random(0).sample(range(many - 22), 3)]:
        folder = copied(made, tmp_path / "out")
        with between(Disk(folder.path, at, KILLED)), suppress(Killed):
            compact(folder)
        for table in TABLES:
            if exchange or (folder.path / table).exists():
                one = pd.read_parquet(folder.path / table)
                assert one.equals(pd.read_parquet(whole / table)), f"{table} after call {at}"
        if at % 2:
            watch = train(sweep, folder.path)
            assert watch.trained == 0 and watch.notes == [], f"call {at}"
        compact(folder)
        assert same(folder.path, whole) and len(folder.parts("runs")) == 1
        assert not (folder.path / ".compact").exists()


def test_only_a_folder_with_tables(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(Refusal, match="no finished runs"):
        compact(Folder(tmp_path / "out"))


def test_nothing_is_settled_where_nothing_was_begun(
    made: tuple[Sweep, Path], tmp_path: Path
) -> None:
    folder = copied(made, tmp_path / "out")
    settle(folder)
    assert not is_cut_short(folder) and same(folder.path, made[1])
