"""Planning: every run trained once, in programs that fit it."""

from __future__ import annotations

import numpy as np
import pytest

from phasegrok.plan.layout import MAX_WASTE, Job, Machine, size_chunks
from phasegrok.plan.plan import plan
from tests.conftest import MakeSweep

MACHINE = Machine("cpu", 2, 1 << 34, 1 << 30, 1e11, 2.0)
AXES = """\
axes:
  data.data_fraction: {start: 0.1, stop: 0.9, num: 17}
  data.corruption_fraction: {start: 0.0, stop: 0.9, num: 4}
  model.dropout: [0, 0.5]
  model.activation: [quadratic, relu]
seeds: [3, 1]
"""


def no_memory(job: Job, cells: int) -> int:
    return 0


@pytest.mark.parametrize("mapping", ["map", "vmap"])
def test_every_run_is_in_exactly_one_chunk(make_sweep: MakeSweep, mapping: str) -> None:
    """Chunks partition the runs; a program's rows hold its largest training set; rate-0 runs
    get programs without random numbers, and no others do."""
    sweep = make_sweep(AXES, f"engine.mapping={mapping}")
    grid = plan(sweep, MACHINE)
    jobs = [size_chunks(sweep, job, MACHINE, no_memory) for job in grid.jobs]
    seen = np.concatenate([c for job in jobs for c in job.chunks()])
    assert sorted(seen) == list(range(17 * 4 * 2 * 2 * 2)) == list(range(len(grid.runs)))
    for job in jobs:
        rows = grid.runs.iloc[job.runs]
        assert job.program.rows >= rows["n_train"].max()
        assert job.program.rows % job.program.tile == 0
        assert set(rows["dropout"] > 0) == {job.program.use_dropout}
        assert job.layout.chunk % job.layout.devices == 0
        assert job.program.intervals % job.layout.intervals == 0
    if mapping == "vmap":
        assert len(jobs) == 4  # activation x (dropout or not): the whole slice is one program
    else:
        assert grid.waste() <= MAX_WASTE + 0.01


def test_the_paper_scales_minibatch_training(make_sweep: MakeSweep) -> None:
    """Appendix A.1: at B = 8, steps x 32 and learning rate x sqrt(8 / 256); points of the curve
    stay as many."""
    grid = plan(make_sweep("", "train.scaling=paper", "train.batch_size=8"), MACHINE)
    program = grid.jobs[0].program
    assert (program.steps, program.log_every, program.intervals) == (40 * 32, 10 * 32, 4)
    rate = grid.run_params(grid.jobs[0].runs).values["optimizer.learning_rate"][0]
    assert rate == np.float32(0.02 * (8 / 256) ** 0.5)
    assert grid.runs["learning_rate"][0] == 0.02


def test_epochs_become_steps(make_sweep: MakeSweep) -> None:
    """24 rows in batches of 5 are 4 or 5 steps an epoch; log_every counts epochs then."""
    sweep = make_sweep(
        "",
        "train.steps=null",
        "train.epochs=6",
        "train.log_every=2",
        "train.batch_size=5",
        "train.last_batch=keep",
    )
    program = plan(sweep, MACHINE).jobs[0].program
    assert (program.steps, program.log_every) == (30, 10)


def test_an_accelerator_groups_data_fractions_too(make_sweep: MakeSweep) -> None:
    """Figure 3 at the paper's size: by default a few programs, each of which saves more padded work
    than its compilation costs; one where that is asked for, or where work is next to nothing. The
    waste of one group can be told from either."""
    gpu = Machine("gpu", 1, 80 << 30, 60 << 30, 2e13, 20.0, 2e-4)
    slices = AXES.replace("num: 4", "num: 19").partition("  model.dropout")[0]
    paper = ("task.modulus=97", "model.width=500", "train.steps=2000", "seeds=[0, 1, 2, 3]")
    auto, one = (
        plan(make_sweep(slices, *paper, f"engine.groups={groups}"), gpu)
        for groups in ("auto", "one")
    )
    assert 2 < len(auto.jobs) < 17 and len(one.jobs) == 1
    assert auto.waste() < 0.2 < 0.4 < one.waste() < 0.5
    assert auto.waste(one_group=True) == pytest.approx(one.waste())
    assert one.waste(one_group=True) == one.waste()
    work = 6 * 500 * 97 * 2000 / gpu.flops  # seconds of a row

    def seconds(jobs: list[Job]) -> float:
        return sum(job.program.rows * len(job.runs) * work + gpu.compile_seconds for job in jobs)

    assert seconds(auto.jobs) < seconds(one.jobs)
    tiny = make_sweep(slices, "engine.mapping=vmap")
    assert len(plan(tiny, gpu).jobs) == 1
