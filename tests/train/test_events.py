"""One change while training: when it comes, that it stays, and that it is felt."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok import tasks
from phasegrok.errors import Refusal
from phasegrok.plan.plan import plan
from phasegrok.plan.program import Program
from phasegrok.train import step
from phasegrok.train.batches import subsets
from phasegrok.train.events import react
from phasegrok.train.memory import machine
from phasegrok.train.state import Record, State, init, make_table
from tests.conftest import MakeSweep

DECAY = "optimizer.weight_decay"
advance = jax.jit(step.advance, static_argnums=0)


def begin(make_sweep: MakeSweep, *sets: str) -> tuple[Program, State, tasks.Table]:
    grid = plan(make_sweep("", "optimizer.weight_decay=0.1", *sets), machine())
    program = grid.jobs[0].program
    run = jax.tree.map(lambda x: jnp.asarray(x[0]), grid.run_params(np.array([0])))
    return program, init(program, run), make_table(program, run)


def accuracy(value: float) -> Record:
    return {"train_accuracy": jnp.float32(value)}


def test_memorized_sets_its_value_and_keeps_it(make_sweep: MakeSweep) -> None:
    """Not at an accuracy of 0.999 yet; above it, and from then on even below it."""
    program, state, _ = begin(make_sweep, "event.kind=memorized", "event.value=2.5")
    state = react(program, state, accuracy(0.999))
    assert state.run.values[DECAY] == np.float32(0.1)
    state = react(program, state, accuracy(1.0))
    assert state.run.values[DECAY] == 2.5
    assert react(program, state, accuracy(0.1)).run.values[DECAY] == 2.5


def test_at_step_waits_for_its_step(make_sweep: MakeSweep) -> None:
    """The first logging point at or after it: 30 of 10, 20, 30, 40 for a step of 25."""
    program, state, table = begin(
        make_sweep, "event.kind=at_step", "event.at_step=25", "event.value=2.5"
    )
    seen = []
    for _ in range(4):
        state, _ = advance(program, state, table)
        seen.append(float(state.run.values[DECAY]))
    np.testing.assert_allclose(seen, [0.1, 0.1, 2.5, 2.5])


def test_step_zero_is_a_logging_point(make_sweep: MakeSweep) -> None:
    """An event at step 0 acts from the first step: with it a sweep holds training from scratch
    beside training that changes later."""
    program, state, _ = begin(
        make_sweep, "event.kind=at_step", "event.at_step=0", "event.value=2.5"
    )
    begun, _, record = step.begin(program, state.run)
    assert begun.run.values[DECAY] == 2.5 and int(begun.step) == 0
    assert record["n_train"] == state.run.n_train


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
            state, _ = advance(program, state, table)
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
    before = state.run.values["optimizer.learning_rate"]
    state = react(program, state, accuracy(1.0))
    assert state.run.values["optimizer.learning_rate"] == before


def test_runs_without_an_event_keep_their_ids(make_sweep: MakeSweep) -> None:
    """The block came later than the first results; where it says nothing it changes no id."""
    grids = [plan(make_sweep("", *sets), machine()) for sets in ((), ("event.kind=none",))]
    assert grids[0].runs["run"].equals(grids[1].runs["run"])
    assert grids[0].runs["run"][0] == "4f42f69f61327dca"


def test_a_training_set_shrinks(make_sweep: MakeSweep) -> None:
    """To exactly the first rows of what it was, in full batches and in small ones; as many of them
    are corrupted as of a set begun at that size; the test set is all the rest."""
    sets = (
        "event.kind=at_step",
        "event.at_step=10",
        "event.set=data.data_fraction",
        "event.value=0.29",
        "data.data_fraction=0.7",
        "data.corruption_fraction=0.3",
    )
    for batch in ("full", "5"):
        program, state, table = begin(make_sweep, *sets, f"train.batch_size={batch}")
        state, before = advance(program, state, table)
        small = state.run
        assert (int(before["n_train"]), int(before["n_corrupted"])) == (34, 10)
        assert (int(small.n_train), int(small.n_corrupted)) == (14, 4)  # floor(0.29 * 49)
        state, after = advance(program, state, table)
        assert (int(after["n_train"]), int(after["n_corrupted"])) == (14, 4)
        # From there on it is the training of a set of that size that happened to get there.
        other, beginning, _ = begin(
            make_sweep,
            "data.data_fraction=0.29",
            "data.corruption_fraction=0.3",
            f"train.batch_size={batch}",
        )
        assert (int(beginning.run.n_train), int(beginning.run.n_corrupted)) == (14, 4)
        again, _ = advance(program, *begin(make_sweep, *sets, f"train.batch_size={batch}")[1:])
        continued, record = advance(other, again._replace(run=beginning.run), table)
        np.testing.assert_allclose(
            continued.params["u"][...], state.params["u"][...], rtol=1e-4, atol=1e-6
        )
        np.testing.assert_allclose(record["test_loss"], after["test_loss"], rtol=1e-4)


def test_a_parity_training_set_shrinks_to_a_number(make_sweep: MakeSweep) -> None:
    """Of examples, while its test examples stay."""
    program, state, _ = begin(
        make_sweep,
        "task.kind=parity",
        "task.train_examples=60",
        "task.test_examples=30",
        "task.bits=8",
        "loss=hinge",
        "model.activation=relu",
        "event.kind=memorized",
        "event.set=task.train_examples",
        "event.value=20",
        "data.corruption_fraction=0.1",
    )
    run = react(program, state, accuracy(1.0)).run
    assert (int(run.n_train), int(run.n_corrupted)) == (20, 2)
    parts = subsets(np.arange(90), run, tasks.of(program.experiment).size)
    np.testing.assert_array_equal(np.asarray(parts).sum(axis=0), [20, 30, 2, 18])


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["event.set=data.data_fraction", "event.value=0.6"], "found 0.6, with which 29 of 24"),
        (["event.set=data.data_fraction", "event.value=0.001"], "found 0.001, with which 0 of 24"),
        (
            ["event.set=data.data_fraction", "event.value=1e30"],
            "found 1e\\+30, with which 2147483647 or more of 24",
        ),
        (
            ["event.set=data.data_fraction", "event.value=10", "task.modulus=30000"],
            "found 10, with which 2147483647 or more of",
        ),
        (
            [
                "task.kind=parity",
                "loss=hinge",
                "model.activation=relu",
                "event.value=1e30",
                "event.set=task.train_examples",
            ],
            "found 1e\\+30, with which 2147483647 or more of 300",
        ),
        (["event.set=task.train_examples"], "allowed: data.data_fraction"),
        (
            [
                "task.kind=parity",
                "loss=hinge",
                "model.activation=relu",
                "event.value=2.5",
                "event.set=task.train_examples",
            ],
            "found 2.5, with which 2 of 300",
        ),
    ],
)
def test_what_does_not_shrink_is_refused(
    make_sweep: MakeSweep, sets: list[str], message: str
) -> None:
    """One line: an event that enlarges the set, leaves nothing of it, or is of another task."""
    with pytest.raises(Refusal, match=message):
        plan(make_sweep("", "event.kind=memorized", *sets), machine())
