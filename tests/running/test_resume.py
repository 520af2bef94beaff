"""A resume follows the manifest, whatever the planner would do today."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from phasegrok import running
from phasegrok.errors import Refusal
from phasegrok.plan import layout
from phasegrok.results.folder import Folder
from tests.conftest import MakeSweep
from tests.running.watching import Watch, rewrite_manifest, start

AXES = """
axes: {data.data_fraction: [0.3, 0.32, 0.8], optimizer.weight_decay: [0, 1, 2]}
engine: {chunk: 2, checkpoint_every: 1.0e-9}
measure: {spectra: true}
"""
TABLES = ("runs", "curves", "neurons", "cells.parquet")


def assert_same(a: Path, b: Path) -> None:
    for table in TABLES:
        x, y = pd.read_parquet(a / table), pd.read_parquet(b / table)
        pd.testing.assert_frame_equal(x, y, check_exact=True)


def change_planner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other groups, other tiles, other chunks and calls than before."""
    monkeypatch.setattr(layout, "MAX_WASTE", 0.9)
    monkeypatch.setattr(layout, "CALL_SECONDS", 1e-9)
    monkeypatch.setattr(layout, "TILE_NUMBERS", (50, 50))
    monkeypatch.setattr(layout, "MAX_CHUNK", {"map": 1, "vmap": 1})


def first_format(out: Path) -> dict[str, Any]:
    """Rewrite a manifest as earlier versions wrote it."""
    manifest = json.loads((out / "manifest.json").read_text())
    del manifest["format"]
    layouts = [job["layout"] for job in manifest["jobs"]]
    manifest["jobs"] = [{"kind": each.pop("mapping")} | each for each in layouts]
    manifest["sweep_hash"] = "0" * 64
    rewrite_manifest(out, manifest)
    del manifest["seal"]
    return manifest


@pytest.fixture
def whole(make_sweep: MakeSweep, tmp_path: Path) -> Path:
    """The results of an uninterrupted run."""
    start(make_sweep(AXES), tmp_path / "whole")
    return tmp_path / "whole"


def test_another_planner_changes_nothing(
    make_sweep: MakeSweep, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted inside the second chunk and resumed by a version that groups runs otherwise: the
    tables are an uninterrupted run's bit for bit, and the plan of a new folder is another."""
    sweep, out = make_sweep(AXES), tmp_path / "out"
    calls = 1 + running.prepare(sweep, out, False).chunks[0].job.program.intervals
    monkeypatch.setattr(layout, "CALL_SECONDS", 1e-9)
    start(sweep, out, calls)
    assert len(Folder(out).published()) == 1 and list(out.glob(".checkpoint-*"))
    change_planner(monkeypatch)
    then, now = running.prepare(sweep, out, False), running.prepare(sweep, tmp_path / "new", False)
    assert len(then.plan.jobs) != len(now.plan.jobs)
    assert then.plan.jobs[0].program.tile != now.plan.jobs[0].program.tile
    resumed = start(sweep, out)
    assert resumed.trained + resumed.skipped == 9
    assert_same(out, whole)
    assert not list(out.glob(".checkpoint-*"))


def test_checkpoints_of_versions_that_measured_less_go_on(
    make_sweep: MakeSweep, whole: Path, tmp_path: Path
) -> None:
    """What was not measured up to the checkpoint is null there and measured from then on; all else
    is an uninterrupted run's, the settled accuracies among it."""
    sweep, out = make_sweep(AXES), tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "CALL_SECONDS", 1e-9)
        start(sweep, out, 2)
    (saved,) = out.glob(".checkpoint-*")
    with np.load(saved) as file:
        arrays = {name: file[name] for name in file.files if name != "record_constant_neurons"}
    assert len(arrays) < len(np.load(saved).files)
    np.savez(saved, **arrays)
    start(sweep, out)
    for table in ("runs", "neurons", "cells.parquet"):
        pd.testing.assert_frame_equal(
            pd.read_parquet(out / table), pd.read_parquet(whole / table), check_exact=True
        )
    found, expected = (pd.read_parquet(path / "curves") for path in (out, whole))
    null = found["constant_neurons"].isna()
    assert null.any() and found.loc[null, "step"].max() < found["step"].max()
    assert found["run"][null].nunique() == 2
    found["constant_neurons"] = found["constant_neurons"].where(~null, expected["constant_neurons"])
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


@pytest.mark.parametrize("changed", [False, True])
def test_old_folders_go_on(
    make_sweep: MakeSweep, whole: Path, tmp_path: Path, changed: bool
) -> None:
    """A manifest that does not name runs: today's plan is followed where it explains what is
    published; else that is kept and the rest planned anew, under job numbers of its own."""
    sweep, out = make_sweep(AXES), tmp_path / "out"
    shutil.copytree(whole, out)
    old = first_format(out)
    for name in ("000-00001", *(p.stem for p in sorted(out.glob("runs/*.parquet"))[2:])):
        for table in ("runs", "curves", "neurons"):
            (out / table / f"{name}.parquet").unlink(missing_ok=True)
    kept = Folder(out).published()
    assert list(kept) == ["000-00000"]
    notes: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        if changed:
            change_planner(patch)
        prepared = running.prepare(sweep, out, False, notes.append)
        assert json.loads((out / "manifest.json").read_text()) == old
        running.run(prepared, Watch())
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["format"] == 2 and "sweep_hash" not in manifest
    done = [run_id for ids in Folder(out).published().values() for run_id in ids]
    runs = pd.read_parquet(whole / "runs")["run"]
    assert sorted(done) == sorted(runs)
    assert Folder(out).published()["000-00000"] == kept["000-00000"]
    if changed:
        assert len(notes) == 1 and "7 runs are planned anew" in notes[0]
        numbers = {name[:3] for name in Folder(out).published()} - {"000"}
        assert min(map(int, numbers)) == len(old["jobs"])
    else:
        assert not notes
        assert_same(out, whole)
    running.run(running.prepare(sweep, out, False, pytest.fail), Watch())
    (out / "runs" / "000-00000.parquet").write_bytes(b"")
    notes.clear()
    watch = Watch()
    running.run(running.prepare(sweep, out, False, notes.append), watch)
    assert watch.trained == len(kept["000-00000"]), "also where no job trains them any more"
    assert sorted(pd.read_parquet(out / "runs")["run"]) == sorted(runs)


def test_parts_merged_by_hand_are_done(make_sweep: MakeSweep, whole: Path) -> None:
    """By their runs, not by their names; of an old folder and of a new one."""
    merged = pd.read_parquet(whole / "runs")
    for part in (whole / "runs").iterdir():
        part.unlink()
    merged.to_parquet(whole / "runs" / "all.parquet")
    for old in (False, True):
        if old:
            first_format(whole)
        prepared = running.prepare(make_sweep(AXES), whole, False, pytest.fail)
        assert prepared.missing() == []
        watch = Watch()
        running.run(prepared, watch)
        assert watch.skipped == 9 and watch.trained == 0


def test_runs_that_the_manifest_does_not_explain_are_refused(
    make_sweep: MakeSweep, whole: Path
) -> None:
    """Ids that the sweep lacks, runs that no chunk holds, chunks of which a part is published."""
    sweep, path = make_sweep(AXES), whole / "manifest.json"
    text = path.read_text()
    for change, words in (
        (lambda ids: ["x" * 16, *ids[1:]], "the manifest names 1 run that this sweep does not"),
        (lambda ids: ids[1:], "this sweep has 1 run that the manifest does not name"),
    ):
        manifest = json.loads(text)
        chunks = manifest["jobs"][0]["chunks"]
        chunks["000-00000"] = change(chunks["000-00000"])
        rewrite_manifest(whole, manifest)
        with pytest.raises(Refusal, match=words) as refusal:
            running.prepare(sweep, whole, False)
        assert str(refusal.value).startswith(f"{whole}: ") and "tables are safe" in str(refusal)
        assert "\n" not in str(refusal.value)
    path.write_text(text)
    part = whole / "runs" / "000-00000.parquet"
    pd.read_parquet(part).iloc[:1].to_parquet(part)
    notes: list[str] = []
    (chunk,) = running.prepare(sweep, whole, False, notes.append).missing()
    assert chunk.id == "000-00000" and "holds other runs than those of chunk" in notes[0]


def test_an_interrupt_with_the_last_chunk_leaves_its_cells(
    make_sweep: MakeSweep, tmp_path: Path
) -> None:
    """The signal comes during the last call: all is published, so the cells are of all runs."""
    sweep, out = make_sweep(AXES), tmp_path / "out"
    chunks = running.prepare(sweep, out, False).chunks
    calls = sum(c.job.program.intervals // c.job.layout.intervals for c in chunks)
    watch = start(sweep, out, calls)
    assert watch.trained == 9
    assert len(pd.read_parquet(out / "cells.parquet")) == 9


def test_another_process_in_between_is_noticed(make_sweep: MakeSweep, tmp_path: Path) -> None:
    """Prepared, and overtaken: one line, and nothing is trained."""
    sweep, out = make_sweep(AXES), tmp_path / "out"
    prepared = running.prepare(sweep, out, False)
    start(sweep, out, 1)
    with pytest.raises(Refusal, match="another process worked here"):
        running.run(prepared, Watch())
