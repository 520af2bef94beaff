"""Damaged and missing files: trained again, refused in one line, never a wrong table."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from phasegrok import running
from phasegrok.errors import Damaged, Refusal
from phasegrok.results.folder import Folder
from phasegrok.sweep.load import Sweep
from tests.running.damage import (
    WAYS,
    copied,
    damage,
    differences,
    make,
    result_files,
    swap,
)
from tests.running.watching import Watch, start
from tests.thorough import some

Made = tuple[Sweep, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("damage"))


def resume(sweep: Sweep, out: Path) -> tuple[list[str], int]:
    """What a resume says, and how many runs it trains."""
    notes: list[str] = []
    watch = Watch()
    running.run(running.prepare(sweep, out, False, notes.append), watch)
    return notes, watch.trained


FILES = [
    "runs/000-00000.parquet",
    "curves/001-00000.parquet",
    "neurons/000-00001.parquet",
    "weights/*/40.npz",
    "weights/*/run.json",
    "manifest.json",
    "sweep.yaml",
    "cells.parquet",
    "boundaries.parquet",
]


@pytest.mark.parametrize("name", some(FILES, {0, 3, 5}))
def test_a_resume_makes_good_what_was_damaged(made: Made, tmp_path: Path, name: str) -> None:
    """In every way: the results are the undamaged ones bit for bit, at most the runs of one chunk
    are trained again, the file itself is kept aside, and one line named it before."""
    sweep, whole = made
    chance = random.Random(name)
    trained = set()
    for way in WAYS:
        out = copied(whole, tmp_path / "out")
        path = sorted(out.glob(name))[0]
        damage(path, way, chance)
        notes, count = resume(sweep, out)
        assert differences(out, whole) == [], way
        trained.add(count > 0)
        results = path.suffix == ".parquet" and path.parent != out
        if way != "missing" and (results or name == "manifest.json") and notes:
            assert any(str(path) in note for note in notes)
            home = out / "damaged" / path.relative_to(out).parent
            assert [p.name for p in home.glob(f"{path.name}*")] == [f"{path.name}.damaged-1"]
        assert count <= 2, "of one chunk"
    assert resume(sweep, out) == ([], 0), "and then all is well"
    assert (True in trained) == (name.split("/")[0] in ("runs", "curves", "neurons", "weights"))


@pytest.mark.parametrize("table", ["runs", "curves", "neurons"])
def test_swapped_parts_are_noticed(made: Made, tmp_path: Path, table: str) -> None:
    """Each is a whole file, of other runs than its name says."""
    sweep, whole = made
    out = copied(whole, tmp_path / "out")
    swap(out, table)
    notes, trained = resume(sweep, out)
    assert (trained == 3 and "other runs" in notes[0]) or "of another chunk" in notes[0]
    assert differences(out, whole) == []


def test_a_copy_of_a_part_is_no_second_part(made: Made, tmp_path: Path) -> None:
    """Under whatever name; and a file of somebody else is set aside too."""
    sweep, whole = made
    out = copied(whole, tmp_path / "out")
    shutil.copy(out / "runs" / "000-00000.parquet", out / "runs" / "copy.parquet")
    pq.write_table(pa.table({"x": [1]}), out / "curves" / "foreign.parquet")
    with pytest.raises(Damaged, match=r"curves/foreign\.parquet: damaged: found no column run"):
        Folder(out).read("curves")
    shutil.copy(out / "neurons" / "000-00000.parquet", out / "neurons" / "009-00000.parquet")
    notes, trained = resume(sweep, out)
    assert trained == 0 and "second time" in notes[0] and "no column run" in notes[1]
    assert "neurons/009-00000.parquet: belongs to no chunk" in notes[2]
    assert differences(out, whole) == []


def test_commands_that_read_name_the_file(made: Made, tmp_path: Path) -> None:
    """And write nothing: neither a table without the rows, nor a number that is not there."""
    _, whole = made
    chance = random.Random(1)
    for table in ("runs", "curves", "neurons"):
        for way in WAYS:
            out = copied(whole, tmp_path / "out")
            path = sorted((out / table).glob("*.parquet"))[1]
            damage(path, way, chance)
            if (table, way) == ("runs", "missing"):
                continue  # a chunk that is not done
            with pytest.raises(Damaged) as refusal:
                Folder(out).read(table)
            line = str(refusal.value)
            assert line.startswith(f"{path}: damaged: ") and line.isprintable(), line


def test_a_table_that_was_removed_stays_removed(made: Made, tmp_path: Path) -> None:
    """To have less on disk. That is said once, and nothing is trained again for it; also where a
    later extension makes the table anew."""
    sweep, whole = made
    out = copied(whole, tmp_path / "out")
    shutil.rmtree(out / "neurons")
    shutil.rmtree(out / "weights")
    notes, trained = resume(sweep, out)
    assert trained == 0 and len(notes) == 2 and all("removed on purpose" in n for n in notes)
    assert resume(sweep, out) == ([], 0)
    (out / "runs" / "001-00000.parquet").unlink()
    assert resume(sweep, out)[1] == 2
    assert len(pd.read_parquet(out / "neurons")["run"].unique()) == 2
    assert len(Folder(out).read("neurons")["run"].unique()) == 2
    assert resume(sweep, out) == ([], 0)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "missing"])
def test_a_damaged_checkpoint_costs_its_chunk(made: Made, tmp_path: Path, way: str) -> None:
    """It is set aside, and the chunk begins anew."""
    sweep, whole = made
    out = copied(whole, tmp_path / "out")
    for table in ("runs", "curves", "neurons"):
        (out / table / "000-00000.parquet").unlink()
    start(sweep, out, 1)
    (saved,) = out.glob(".checkpoint-*")
    damage(saved, way, random.Random(3))
    resumed = Watch()
    running.run(running.prepare(sweep, out, False, lambda line: None), resumed)
    assert differences(out, whole) == []
    assert resumed.trained == 2 and not list(out.glob(".checkpoint-*"))
    assert len(resumed.notes) == 1 and str(saved) in resumed.notes[0]
    assert [path.name for path in (out / "damaged").iterdir()] == [
        f"{saved.name.removeprefix('.')}.damaged-1"
    ]


def test_without_manifest_and_sweep_nothing_is_touched(made: Made, tmp_path: Path) -> None:
    """What the tables are of is not known: one line, and nothing is written."""
    sweep, whole = made
    out = copied(whole, tmp_path / "out")
    for name in ("manifest.json", "sweep.yaml"):
        (out / name).write_bytes(b"")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(Refusal, match=r"does not say that the tables .* safe"):
        running.prepare(sweep, out, False)
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_every_file_is_looked_at(made: Made) -> None:
    """The list above has a file of every folder and kind that a sweep writes."""
    _, whole = made
    kinds = {str(path.parent).split("/")[0] + path.suffix for path in result_files(whole)}
    assert kinds == {str(Path(name).parent).split("/")[0] + Path(name).suffix for name in FILES}


def test_a_path_is_no_column(made: Made, tmp_path: Path) -> None:
    """Readers take ``key=value`` in a path for a column, and clash where the table has it too."""
    sweep, whole = made
    out = tmp_path / "weight_decay=5" / "lr=0.1"
    running.run(running.prepare(sweep, out, False), Watch())
    assert resume(sweep, out) == ([], 0)
    for table in ("runs", "curves", "neurons"):
        pd.testing.assert_frame_equal(Folder(out).read(table), Folder(whole).read(table))
    assert Folder(out).boundaries().equals(Folder(whole).boundaries())
