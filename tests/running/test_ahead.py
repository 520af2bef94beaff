"""Programs are built one ahead, each once, and what goes wrong is told where it is asked for."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from phasegrok import running
from phasegrok.plan.layout import Job, Layout, Machine
from phasegrok.plan.plan import plan
from phasegrok.running import ahead, chunk, loop
from phasegrok.running.ahead import Ahead, begins_early
from phasegrok.stopping import BUSY
from phasegrok.train.engine import Engine
from tests.conftest import MakeSweep
from tests.running.watching import Watch

MACHINE = Machine("cpu", 2, 1 << 50, 1 << 30, 1e11, 2.0)


def jobs(make_sweep: MakeSweep, count: int) -> list[Job]:
    job = plan(make_sweep(), MACHINE).jobs[0]
    return [replace(job, layout=Layout("map", n + 1, 1, 1)) for n in range(count)]


class Builder:
    """Builds by name, when it is let."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.lets = threading.Semaphore(0)
        self.fails: set[int] = set()

    def __call__(self, job: Job) -> Engine:
        number = job.layout.chunk
        self.begun.append(number)
        assert self.lets.acquire(timeout=30)
        if number in self.fails:
            raise ZeroDivisionError(str(number))
        return cast(Engine, number)


def test_the_next_is_built_meanwhile_and_no_more(make_sweep: MakeSweep) -> None:
    """Asking for one begins the one after it, not a third; several chunks of a job build it once;
    those that are over are let go of."""
    first, second, third = three = jobs(make_sweep, 3)
    build = Builder()
    programs = Ahead([first, first, second, third], build)
    assert len(programs) == 3 and [programs.number(job) for job in three] == [1, 2, 3]
    assert not programs.ready(first)
    build.lets.release()
    build.lets.release()
    assert programs.engine(first) == 1 and programs.engine(first) == 1
    assert sorted(build.begun) == [1, 2]
    assert programs.engine(second) == 2 and programs.ready(second)
    build.lets.release()
    assert programs.engine(third) == 3
    assert sorted(build.begun) == [1, 2, 3]
    assert list(programs._begun) == [id(third)] and programs.seconds(first) >= 0


def test_none_is_begun_early_where_none_should_be(make_sweep: MakeSweep) -> None:
    first, second = jobs(make_sweep, 2)
    build = Builder()
    build.lets.release(2)
    programs = Ahead([first, second], build, ahead=0)
    assert programs.engine(first) == 1 and build.begun == [1]
    assert programs.engine(second) == 2


def test_an_error_is_raised_where_its_program_is_asked_for(make_sweep: MakeSweep) -> None:
    """The second cannot be built: the first still trains."""
    first, second = jobs(make_sweep, 2)
    build = Builder()
    build.fails = {2}
    build.lets.release(2)
    programs = Ahead([first, second], build)
    assert programs.engine(first) == 1
    with pytest.raises(ZeroDivisionError, match="2"):
        programs.engine(second)
    assert not {thread for thread in BUSY if thread.name.startswith("compiling")}


def test_a_sweep_says_what_it_waits_for(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two programs of two chunks each. The second is begun before the first trains; nobody waits
    for a program that is ready. The process may end while one compiles."""
    heard: list[Any] = []

    class Listening(Watch):
        def compiling(self, number: int, of: int) -> None:
            heard.append(("waits", number, of))

        def compiled(self) -> None:
            heard.append("goes on")

    def build(job: Job) -> Engine:
        assert threading.current_thread() in BUSY
        engine = chunk.whole_engine(job)
        heard.append("built")
        return engine

    monkeypatch.setattr(loop, "whole_engine", build)
    more = "axes: {model.activation: [quadratic, relu], optimizer.weight_decay: [0, 1, 2, 3]}"
    prepared = running.prepare(make_sweep(more, "engine.chunk=2"), tmp_path / "out", False)
    assert len(prepared.chunks) == 4 and len(prepared.plan.jobs) == 2
    running.run(prepared, Listening())
    assert heard[0] == ("waits", 1, 2) and heard.count("built") == 2
    waits = [each for each in heard if isinstance(each, tuple)]
    assert waits in ([("waits", 1, 2)], [("waits", 1, 2), ("waits", 2, 2)])
    assert heard.count("goes on") == 4
    assert ahead.BUSY is BUSY


@pytest.mark.parametrize("host", [2, 16])
def test_two_cores_have_nothing_to_spare(host: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that train on a CPU, and those of an accelerator's host."""
    monkeypatch.setattr(ahead, "cores", lambda: host)
    found = {
        (platform, devices): begins_early(Machine(platform, devices, 1, 1, 1.0, 1.0))
        for platform in ("cpu", "gpu")
        for devices in (1, 2, 3, 16)
    }
    beside = [("gpu", devices) for devices in (1, 2, 3, 16)] if host == 16 else []
    assert [place for place, early in found.items() if early] == [("cpu", 3), ("cpu", 16), *beside]
