"""A chunk that does not fit the device of one process of several is trained in pieces."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from phasegrok import running
from phasegrok.distribute import pieces, shards
from phasegrok.distribute.split import Shard
from phasegrok.errors import Refusal
from phasegrok.results.folder import Folder
from phasegrok.running.session import Session
from phasegrok.stopping import Interrupted
from phasegrok.sweep.load import Sweep
from tests.conftest import MakeSweep
from tests.running.memory import little_memory
from tests.running.watching import Watch, start

AXES = "axes: {optimizer.weight_decay: {start: 0, stop: 5, num: 16}}\n"
SETS = ("engine.mapping=vmap", "engine.chunk=8", "train.steps=20")


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_FITS", {})


def shard(sweep: Sweep, out: Path, watch: Watch | None = None) -> list[str]:
    """Run a sweep as the only shard of its folder; the notes that come."""
    watch = watch or Watch()
    session = Session(share="1/1", signals=watch.signals)
    prepare = partial(running.prepare, sweep, out, False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "Session", lambda **_: session)
        shards.run_shard(prepare(), Shard(1, 1), watch, prepare)
    return watch.notes


def alike(one: Path, other: Path, table: str) -> None:
    a, b = (pd.read_parquet(folder / table) for folder in (one, other))
    pd.testing.assert_frame_equal(a, b, rtol=1e-3)


def test_it_is_published_as_a_whole(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight runs in a chunk, then four, then two, which fit: found out once. The folder is laid out
    as it was planned, its tables are those of a sweep with enough memory, and nothing is left."""
    sweep, out = make_sweep(AXES, *SETS), tmp_path / "out"
    start(sweep, tmp_path / "whole")
    little_memory(monkeypatch, 2)
    assert [note for note in shard(sweep, out) if "memory" in note] == [
        "note: 8 runs do not fit the device's memory: goes on with 4",
        "note: 4 runs do not fit the device's memory: goes on with 2",
    ]
    assert [len(runs) for runs in Folder(out).published().values()] == [8, 8]
    for table in ("runs", "curves"):
        alike(out, tmp_path / "whole", table)
    assert not list(out.glob(".checkpoint*")) and not running.prepare(sweep, out, False).missing()


def test_an_interrupt_in_the_middle(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces that are done, and what was trained of the next, are not trained again."""
    sweep, out = make_sweep(AXES, *SETS, "train.log_every=5"), tmp_path / "out"
    start(sweep, tmp_path / "whole")
    little_memory(monkeypatch, 2)
    with pytest.raises(Interrupted):
        shard(sweep, out, Watch(calls=6))
    assert len(list(out.glob(".checkpoint*"))) in (2, 3)
    again = Watch()
    shard(sweep, out, again)
    assert again.trained <= 16 - 4
    alike(out, tmp_path / "whole", "runs")
    assert not list(out.glob(".checkpoint*"))


def test_what_cannot_be_cut_is_refused(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single run; a chunk whose state is kept as a whole; and an error that is not of memory is
    not taken for one."""
    sweep = make_sweep(AXES, *SETS)
    little_memory(monkeypatch, 0)
    with pytest.raises(Refusal, match="do not fit this device's memory"):
        shard(sweep, tmp_path / "one")
    with pytest.raises(Refusal, match="its state is kept as a whole"):
        shard(make_sweep(AXES, *SETS, "engine.keep_state=true"), tmp_path / "kept")
    little_memory(monkeypatch, 0, says="INTERNAL")
    with pytest.raises(RuntimeError, match="INTERNAL"):
        shard(sweep, tmp_path / "other")
