"""One change while training: when it comes, that it stays, and that it is felt."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok.grid import plan
from phasegrok.program import Program
from phasegrok.train import step
from phasegrok.train.engine import machine
from tests.conftest import MakeSweep

DECAY = "optimizer.weight_decay"


def begin(make_sweep: MakeSweep, *sets: str) -> tuple[Program, step.State, step.tasks.Table]:
    grid = plan(make_sweep("", "optimizer.weight_decay=0.1", *sets), machine())
    program = grid.jobs[0].program
    cell = jax.tree.map(lambda x: jnp.asarray(x[0]), grid.cells(np.array([0])))
    return program, step.init(program, cell), step.make_table(program, cell)


def accuracy(value: float) -> step.Record:
    return {"train_accuracy": jnp.float32(value)}


def test_memorized_sets_its_value_and_keeps_it(make_sweep: MakeSweep) -> None:
    """Not at an accuracy of 0.999 yet; above it, and from then on even below it."""
    program, state, _ = begin(make_sweep, "event.kind=memorized", "event.value=2.5")
    state = step.react(program, state, accuracy(0.999))
    assert state.cell.values[DECAY] == np.float32(0.1)
    state = step.react(program, state, accuracy(1.0))
    assert state.cell.values[DECAY] == 2.5
    assert step.react(program, state, accuracy(0.1)).cell.values[DECAY] == 2.5


def test_at_step_waits_for_its_step(make_sweep: MakeSweep) -> None:
    """The first logging point at or after it: 30 of 10, 20, 30, 40 for a step of 25."""
    program, state, table = begin(
        make_sweep, "event.kind=at_step", "event.at_step=25", "event.value=2.5"
    )
    seen = []
    for _ in range(4):
        state, _ = jax.jit(lambda s: step.advance(program, s, table))(state)
        seen.append(float(state.cell.values[DECAY]))
    np.testing.assert_allclose(seen, [0.1, 0.1, 2.5, 2.5])


@pytest.mark.parametrize("changes", [DECAY, "optimizer.learning_rate"])
def test_what_it_changes_is_felt_and_nothing_else(make_sweep: MakeSweep, changes: str) -> None:
    """Up to the event a run is the one without it, bit for bit; after it, another. An event that
    sets the value that is there is no event."""
    same = "0.1" if changes == DECAY else "0.02"
    plain, first, table = begin(make_sweep)
    event = ("event.kind=at_step", "event.at_step=20", f"event.set={changes}")
    runs = {"plain": (plain, first)}
    for name, value in (("same", same), ("other", "0.7")):
        runs[name] = begin(make_sweep, *event, f"event.value={value}")[:2]
    weights = {}
    for name, (program, state) in runs.items():
        for interval in range(1, 4):
            state, _ = step.advance(program, state, table)
            weights[name, interval] = np.asarray(state.params["w"][...])
    for interval in (1, 2, 3):
        np.testing.assert_array_equal(weights["same", interval], weights["plain", interval])
    np.testing.assert_array_equal(weights["other", 2], weights["plain", 2])
    assert not np.array_equal(weights["other", 3], weights["plain", 3])


def test_the_scaled_learning_rate_is_scaled_in_events_too(make_sweep: MakeSweep) -> None:
    """train.scaling: paper multiplies what an event sets as it does the rate it replaces."""
    batches = (
        "train.scaling=paper",
        "train.batch_size=16",
        "event.set=optimizer.learning_rate",
    )
    program, state, _ = begin(make_sweep, "event.kind=memorized", *batches, "event.value=0.02")
    before = state.cell.values["optimizer.learning_rate"]
    state = step.react(program, state, accuracy(1.0))
    assert state.cell.values["optimizer.learning_rate"] == before


def test_runs_without_an_event_keep_their_ids(make_sweep: MakeSweep) -> None:
    """The block came later than the first results; where it says nothing it changes no id."""
    grids = [plan(make_sweep("", *sets), machine()) for sets in ((), ("event.kind=none",))]
    assert grids[0].runs["run"].equals(grids[1].runs["run"])
    assert grids[0].runs["run"][0] == "4f42f69f61327dca"
