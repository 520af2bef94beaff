"""The engine: one program for a slice, one compilation for all its chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import jax
import numpy as np
import pytest

from phasegrok.plan.layout import Job, Layout, Machine, size_chunks
from phasegrok.plan.plan import Plan, plan
from phasegrok.results.tables import ChunkRuns, chunk_tables
from phasegrok.tasks import Size
from phasegrok.train.compiling import keep_in, kept_in
from phasegrok.train.engine import Engine
from phasegrok.train.memory import least_bytes, machine, measured_bytes, peak_bytes
from phasegrok.train.state import Record, State
from tests.conftest import MakeSweep


@pytest.fixture(autouse=True)
def compile_all() -> Iterator[None]:
    """What is counted here is compiled here, whatever was kept before."""
    before = kept_in()
    keep_in(None)
    yield
    keep_in(before)


SLICE = """\
axes:
  data.data_fraction: {start: 0.1, stop: 0.9, num: 17}
  data.corruption_fraction: {start: 0.0, stop: 0.9, num: 19}
seeds: [0, 1]
"""
MACHINE = Machine("cpu", 2, 1 << 34, 1 << 30, 5e10, 2.0)


COMPILED: list[str] = []  # every compilation of this process, whichever thread asked for it
jax.monitoring.register_event_duration_secs_listener(
    lambda event, seconds, **_: (
        COMPILED.append(event) if event.endswith("backend_compile_duration") else None
    )
)


def train(grid: Plan, job: Job, runs: np.ndarray) -> tuple[State, dict[str, np.ndarray], Engine]:
    """Initial state and all records (runs, points) of one chunk."""
    engine = Engine(job.program, job.layout)
    state, table, record = engine.begin(grid.run_params(np.resize(runs, job.layout.chunk)))
    first = jax.tree.map(np.asarray, (state, table))
    pieces: list[Record] = [{k: np.asarray(v)[:, None] for k, v in record.items()}]
    for _ in range(job.program.intervals // job.layout.intervals):
        state, records = engine.segment(state, table)
        pieces.append(records)
    joined = {k: np.concatenate([np.asarray(p[k]) for p in pieces], axis=1) for k in pieces[0]}
    return first, {k: v[: len(runs)] for k, v in joined.items()}, engine


def test_a_slice_times_seeds_is_one_program(make_sweep: MakeSweep) -> None:
    """17 x 19 runs x 2 seeds under ``mapping: vmap``: the planner makes one job with one chunk,
    training it compiles the segment once and calls it once a segment. Against ``map`` with its
    own paddings: data and initial weights bit for bit, the first 50 steps to tolerance, and the
    final labels of runs away from every threshold."""
    sets = ("train.steps=300", "train.log_every=50", "optimizer.weight_decay=1")
    one = plan(make_sweep(SLICE, "engine.mapping=vmap", *sets), MACHINE)
    assert len(one.jobs) == 1 and len(one.jobs[0].runs) == 17 * 19 * 2
    job = size_chunks(make_sweep(SLICE, *sets), one.jobs[0], MACHINE, least_bytes)
    job = replace(job, layout=replace(job.layout, intervals=2))
    assert [len(c) for c in job.chunks()] == [646]
    COMPILED.clear()
    first, curves, engine = train(one, job, job.chunks()[0])
    assert len(COMPILED) == 2  # the beginning, and the segment
    assert engine.calls == 3

    many = plan(make_sweep(SLICE, "engine.mapping=map", *sets), MACHINE)
    assert len(many.jobs) > 1
    rows = {run: i for i, run in enumerate(one.runs["run"].iloc[job.runs])}
    for other in many.jobs[:: len(many.jobs) - 1]:
        chunk = len(other.runs) + len(other.runs) % 2
        other = replace(other, layout=replace(other.layout, chunk=chunk))
        other_first, other_curves, _ = train(many, other, other.runs)
        at = [rows[run] for run in many.runs["run"].iloc[other.runs]]
        n = len(at)
        for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(other_first), strict=True):
            np.testing.assert_array_equal(a[at], b[:n])
        for name in curves:
            a, b = curves[name][at][:, :2], other_curves[name][:, :2]
            if "accuracy" in name:  # one row of 49 may sit on an argmax tie
                assert np.nanmean(np.abs(a - b)) < 2e-3, name
            else:
                np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-5, err_msg=name)
        labels = [
            chunk_tables(
                ChunkRuns(g.runs.iloc[r], g.axes, Size(49)),
                np.arange(7) * 50,
                c,
                ["norm_u", "norm_v", "norm_w"],
            )["runs"].to_pandas()
            for g, r, c in (
                (one, job.runs[at], {k: v[at] for k, v in curves.items()}),
                (many, other.runs, other_curves),
            )
        ]
        far = np.ones(n, bool)
        for frame in labels:
            far &= (frame["test_accuracy"] - 0.9).abs() > 0.05
            far &= (frame["train_accuracy"] - 0.9).abs() > 0.05
            far &= (frame["train_accuracy"] - 1.05 + frame["corruption_fraction"]).abs() > 0.05
        assert far.sum() > n // 4
        same = (labels[0]["subphase"] == labels[1]["subphase"])[far]
        assert same.all(), labels[0][far][~same]


def test_later_chunks_compile_nothing(make_sweep: MakeSweep) -> None:
    """Two chunks through one engine: JAX reports compilations for the first only."""
    sweep = make_sweep("axes: {optimizer.weight_decay: [0, 1, 2, 3]}", "engine.chunk=2")
    grid = plan(sweep, MACHINE)
    job = size_chunks(sweep, grid.jobs[0], MACHINE, least_bytes)
    assert len(job.chunks()) == 2
    COMPILED.clear()
    engine = Engine(job.program, job.layout)
    counts = []
    for runs in job.chunks():
        state, table, _ = engine.begin(grid.run_params(runs))
        for _ in range(job.program.intervals // job.layout.intervals):
            state, records = engine.segment(state, table)
        engine.from_host(engine.to_host(state))
        jax.tree.map(np.asarray, records)
        counts.append(len(COMPILED))
        COMPILED.clear()
    assert counts[0] > 0  # the listener hears
    assert counts[1] == 0, counts


@pytest.mark.parametrize("kind", ["vmap", "map"])
def test_a_diverging_run_leaves_its_neighbours_alone(make_sweep: MakeSweep, kind: str) -> None:
    """The same chunk with one run at lr = 1e9 and at lr = 0.01: that run's loss stops being
    finite, and every other run keeps its values bit for bit."""
    sets = (f"engine.mapping={kind}", "engine.chunk=4", "optimizer.kind=sgd")
    more = "axes: {{optimizer.learning_rate: [{}, 0.02, 0.03, 0.04]}}"
    curves = []
    for rate in ("1.0e+9", "0.01"):
        sweep = make_sweep(more.format(rate), *sets)
        grid = plan(sweep, MACHINE)
        job = size_chunks(sweep, grid.jobs[0], MACHINE, least_bytes)
        curves.append(train(grid, job, job.chunks()[0])[1])
    assert not np.isfinite(curves[0]["train_loss"][0]).all()
    assert np.isfinite(curves[1]["train_loss"]).all()
    for name in curves[0]:
        np.testing.assert_array_equal(curves[0][name][1:], curves[1][name][1:], err_msg=name)


def test_state_survives_the_disk_bit_for_bit(make_sweep: MakeSweep) -> None:
    """Training on from ``from_host(to_host(state))`` equals training on from the state."""
    sweep = make_sweep("axes: {optimizer.weight_decay: [0, 1]}")
    grid = plan(sweep, MACHINE)
    job = size_chunks(sweep, grid.jobs[0], MACHINE, least_bytes)
    job = replace(job, layout=replace(job.layout, intervals=1))
    engine = Engine(job.program, job.layout)
    state, table, _ = engine.begin(grid.run_params(job.runs))
    state, _ = engine.segment(state, table)
    copy = engine.from_host(engine.to_host(state))
    (_, a), (_, b) = engine.segment(state, table), engine.segment(copy, table)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def test_measured_memory_grows_with_the_chunk(make_sweep: MakeSweep) -> None:
    """Two small compilations predict a larger one's memory: what sizes chunks on accelerators."""
    sweep = make_sweep(SLICE, "engine.mapping=vmap")
    job = plan(sweep, MACHINE).jobs[0]
    actual = peak_bytes(Engine(job.program, Layout("vmap", 32, 1, job.layout.devices)))
    assert measured_bytes(job, 32) == pytest.approx(actual, rel=0.2)
    assert machine().devices == 2
