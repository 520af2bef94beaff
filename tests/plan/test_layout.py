"""Layouts: little padding, chunks that fit, calls that end where something is looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phasegrok.errors import Refusal
from phasegrok.plan.layout import (
    CHUNK_SECONDS,
    MAX_CHUNK,
    MAX_TINY,
    MAX_WASTE,
    Layout,
    Machine,
    interval_seconds,
    padding_groups,
    size_chunks,
)
from phasegrok.plan.plan import plan
from phasegrok.train.memory import least_bytes
from tests.conftest import MakeSweep

MACHINE = Machine("cpu", 2, 1 << 34, 1 << 30, 1e11, 2.0)


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


def test_tiny_runs_train_in_large_chunks(make_sweep: MakeSweep) -> None:
    """Tables and files cost a chunk the same whatever it holds. Runs of a moment share them with
    many others; runs of a minute are published early."""
    many = "axes: {optimizer.weight_decay: {start: 0, stop: 20, num: 3000}}"
    large = ("task.modulus=97", "model.width=500", "train.steps=2000", "train.log_every=20")
    sizes = []
    for sets in ((), ("train.steps=400000", "train.log_every=100000"), large):
        sweep = make_sweep(many, *sets)
        job = size_chunks(sweep, plan(sweep, MACHINE).jobs[0], MACHINE, least_bytes)
        seconds = interval_seconds(job, job.layout.chunk, MACHINE) * job.program.intervals
        at_once = job.layout.batch * job.layout.devices  # in one turn of the loop
        assert seconds < 1.1 * CHUNK_SECONDS or job.layout.chunk <= max(at_once, MAX_CHUNK["map"])
        sizes.append(job.layout.chunk)
    assert MAX_TINY >= sizes[0] > sizes[1] > MAX_CHUNK["map"] >= sizes[2]


def test_a_run_that_cannot_fit_is_refused(make_sweep: MakeSweep) -> None:
    """The refusal names the size to change; automatic chunks shrink to the budget before that."""
    sweep = make_sweep("axes: {optimizer.weight_decay: [0, 1, 2, 3, 4, 5, 6, 7]}")
    job = plan(sweep, MACHINE).jobs[0]
    small = replace(MACHINE, memory=1000, budget=450)
    with pytest.raises(Refusal, match="does not fit"):
        size_chunks(sweep, job, small, lambda job, cells: 1001)
    sized = size_chunks(sweep, job, small, lambda job, cells: 100 * cells)
    assert sized.layout.chunk == 4


def test_fewer_devices_share_the_same_chunk() -> None:
    """The chunk stays: the most devices that divide it are used."""
    begun = Layout("map", 12, 1, 8)
    assert [begun.on(n).devices for n in (16, 8, 5, 1)] == [6, 6, 4, 1]
    assert begun.on(5) == Layout("map", 12, 1, 4)
    assert np.all([begun.on(n).chunk == 12 for n in (1, 5)])
