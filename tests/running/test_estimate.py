"""An estimate comes within seconds: from few steps where they are dear, from rates where one is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phasegrok import running as runner
from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import plan
from phasegrok.running import estimate
from phasegrok.running.estimate import TRY_SECONDS, estimated_time, job_work, steps_to_try
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


def test_what_an_estimate_rests_on_is_said(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two programs: both tried, one of them, or none, whose time is then their work at the assumed
    rate and their compilation."""
    sweep = make_sweep("axes: {model.activation: [quadratic, relu]}")
    prepared = runner.prepare(sweep, tmp_path / "out", False)
    here = prepared.machine
    monkeypatch.setattr(estimate, "_seconds_a_work", lambda planned, job, steps: 1 / here.flops)
    assumed = sum(job_work(job) for job in prepared.plan.jobs) / here.flops
    words = ("from a few steps", "1 of 2 kinds of programs", "from this machine's assumed rate")
    for steps, said in zip(([5, 5], [5, 0], [0, 0]), words, strict=True):
        tries = iter(steps)
        monkeypatch.setattr(estimate, "steps_to_try", lambda job, machine: next(tries))  # noqa: B023
        found = estimated_time(prepared)
        assert found.how.startswith(said)
        assert found.seconds == pytest.approx(assumed + 2 * here.compile_seconds)
    assert not (tmp_path / "out").exists()
