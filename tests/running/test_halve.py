"""A chunk that does not fit a device's memory is cut in two, as often as it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jax
import pandas as pd
import pytest

from phasegrok import running
from phasegrok.errors import Refusal
from phasegrok.plan.layout import Machine
from phasegrok.results.folder import Folder
from phasegrok.running import halve
from phasegrok.running.manifest import read_manifest
from phasegrok.sweep.load import Sweep
from phasegrok.train.engine import Engine
from tests.conftest import MakeSweep
from tests.running.memory import little_memory
from tests.running.watching import Watch, start

AXES = "axes: {optimizer.weight_decay: [0, 0.5, 1, 1.5, 2, 2.5, 3, 4]}\n"
SETS = ("engine.mapping=vmap", "engine.chunk=8", "train.steps=20")


def halving(sweep: Sweep, out: Path) -> list[str]:
    """Run a sweep; the notes that come."""
    watch = Watch()
    running.run(running.prepare(sweep, out, False), watch)
    return watch.notes


def test_chunks_are_halved_and_the_manifest_remembers(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight runs in a chunk, then four, then two, which fit. The tables are those of a sweep that
    was never short of memory. Another start has nothing left to do, and nothing to find out."""
    sweep, out = make_sweep(AXES, *SETS), tmp_path / "out"
    start(make_sweep(AXES, *SETS), tmp_path / "whole")
    little_memory(monkeypatch, 2)
    assert halving(sweep, out) == [
        "note: 8 runs do not fit the device's memory: goes on with 4",
        "note: 4 runs do not fit the device's memory: goes on with 2",
    ]
    manifest = read_manifest(Folder(out))
    assert manifest is not None
    assert [job.layout.chunk for job in manifest.jobs] == [2]
    assert len(Folder(out).published()) == 4
    tables = [pd.read_parquet(folder / "runs") for folder in (out, tmp_path / "whole")]
    a, b = (table.sort_values("run", ignore_index=True) for table in tables)
    pd.testing.assert_frame_equal(a, b, rtol=1e-3)
    assert not running.prepare(sweep, out, False).missing()


def test_published_chunks_stay(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory that runs short in the middle: parts that are there keep their names, and an
    interrupted sweep goes on with the smaller chunks."""
    sets = (*SETS[:1], "engine.chunk=4", *SETS[2:])
    sweep, out = make_sweep(AXES, *sets), tmp_path / "out"
    start(sweep, out, calls=1)
    before = set(Folder(out).published())
    little_memory(monkeypatch, 2)
    assert halving(sweep, out)
    after = Folder(out).published()
    assert before < set(after)
    assert sorted(map(len, after.values())) == [2, 2, 4]


def test_a_single_run_that_does_not_fit_is_refused(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where halving ends; and an error that is not of memory is not taken for one."""
    sweep = make_sweep(AXES, *SETS)
    little_memory(monkeypatch, 0)
    with pytest.raises(Refusal, match="do not fit this device's memory"):
        start(sweep, tmp_path / "out")
    little_memory(monkeypatch, 0, says="INTERNAL")
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        start(sweep, tmp_path / "other")


def test_the_compilers_report_is_asked_first(make_sweep: MakeSweep, tmp_path: Path) -> None:
    """On an accelerator a program that needs more than there is is not even begun."""
    prepared = running.prepare(make_sweep(AXES, *SETS), tmp_path / "out", False)
    job = prepared.chunks[0].job
    engine = Engine(job.program, job.layout)
    here = Machine("gpu", 2, 1 << 34, 1 << 30, 2e13, 20.0)
    halve.check_report(engine, here)
    with pytest.raises(halve.OutOfMemory):
        halve.check_report(engine, replace(here, memory=1000))
    halve.check_report(engine, replace(here, platform="cpu", memory=1000))
