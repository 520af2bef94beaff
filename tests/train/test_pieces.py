"""A long interval is trained in pieces, and nobody can tell from its numbers."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pytest

from phasegrok.plan import layout
from phasegrok.plan.layout import Job, Layout, Machine, size_chunks
from phasegrok.plan.plan import Plan, plan
from phasegrok.train.engine import Engine
from phasegrok.train.memory import least_bytes
from tests.conftest import MakeSweep
from tests.thorough import some

MACHINE = Machine("cpu", 2, 1 << 34, 1 << 30, 5e10, 2.0)
AXES = "axes: {data.data_fraction: [0.78, 0.8], optimizer.weight_decay: [0, 2]}\n"
SIZE = ("train.steps=46", "train.log_every=23")
SHRINKS = (
    "event.kind=at_step",
    "event.at_step=23",
    "event.set=data.data_fraction",
    "event.value=0.4",
)
# Three whole pieces and a shorter one, or a shorter one at once.
PIECES = (6, 20)


@pytest.mark.parametrize(
    "sets",
    some(
        [
            [],
            ["model.activation=quadratic", "optimizer.update_noise=0.01"],
            ["model.dropout=0.2"],
            ["train.batch_size=7", "model.dropout=0.2"],
            ["optimizer.weight_noise=0.1", "model.depth=3"],
            ["train.batch_size=9", *SHRINKS],
        ],
        {3, 5},
    ),
    ids=lambda sets: ",".join(sets) or "full batch",
)
def test_pieces_change_no_bit(make_sweep: MakeSweep, sets: list[str]) -> None:
    """Curves and the last state of a split run are an unsplit one's, also where it stopped inside
    an interval: its state goes over the host, as a checkpoint's does, to an engine of its own.

    What could differ if pieces mattered does differ between steps here: masks, noise, orders of
    rows that go over the ends of epochs and pieces, and a training set that an event makes smaller.
    """
    sweep = make_sweep(AXES, *SIZE, *sets)
    grid = plan(sweep, MACHINE)
    job = size_chunks(sweep, grid.jobs[0], MACHINE, least_bytes)
    job = replace(job, layout=replace(job.layout, intervals=1))
    records, state = trained(grid, job)
    for piece in PIECES:
        split = replace(job, layout=replace(job.layout, piece=piece))
        other, end = trained(grid, split)
        for name, values in records.items():
            np.testing.assert_array_equal(values, other[name], err_msg=name)
        for a, b in zip(state, end, strict=True):
            np.testing.assert_array_equal(a, b)


def test_batch_statistics_agree(make_sweep: MakeSweep) -> None:
    """What a compiler makes of BatchNorm's sums hangs on what else is in the program. So these
    agree to rounding only; a folder keeps its pieces, so whoever resumes it rounds alike."""
    sweep = make_sweep(AXES, *SIZE, "model.normalization=batch")
    grid = plan(sweep, MACHINE)
    job = size_chunks(sweep, grid.jobs[0], MACHINE, least_bytes)
    whole, split = (
        trained(grid, replace(job, layout=replace(job.layout, intervals=1, piece=piece)))
        for piece in (0, 6)
    )
    for a, b in zip(whole[1], split[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_batch_statistics_resume_bit_for_bit(make_sweep: MakeSweep) -> None:
    """With the same pieces, a run that stopped inside an interval is one that did not: running
    statistics are part of the state."""
    sweep = make_sweep(AXES, *SIZE, "model.normalization=batch")
    grid = plan(sweep, MACHINE)
    job = size_chunks(sweep, grid.jobs[0], MACHINE, least_bytes)
    job = replace(job, layout=replace(job.layout, intervals=1, piece=6))
    (records, state), (others, end) = (trained(grid, job, stops=each) for each in (False, True))
    for name, values in records.items():
        np.testing.assert_array_equal(values, others[name], err_msg=name)
    for a, b in zip(state, end, strict=True):
        np.testing.assert_array_equal(a, b)


def trained(
    grid: Plan, job: Job, stops: bool = True
) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    """The records (runs, points) and the last state of a job's first chunk.

    Args:
        stops: whether the state goes over the host inside the second interval.
    """
    engine, every = Engine(job.program, job.layout), job.program.log_every
    state, table, first = engine.begin(grid.run_params(job.chunks()[0]))
    records = [{name: np.asarray(x)[:, None] for name, x in first.items()}]
    for interval in range(job.program.intervals):
        for done in range(0, every, job.layout.piece or every):
            if every - done > job.layout.piece > 0:
                state, step = engine.piece(state, table)
                assert set(np.asarray(step)) == {interval * every + done + job.layout.piece}
                if stops and done and interval:
                    state = engine.from_host(engine.to_host(state))
            else:
                state, record = engine.segment(state, table)
        records.append(jax.tree.map(np.asarray, record))
    joined = {name: np.concatenate([r[name] for r in records], axis=1) for name in first}
    return joined, engine.to_host(state)


@pytest.mark.parametrize(
    ("every", "least", "most"),
    [(2_000_000, 5_000, 10_000), (2_000_003, 5_000, 10_000), (500, 0, 0)],
)
def test_long_intervals_are_split(make_sweep: MakeSweep, every: int, least: int, most: int) -> None:
    """Into calls of about half a second, equal ones if the steps allow it; short ones are not. At
    50 µs a step, which is what is assumed of a tiny network."""
    sweep = make_sweep("", f"train.steps={every}", f"train.log_every={every}")
    job = size_chunks(sweep, plan(sweep, MACHINE).jobs[0], MACHINE, least_bytes)
    assert least <= job.layout.piece <= most
    assert job.layout.intervals == 1
    assert every != 2_000_000 or every % job.layout.piece == 0


def test_layouts_from_before_are_not_split() -> None:
    """A manifest's layout without the field reads as one of whole intervals."""
    assert Layout("map", 12, 1, 2, 4).piece == 0
    assert layout.SPLIT_SECONDS > layout.INTERVAL_SECONDS
