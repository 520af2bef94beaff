"""Several processes on one folder: its tables are one process's, whatever becomes of them."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from phasegrok.distribute.losses import MOST_DEATHS
from phasegrok.files.members import join, pieces
from phasegrok.results.folder import Folder
from phasegrok.results.sessions import read_sessions
from tests.distribute.children import SWEEP, ended, parts, published, same, start, until


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep file, and the folder ``one`` that one process made of it."""
    home = tmp_path_factory.mktemp("shards")
    (home / "sweep.yaml").write_text(SWEEP)
    refined = "refine: {levels: 2, axes: [data.data_fraction, optimizer.weight_decay]}\n"
    (home / "refined.yaml").write_text(
        SWEEP.replace("[0.3, 0.5, 0.7, 0.9]", "[0.3, 0.4, 0.5, 0.6, 0.7]") + refined
    )
    made = [
        start("sweep", home / f"{name}.yaml", "--output", home / out, log=home / f"{out}.log")
        for name, out in (("sweep", "one"), ("refined", "rounds"))
    ]
    assert [ended(each) for each in made] == [0, 0], (home / "one.log").read_text()
    return home


def has_piece(out: Path, pid: int | None) -> bool:
    return any(claim.get("pid") == pid for claim in pieces(out).values())


def falls_asleep(out: Path, pid: int) -> bool:
    """Stop a process while it trains a chunk; between two of them it goes on, and it is False."""
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.05)  # whatever call it is in may still end
    if any(c.get("pid") == pid and not published(out, name) for name, c in pieces(out).items()):
        return True
    os.kill(pid, signal.SIGCONT)
    return False


def test_processes_that_are_killed_and_stopped_change_nothing(home: Path, tmp_path: Path) -> None:
    """Four shards: two are killed, one of which comes again; one sleeps past its heartbeat, while
    others train its chunk, and goes on. It says so, and every run is there once."""
    out = tmp_path / "out"
    asked = ("sweep", home / "sweep.yaml", "--output", out, "--shard")
    shards = [start(*asked, f"{i}/4", log=tmp_path / f"{i}", seconds=0.1) for i in (1, 2, 3, 4)]
    until(lambda: parts(out) > 3 and all(has_piece(out, each.pid) for each in shards))
    shards[1].kill()
    until(lambda: falls_asleep(out, shards[3].pid or 0))
    until(lambda: parts(out) > 7)
    shards[2].kill()
    shards[1].join()
    shards[1] = start(*asked, "2/4", log=tmp_path / "again", seconds=0.1)
    until(lambda: parts(out) == 28)  # its chunk too
    os.kill(shards[3].pid or 0, signal.SIGCONT)
    codes = [ended(each) for each in shards]
    assert codes == [0, 0, -signal.SIGKILL, 0], [(tmp_path / "4").read_text(), codes]
    assert same(out, home / "one")
    assert "nothing of it is written here" in (tmp_path / "4").read_text()
    sessions = read_sessions(out)
    assert len(sessions) == 5 and all(each.share for each in sessions)
    assert sum(each.runs for each in sessions) <= 208, "none was published twice"
    labelled = [name for name in ("1", "again", "4") if "tables " in (tmp_path / name).read_text()]
    assert len(labelled) == 1, "one of them labels and draws"


def test_rounds_of_refinement_are_one_process_s(home: Path, tmp_path: Path) -> None:
    """A round follows from all cells of those before it, so each shard waits for the others."""
    out = tmp_path / "out"
    asked = ("sweep", home / "refined.yaml", "--output", out, "--shard")
    shards = [start(*asked, f"{i}/3", log=tmp_path / f"{i}", seconds=0.02) for i in (1, 2, 3)]
    assert [ended(each) for each in shards] == [0, 0, 0], (tmp_path / "1").read_text()
    assert same(out, home / "rounds")
    assert len(Folder(out).manifest()["jobs"]) > 4, "there was more than the first round"  # type: ignore[index]


def test_a_cluster_s_signal_saves_and_the_rest_is_stolen(home: Path, tmp_path: Path) -> None:
    """Exit code 75, the chunk goes on from its checkpoint elsewhere, and none is left claimed."""
    out = tmp_path / "out"
    asked = ("sweep", home / "sweep.yaml", "--output", out, "--shard")
    first = start(*asked, "1/2", log=tmp_path / "1", seconds=0.3)
    until(lambda: list(out.glob(".checkpoint-*")))
    os.kill(first.pid or 0, signal.SIGUSR1)
    assert ended(first) == 75, (tmp_path / "1").read_text()
    assert list(out.glob(".checkpoint-*")) and not list((out / ".workers").glob("*.member"))
    second = start(*asked, "2/2", log=tmp_path / "2")
    assert ended(second) == 0
    assert same(out, home / "one") and not list(out.glob(".checkpoint-*"))


def test_who_has_a_folder_alone_and_who_shares_it(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    asked = ("sweep", home / "sweep.yaml", "--output", out)
    with join(out, "shard 9/9"):
        alone = start(*asked, log=tmp_path / "alone", expiry=60)
        assert ended(alone) == 3
    assert "in use by shard 9/9" in (tmp_path / "alone").read_text()
    with Folder(out).lock("process 7 on here"):
        shard = start(*asked, "--shard", "1/2", log=tmp_path / "shard")
        assert ended(shard) == 3
    assert "in use by process 7 on here" in (tmp_path / "shard").read_text()


def test_a_chunk_at_which_processes_die_is_skipped(home: Path, tmp_path: Path) -> None:
    """It is named, the rest is trained, and who has the folder alone tries it once more."""
    out = tmp_path / "out"
    asked = ("sweep", home / "sweep.yaml", "--output", out, "--set", "engine.checkpoint_every=1e9")
    for i in range(MOST_DEATHS):
        shard = start(*asked, "--shard", "1/2", log=tmp_path / f"{i}", seconds=60)
        until(partial(has_piece, out, shard.pid))
        shard.kill()
        shard.join()
    last = start(*asked, "--shard", "1/2", log=tmp_path / "last")
    assert ended(last) == 2
    said = (tmp_path / "last").read_text()
    assert (
        "chunk 000-00000 is skipped" in said
        and "8 runs are not trained" in said
        and "000-00000: died: shard 1/2" in said
    )
    assert parts(out) == 27
    assert ended(start(*asked, log=tmp_path / "alone")) == 0
    assert same(out, home / "one")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--shard", "5/4"), "allowed: I/N"),
        (("--shard", "two"), "allowed: I/N"),
        (("--shard", "1/4", "--fresh"), "--fresh: found with --shard"),
    ],
)
def test_bad_shares_are_refused(
    home: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    out = tmp_path / "out"
    shard = start("sweep", home / "sweep.yaml", "--output", out, *options, log=tmp_path / "log")
    assert ended(shard) == 2 and said in (tmp_path / "log").read_text() and not out.exists()
