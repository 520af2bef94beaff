"""More steps go on from the state that a finished folder kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from phasegrok import running
from phasegrok.errors import Refusal
from phasegrok.sweep.load import Sweep, load_mapping
from phasegrok.train.engine import Engine
from tests.running.damage import differences
from tests.running.watching import Watch, start

BASE = {
    "name": "longer",
    "task": {"kind": "modular", "modulus": 7},
    "model": {"width": 10, "dropout": 0.1},
    "train": {"log_every": 5, "batch_size": 9},
    "axes": {"data.data_fraction": [0.5, 0.8], "optimizer.weight_decay": [0, 2]},
    "event": {"kind": "at_step", "at_step": 30, "set": "optimizer.weight_decay", "value": 3},
    "measure": {"spectra": True, "weights": "final", "steps": [10]},
}


def sweep(steps: int, keep: bool = False, **more: object) -> Sweep:
    train = {**BASE["train"], "steps": steps}  # type: ignore[dict-item]
    return load_mapping({**BASE, "train": train, "engine": {"keep_state": keep}, **more})


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``short`` with its state, ``bare`` without, and ``whole``, as long from the beginning."""
    home = tmp_path_factory.mktemp("longer")
    start(sweep(20, keep=True), home / "short")
    start(sweep(20), home / "bare")
    start(sweep(40), home / "whole")
    return home


def calls_of(engine_calls: list[int]) -> pytest.MonkeyPatch:
    """Counts calls of compiled training."""
    patch = pytest.MonkeyPatch()
    segment = Engine.segment
    patch.setattr(
        Engine, "segment", lambda self, *a: (engine_calls.append(1), segment(self, *a))[1]
    )
    return patch


def test_longer_is_as_long_from_the_beginning(folders: Path, tmp_path: Path) -> None:
    """Tables, networks and labels bit for bit; and nothing of the first 20 steps is trained."""
    calls: list[int] = []
    patch = calls_of(calls)
    start(sweep(40), tmp_path / "out", reuse=[folders / "short"])
    patch.undo()
    assert not differences(tmp_path / "out", folders / "whole")
    planned = running.prepare(sweep(40), tmp_path / "out", False)
    each = [c.job.program.intervals // c.job.layout.intervals for c in planned.chunks]
    assert len(calls) * 2 == sum(each)
    assert (folders / "short" / "state").is_dir(), "the shorter folder stays as it is"


def test_an_interrupt_on_the_way(folders: Path, tmp_path: Path) -> None:
    start(sweep(40), tmp_path / "out", calls=1, reuse=[folders / "short"])
    start(sweep(40), tmp_path / "out")
    assert not differences(tmp_path / "out", folders / "whole")


@pytest.mark.parametrize("how", ["gone", "cut", "of other runs"])
def test_a_chunk_without_its_state_begins_anew(folders: Path, tmp_path: Path, how: str) -> None:
    import shutil

    shutil.copytree(folders / "short", tmp_path / "short")
    paths = sorted((tmp_path / "short" / "state").glob("*.npz"))
    assert len(paths) > 1
    prepared = running.prepare(sweep(40), tmp_path / "out", False, reuse=[tmp_path / "short"])
    if how == "gone":
        paths[0].unlink()
    elif how == "cut":
        paths[0].write_bytes(paths[0].read_bytes()[:-200])
    else:
        shutil.copy(paths[1], paths[0])
    watch = Watch()
    running.run(prepared, watch)
    assert len(watch.notes) == 1 and "begins anew" in watch.notes[0]
    assert not differences(tmp_path / "out", folders / "whole")


@pytest.mark.parametrize(
    ("folder", "more", "words"),
    [
        ("bare", {}, "keeps no state.*engine.keep_state: true"),
        ("short", {"schedule": {"kind": "cosine"}}, "holds none of this sweep's runs"),
        ("short", {"model": {"width": 11, "dropout": 0.1}}, "holds none of this sweep's runs"),
        ("short", {"refine": {"levels": 1}, "axes": None}, "holds none|refine.levels"),
    ],
)
def test_what_cannot_go_on_is_one_line(
    folders: Path, tmp_path: Path, folder: str, more: dict[str, object], words: str
) -> None:
    if more.get("axes", 0) is None:
        fine = {"data.data_fraction": [0.5, 0.6, 0.8], "optimizer.weight_decay": [0, 1, 2]}
        more = {
            "axes": fine,
            "refine": {"levels": 1, "axes": ["data.data_fraction", "optimizer.weight_decay"]},
        }
        start(sweep(20, keep=True, **more), tmp_path / "refined")
        folder = str(tmp_path / "refined")
    with pytest.raises(Refusal, match=words):
        running.prepare(sweep(40, **more), tmp_path / "out", False, reuse=[folders / folder])
    assert not (tmp_path / "out").exists()


def test_a_schedule_over_all_steps_cannot_go_on(tmp_path: Path) -> None:
    more = {"schedule": {"kind": "linear"}, "measure": {}}
    start(sweep(20, keep=True, **more), tmp_path / "short")
    with pytest.raises(Refusal, match="found linear"):
        running.prepare(sweep(40, **more), tmp_path / "out", False, reuse=[tmp_path / "short"])


def test_fewer_steps_are_another_sweep(folders: Path, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="holds none of this sweep's runs"):
        running.prepare(sweep(10), tmp_path / "out", False, reuse=[folders / "short"])
