"""What a person who waits is told: how much is done, what is waited for, and how long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from phasegrok import running
from phasegrok.cli import progress
from phasegrok.cli.progress import Progress
from phasegrok.running import Estimate, job_work
from phasegrok.stopping import STATE
from tests.conftest import MakeSweep

Clock = SimpleNamespace


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """A clock that a test moves; 60 s of training and 16 s of compiling are expected."""
    made = SimpleNamespace(now=100.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: made.now))
    expected = Estimate(60.0, 16.0, "by hand", 2)
    monkeypatch.setattr(running, "estimated_time", lambda prepared: expected)
    yield made
    STATE.caught = []


@pytest.fixture
def watch(make_sweep: MakeSweep, tmp_path: Path, clock: Clock) -> Progress:
    """Of eight runs of two programs, in chunks of two."""
    more = "axes: {model.activation: [quadratic, relu], optimizer.weight_decay: [0, 1, 2, 3]}"
    prepared = running.prepare(make_sweep(more, "engine.chunk=2"), tmp_path / "out", False)
    made = Progress(prepared)
    each = {job_work(job) for job in prepared.plan.jobs}
    assert made.total == 8 * each.pop() and not each
    return made


def left(watch: Progress) -> str:
    return watch._when().partition("ETA ")[2]


def test_it_counts_down_from_what_is_expected(watch: Progress, clock: Clock) -> None:
    """Before anything is known, and while the first program compiles, by the estimate, second by
    second; then by what this session trains. Waiting is no part of its rate."""
    assert left(watch) == "1 min 16 s"
    watch.compiling(1, 2)
    assert watch._where() == "0/8 runs  compiling 1 of 2"
    clock.now += 6
    assert left(watch) == "1 min 10 s"
    clock.now += 4
    watch.compiled()
    assert watch._where() == "0/8 runs"
    clock.now += 5
    watch.advanced(watch.total / 8 * 2, 2)  # 2 of 8 in 5 s, and another program of 10 s
    assert watch._where() == "2/8 runs"
    assert watch._when() == "25.0%  24.0 runs/min  ETA 25 s"
    clock.now += 2
    assert left(watch) == "23 s"
    clock.now += 60
    assert left(watch) == "1 s"  # late, and not less than nothing


def test_what_was_done_before_is_done_and_no_rate(watch: Progress, clock: Clock) -> None:
    """Six of eight runs by earlier sessions: 75 % at once, and the rate of the rest."""
    watch.skip(watch.total * 6 / 8, 6)
    assert watch._when().startswith("75.0%  ETA ") and watch._where() == "6/8 runs"
    clock.now += 10
    watch.advanced(watch.total / 8, 1)
    assert "6.0 runs/min" in watch._when() and watch._when().startswith("87.5%")
    watch.advanced(watch.total / 8, 1)
    assert watch._when().startswith("100.0%") and "ETA" not in watch._when()


def test_who_trains_on_a_cluster_is_said(watch: Progress, clock: Clock) -> None:
    watch.delivered(2, 5)
    assert watch._where() == "0/8 runs  2 workers, 5 chunks in flight"
    watch.delivered(1, 1)
    assert watch._where() == "0/8 runs  1 worker, 1 chunk in flight"


def test_a_signal_shows_at_once(watch: Progress, clock: Clock) -> None:
    STATE.caught = [2]
    assert watch._where() == "0/8 runs  saving"


@pytest.mark.parametrize("live", [True, False])
def test_a_bar_on_a_terminal_and_lines_in_a_log(
    make_sweep: MakeSweep,
    tmp_path: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    live: bool,
) -> None:
    """Both say what is compiled; a line comes every 15 s at most."""
    monkeypatch.setattr(progress, "wants_drawing", lambda: live)
    monkeypatch.setenv("COLUMNS", "100")
    prepared = running.prepare(make_sweep(), tmp_path / "out", False)
    with Progress(prepared) as watch:
        for step in (5, 20, 1):
            clock.now += step
            watch.compiling(1, 1)
            if watch.bar:
                watch.bar.refresh()
    out = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().out)
    assert "compiling 1 of 1" in out and "ETA" in out
    assert out.count("compiling") == 1 or live
    assert out.endswith("0/1 runs done in 26 s\n")
