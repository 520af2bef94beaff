"""Planning: every run trained once, little padding, ids that mean the training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phasegrok.config import PATHS, Experiment, is_traced, traced_paths
from phasegrok.config.identity import identity, without_defaults
from phasegrok.errors import Refusal
from phasegrok.plan.layout import MAX_WASTE, Job, Machine, padding_groups, size_chunks
from phasegrok.plan.plan import plan
from phasegrok.plan.runs import row_count
from phasegrok.train.memory import least_bytes
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


def test_decimal_fractions_mean_what_they_say() -> None:
    """0.29 * 100 is 28.999999999999996 in binary; the paper's floor means 29."""
    assert row_count(0.29, 100) == 29
    assert row_count(0.5, 9409) == 4704
    assert row_count(0.35, 4704) == 1646


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


@settings(derandomize=True, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9000), min_size=1, max_size=60),
    work=st.floats(1e3, 1e12),
)
def test_groups_partition_and_bound_the_waste(sizes: list[int], work: float) -> None:
    """Whatever the sizes and the cost of a row: every run in one group, and no group wastes
    more than the limit."""
    n_train = np.array(sizes)
    groups = padding_groups(n_train, work, "map", MACHINE)
    assert sorted(np.concatenate(groups)) == list(range(len(sizes)))
    for group in groups:
        members = n_train[group]
        assert 1 - members.sum() / (members.max() * len(members)) <= MAX_WASTE


def test_cheap_programs_are_merged_and_dear_ones_are_not() -> None:
    """The trade that the planner makes: padding against compiling."""
    sizes = np.arange(900, 1000, 10)
    assert len(padding_groups(sizes, 1.0, "map", MACHINE)) == 1
    assert len(padding_groups(sizes, 1e12, "map", MACHINE)) == 10


def test_run_ids_mean_the_training(make_sweep: MakeSweep) -> None:
    """The same training has one id whether its values are swept or not and whatever the order;
    another value, seed or precision has another; ids are unique."""
    grid = plan(make_sweep(AXES), MACHINE)
    assert grid.runs["run"].is_unique
    row = grid.runs.iloc[77]
    sets = [
        f"data.data_fraction={row.data_fraction}",
        f"data.corruption_fraction={row.corruption_fraction}",
        f"model.dropout={row.dropout}",
        f"model.activation={row.activation}",
        f"seeds=[{row.seed}]",
    ]
    alone = plan(make_sweep("", *sets), MACHINE).runs["run"].tolist()
    assert alone == [row.run]
    assert plan(make_sweep("", *sets, "engine.mapping=vmap"), MACHINE).runs["run"][0] == row.run
    for change in (
        "seeds=[9]",
        "optimizer.weight_decay=1",
        "engine.precision=tf32",
        "train.steps=50",
    ):
        assert plan(make_sweep("", *sets, change), MACHINE).runs["run"][0] != row.run


def test_a_new_key_at_its_default_changes_no_identity(
    make_sweep: MakeSweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids and the sweep's own identity are made of what differs from the defaults: a key that did
    not exist when the results were written, at what was done then, leaves both alone."""
    sweep = make_sweep("", "optimizer.kind=sgd", "optimizer.momentum=0.5")
    kept = without_defaults(sweep.base.model_dump())
    assert kept["optimizer"] == {"kind": "sgd", "learning_rate": 0.02, "momentum": 0.5}
    assert kept["data"] == {} and kept["task"] == {"kind": "modular", "modulus": 7}
    old = sweep.resolved()
    del old["measure"], old["model"]["init_scale"]
    assert identity(old) == identity(sweep.resolved())
    assert identity(make_sweep("", "measure.logits=3").resolved()) != identity(sweep.resolved())


def test_calls_end_where_networks_are_looked_into(make_sweep: MakeSweep) -> None:
    """However many intervals would fit a call, none passes over a point of ``measure.steps``; with
    all weights saved, every call is one interval."""
    for sets, divides in ((["measure.steps=[30]"], 1), (["measure.steps=[20]"], 2), ([], 4)):
        sweep = make_sweep("", *sets)
        job = size_chunks(sweep, plan(sweep, MACHINE).jobs[0], MACHINE, least_bytes)
        assert divides % job.layout.intervals == 0, (sets, job.layout.intervals)
    sweep = make_sweep("", "measure.weights=all")
    assert (
        size_chunks(sweep, plan(sweep, MACHINE).jobs[0], MACHINE, least_bytes).layout.intervals == 1
    )


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


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("data.data_fraction=0.001", "no rows"),
        ("train.batch_size=30", "batch_size"),
    ],
)
def test_impossible_training_sets_are_refused(
    make_sweep: MakeSweep, override: str, words: str
) -> None:
    """A training set of no rows, or smaller than a minibatch that may not be partial."""
    with pytest.raises(Refusal, match=words):
        plan(make_sweep("", override), MACHINE)


def test_a_run_that_cannot_fit_is_refused(make_sweep: MakeSweep) -> None:
    """The refusal names the size to change; automatic chunks shrink to the budget before that."""
    sweep = make_sweep("axes: {optimizer.weight_decay: [0, 1, 2, 3, 4, 5, 6, 7]}")
    job = plan(sweep, MACHINE).jobs[0]
    small = replace(MACHINE, memory=1000, budget=450)
    with pytest.raises(Refusal, match="does not fit"):
        size_chunks(sweep, job, small, lambda job, cells: 1001)
    sized = size_chunks(sweep, job, small, lambda job, cells: 100 * cells)
    assert sized.layout.chunk == 4


def test_fields_say_once_whether_they_are_traced() -> None:
    """Every number that is not a size is traced, in each kind that has it: the list that the
    engine maps over. A change here changes what sweeps cost."""
    assert {p for p in PATHS if is_traced(p)} == {
        "data.data_fraction",
        "data.corruption_fraction",
        "model.init_scale",
        "model.dropout",
        "optimizer.learning_rate",
        "optimizer.beta1",
        "optimizer.beta2",
        "optimizer.epsilon",
        "optimizer.weight_decay",
        "optimizer.momentum",
        "optimizer.l1",
        "optimizer.update_noise",
        "optimizer.weight_noise",
        "model.memorizing_scale",
        "model.generalizing_scale",
        "event.at_step",
        "event.value",
    }
    assert "optimizer.momentum" not in traced_paths(Experiment())
