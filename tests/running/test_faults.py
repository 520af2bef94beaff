"""A disk that fails, or a process that dies, at any one of its calls: nothing is lost.

A sample of the calls. ``make faults`` goes through all of them.
"""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from phasegrok import running
from phasegrok.errors import Refusal
from phasegrok.plan import layout
from phasegrok.results.folder import Folder
from phasegrok.sweep.load import Sweep
from tests.running.damage import differences, make
from tests.running.faulty import BROKEN, FULL, KILLED, QUOTA, READ_ONLY, Disk, Killed, between
from tests.running.watching import Watch, start
from tests.thorough import some

Made = tuple[Sweep, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("faults"))


def train(sweep: Sweep, out: Path) -> list[str]:
    notes: list[str] = []
    running.run(running.prepare(sweep, out, False, notes.append), Watch())
    return notes


def survives(sweep: Sweep, whole: Path, out: Path, at: int, how: int) -> int:
    """Fail at one call, look at what is there, go on. How many runs were kept."""
    with between(Disk(out, at, how)) as disk:
        try:
            train(sweep, out)
        except Killed:
            assert how == KILLED
        except OSError as error:
            assert error.errno == how and error.filename is not None
        else:
            # The last that is done is to let go of the folder; by then all is well.
            assert not disk.failed or differences(out, whole) == [], "an error was swallowed"
    if how != KILLED and out.exists():
        left = [path for path in out.rglob(".*.tmp") if path.is_file()]
        assert not left or disk.failed, left
    kept = seen(out, whole)
    assert [note for note in train(sweep, out) if "damaged" in note] == []
    assert differences(out, whole) == [], f"{how} at call {at}"
    assert not list(out.rglob(".*.tmp")) and not list(out.glob(".checkpoint-*"))
    return kept


def seen(out: Path, whole: Path) -> int:
    """What is there is read as it should be, or refused in one line; never otherwise."""
    done = 0
    for table in ("runs", "curves", "neurons"):
        if not (out / table).is_dir() or not list((out / table).glob("*.parquet")):
            continue
        try:
            found = Folder(out).read(table)
        except Refusal:
            continue
        every = pd.read_parquet(whole / table)
        same = every[every["run"].isin(found["run"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, same, check_exact=True, check_dtype=False)
        done = max(done, found["run"].nunique())
    return done


def calls(sweep: Sweep, out: Path) -> int:
    with between(Disk(out)) as disk:
        train(sweep, out)
    return disk.calls


@pytest.mark.parametrize("how", some([KILLED, FULL, QUOTA, BROKEN, READ_ONLY], 1))
def test_a_fault_at_any_call_loses_nothing(made: Made, tmp_path: Path, how: int) -> None:
    """Whichever call it is. Everything published before is whole and stays; the same command goes
    on; the tables are those of a sweep without a fault."""
    sweep, whole = made
    many = calls(sweep, tmp_path / "counted")
    assert differences(tmp_path / "counted", whole) == []
    assert many > 150, "every kind of call is seen"
    kept = [
        survives(sweep, whole, tmp_path / str(at), at, how)
        for at in sorted(random.Random(how).sample(range(many), 6 if how == KILLED else 3))
    ]
    assert kept == sorted(kept), "runs that are done stay done"


def test_a_write_that_fails_leaves_no_temporary(made: Made, tmp_path: Path) -> None:
    """Where there is space for a moment's cleaning up: the temporary file goes, and its space."""
    sweep, _ = made
    failures = 0
    for at in range(9, 140, 13):
        out = tmp_path / str(at)
        with between(Disk(out, at, once=True)) as disk, suppress(OSError):
            train(sweep, out)
        failures += disk.failed
        assert not list(out.rglob(".*.tmp"))
    assert failures > 5


def test_a_checkpoint_of_a_published_chunk_goes(made: Made, tmp_path: Path) -> None:
    """A crash came between the last rename and the removal."""
    sweep, whole = made
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "CALL_SECONDS", 1e-9)
        start(sweep, out, 1)
    (saved,) = out.glob(".checkpoint-*")
    content = saved.read_bytes()
    train(sweep, out)
    saved.write_bytes(content)
    train(sweep, out)
    assert not saved.exists() and differences(out, whole) == []
