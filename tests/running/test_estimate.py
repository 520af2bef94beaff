"""How long it takes: from shapes and rates without compiling; or from few steps that are tried."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jax
import pytest

from phasegrok import running as runner
from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import plan
from phasegrok.running import estimate
from phasegrok.running.estimate import (
    CHUNK_SECONDS,
    END_SECONDS,
    TRY_SECONDS,
    Part,
    estimated_time,
    measured_time,
    steps_to_try,
)
from phasegrok.running.keeping import VARIABLE, kept
from phasegrok.running.rates import IDLE, Rates, by_shapes, job_work, mark, undisturbed
from tests.conftest import MakeSweep

MACHINE = Machine("cpu", 2, 1 << 50, 1 << 30, 1e11, 2.0)


@pytest.mark.parametrize(
    ("sets", "least", "most"),
    [
        ([], 10, 10),  # one interval, as ever
        (["train.steps=2000000", "train.log_every=2000000"], 10_000, 200_000),
        (["task.modulus=10000"], 0, 0),
        (["model.depth=64"], 0, 0),
        (["model.width=1000000"], 0, 0),
    ],
)
def test_few_steps_are_tried_where_they_are_dear(
    make_sweep: MakeSweep, sets: list[str], least: int, most: int
) -> None:
    """One long interval is not waited for, nor a single step of a huge table or network."""
    job = plan(make_sweep("", *sets), MACHINE).jobs[0]
    job = replace(job, layout=replace(job.layout, chunk=2))
    steps = steps_to_try(job, MACHINE)
    assert least <= steps <= most
    spent = 2 * steps * job_work(job) / job.program.steps / MACHINE.flops
    assert spent <= TRY_SECONDS


def test_what_a_measured_estimate_rests_on_is_said(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two programs: both tried, one of them, or none, whose time is then their work at the assumed
    rate and their compilation, the second of which is done beside the first."""
    sweep = make_sweep("axes: {model.activation: [quadratic, relu]}")
    prepared = runner.prepare(sweep, tmp_path / "out", False)
    here = prepared.machine
    tried = (1 / here.flops, here.compile_seconds)
    monkeypatch.setattr(estimate, "_tried", lambda planned, job, steps: tried)
    assumed = sum(job_work(job) * job.layout.chunk for job in prepared.plan.jobs) / here.flops
    words = ("from a few steps", "1 of 2 kinds of programs", "from this machine's assumed rate")
    for steps, said in zip(([5, 5], [5, 0], [0, 0]), words, strict=True):
        tries = iter(steps)
        monkeypatch.setattr(estimate, "steps_to_try", lambda job, machine: next(tries))  # noqa: B023
        found = measured_time(prepared)
        assert found.how.startswith(said)
        assert found.training == pytest.approx(assumed + 2 * CHUNK_SECONDS + END_SECONDS)
        assert found.compiling == pytest.approx(2 * here.compile_seconds)
    assert not (tmp_path / "out").exists()


def test_an_estimate_compiles_nothing_and_learns(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From shapes at first; from what a sweep showed of its kinds of programs afterwards, at other
    numbers of rows and steps too; programs that are kept already are only loaded."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "programs"))
    monkeypatch.setattr(jax.stages.Lowered, "compile", None)
    more = "axes: {model.activation: [quadratic, relu]}"
    prepared = runner.prepare(make_sweep(more), tmp_path / "out", False)
    first = estimated_time(prepared)
    assert first.how == "from shapes and this machine's speed" and first.programs == 2
    assert first.compiling > 1 and first.training > 0
    store, _ = kept(prepared.sweep.engine)
    assert store
    one, two = prepared.plan.jobs
    rates = Rates(prepared.machine)
    rates.saw(one, work=3.0, compile_seconds=7.0)
    rates.saw(one, work=2.0, compile_seconds=9.0)
    rates.keep(store)
    store.put(mark(two), b"")
    learned = Rates.of(prepared.machine, store)
    assert learned.of_work(one) == (pytest.approx(2.0), True) and learned.of_compiling(one) == 7.0
    off = 2.0 / by_shapes(one, prepared.machine)
    assert learned.of_work(two)[0] == pytest.approx(off * by_shapes(two, prepared.machine))
    again = estimated_time(prepared)
    for words in ("1 of 2 programs from earlier", "1 of 2 programs are compiled"):
        assert words in again.how
    assert again.training == pytest.approx(
        job_work(one) * one.layout.chunk * 2.0
        + job_work(two) * two.layout.chunk * learned.of_work(two)[0]
        + 2 * CHUNK_SECONDS
        + END_SECONDS
    )
    longer = runner.prepare(make_sweep(more, "train.steps=400"), tmp_path / "out", False)
    assert learned.of_work(longer.plan.jobs[0])[1]
    for path in store.folder.iterdir():
        path.write_bytes(b"damaged")
    assert estimated_time(prepared).training == pytest.approx(first.training)


def test_trainings_of_a_moment_say_nothing_of_long_ones(
    make_sweep: MakeSweep, tmp_path: Path
) -> None:
    """Of one family, the tiny take many times what shapes say, and large ones do not."""
    sizes = ["task.modulus=7", "model.width=12"], ["task.modulus=53", "model.width=200"]
    tiny, large = (runner.prepare(make_sweep("", *each), tmp_path / "out", False) for each in sizes)
    rates = Rates(large.machine)
    before, _ = rates.of_work(large.plan.jobs[0])
    shapes = by_shapes(tiny.plan.jobs[0], tiny.machine)
    rates.saw(tiny.plan.jobs[0], work=80 * shapes)
    assert rates.of_work(large.plan.jobs[0])[0] == pytest.approx(before, rel=0.5)
    again = runner.prepare(
        make_sweep("", *sizes[0], "model.activation=relu"), tmp_path / "out", False
    )
    assert rates.of_work(again.plan.jobs[0])[0] > 40 * shapes


@pytest.mark.parametrize(
    ("devices", "platform", "compiling", "training", "seconds"),
    [
        (2, "cpu", [8.0], [3.0], 11.0),
        (2, "cpu", [8.0, 8.0], [3.0, 3.0], 22.0),  # one keeps both cores busy
        (4, "cpu", [8.0, 8.0], [3.0, 3.0], 14.0),  # side by side
        (4, "cpu", [8.0, 10.0, 8.0], [3.0, 3.0, 3.0], 8 + (3 + 0.5) + 8 + 3),
        (4, "cpu", [8.0, 10.0, 8.0], [30.0, 30.0, 30.0], 8 + 30.5 + 32 + 30),
        (1, "cpu", [8.0, 8.0], [3.0, 3.0], 22.0),  # one core does one thing
        (1, "gpu", [8.0, 20.0], [30.0, 3.0], 61.0),  # nothing is compiled ahead
    ],
)
def test_programs_compile_beside_training(
    make_sweep: MakeSweep,
    devices: int,
    platform: str,
    compiling: list[float],
    training: list[float],
    seconds: float,
) -> None:
    """By hand: what one program's compiling adds to the training of the one before."""
    job = plan(make_sweep(), MACHINE).jobs[0]
    parts = [Part(job, t, c) for t, c in zip(training, compiling, strict=True)]
    machine = replace(MACHINE, devices=devices, platform=platform)
    whole = estimate._together(parts, machine, "").seconds
    assert whole == pytest.approx(seconds + END_SECONDS)
    assert estimate._together([], machine, "").seconds == 0


def test_what_others_do_on_a_busy_machine_is_no_part_of_a_rate() -> None:
    """Of 10 s on two cores this process got 4 s of a core: 2 s each, if it had been alone."""
    assert undisturbed(10.0, 4.0, 2, MACHINE) == pytest.approx(2 * IDLE)
    assert undisturbed(2.0, 4.0, 2, MACHINE) == 2.0
    assert undisturbed(10.0, 4.0, 1, replace(MACHINE, platform="gpu")) == 10.0
