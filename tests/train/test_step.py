"""The pure step: against an independent NumPy training, and the seed contract."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok.config import Experiment
from phasegrok.plan.plan import Machine, plan
from phasegrok.plan.program import Program, RunParams
from phasegrok.train import step
from phasegrok.train.batches import (
    batches_per_epoch,
    epoch_orders,
    full_batch,
    minibatch,
    shown_labels,
)
from phasegrok.train.metrics import measure
from phasegrok.train.state import Record, State, init, make_table
from tests.conftest import MakeSweep

MACHINE = Machine("cpu", 1, 1 << 34, 1 << 30, 5e10, 2.0)


def one(make_sweep: MakeSweep, *overrides: str) -> tuple[Program, RunParams]:
    """Program and (scalar) run of a sweep of one run."""
    grid = plan(make_sweep("", *overrides), MACHINE)
    runs = grid.run_params(grid.jobs[0].runs[:1])
    return grid.jobs[0].program, jax.tree.map(lambda x: jnp.asarray(x[0]), runs)


def train(program: Program, run: RunParams, intervals: int = 1) -> tuple[State, Record]:
    table = make_table(program, run)
    return jax.jit(step.segment, static_argnums=(0, 1))(
        program, intervals, init(program, run), table
    )


def test_adamw_on_mse_equals_a_numpy_training_with_one_hot_inputs(make_sweep: MakeSweep) -> None:
    """The paper's method written again without lookups, masks, tiles, autodiff or optax, in
    float64: equation 1 with one-hot inputs, the gradients of equation 9, AdamW by its
    definition. Ten steps agree, so every one of those shortcuts is exact."""
    program, run = one(
        make_sweep,
        "data.corruption_fraction=0.4",
        "optimizer.weight_decay=3",
        "data.data_fraction=0.6",
    )
    p = 7
    table = make_table(program, run)
    state = init(program, run)
    n, bad = int(run.n_train), int(run.n_corrupted)
    assert (n, bad) == (29, 11)
    eye = np.eye(p)
    pairs = np.asarray(table.inputs)[:n]
    corrupted, true = np.asarray(table.corrupted_label)[:n], np.asarray(table.label)[:n]
    labels = np.where(np.arange(n) < bad, corrupted, true)
    x = np.concatenate([eye[pairs[:, 0]], eye[pairs[:, 1]]], axis=1)
    w_in = np.concatenate([state.params["u"][...], state.params["v"][...]]).astype(np.float64)
    w = np.asarray(state.params["w"][...], np.float64)
    opt_state = [np.zeros_like(w_in), np.zeros_like(w)], [np.zeros_like(w_in), np.zeros_like(w)]
    for t in range(1, 11):
        pre = x @ w_in
        error = pre**2 @ w - eye[labels]
        d_out = 2 * error / (n * p)
        grads = [x.T @ (d_out @ w.T * 2 * pre), (pre**2).T @ d_out]
        for i, weights in enumerate((w_in, w)):
            m, v = opt_state[0][i], opt_state[1][i]
            m[...] = 0.9 * m + 0.1 * grads[i]
            v[...] = 0.98 * v + 0.02 * grads[i] ** 2
            update = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.98**t)) + 1e-8)
            weights -= 0.02 * (update + 3 * weights)
    state, record = train(program, run)
    np.testing.assert_allclose(state.params["u"][...], w_in[:p], rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(state.params["w"][...], w, rtol=2e-4, atol=2e-5)
    outputs = (x @ w_in) ** 2 @ w
    loss = np.mean((outputs - eye[labels]) ** 2)
    np.testing.assert_allclose(record["train_loss"][0], loss, rtol=1e-4)
    right = np.mean(outputs.argmax(1) == labels)
    np.testing.assert_allclose(record["train_accuracy"][0], right, atol=1e-6)


@pytest.mark.parametrize("change", ["rows", "tile"])
def test_padding_and_tiles_change_rounding_only(make_sweep: MakeSweep, change: str) -> None:
    """The same run in a program with more padding, or with its gradient in four tiles: equal
    to float tolerance after ten steps, so padding rows carry no weight anywhere."""
    program, run = one(make_sweep, "data.corruption_fraction=0.4", "model.dropout=0.3")
    other = replace(program, rows=40, tile=40 if change == "rows" else 10)
    assert other != program
    (a, a_record), (b, b_record) = train(program, run), train(other, run)
    np.testing.assert_allclose(a.params["u"][...], b.params["u"][...], rtol=1e-4, atol=1e-5)
    for name in a_record:
        np.testing.assert_allclose(a_record[name], b_record[name], rtol=1e-4, atol=1e-5)


def test_minibatches_do_not_depend_on_padding(make_sweep: MakeSweep) -> None:
    """An epoch's order under two paddings is the same, holds every training row once, and
    differs from the next epoch's: it is a function of seed, epoch and n_train alone."""
    program, run = one(make_sweep, "train.batch_size=5")
    more = replace(program, rows=program.rows + 16)
    orders = [np.asarray(epoch_orders(p, init(p, run))) for p in (program, more)]
    n = int(run.n_train)
    np.testing.assert_array_equal(orders[0][:, :n], orders[1][:, :n])
    np.testing.assert_array_equal(np.sort(orders[0][0, :n]), np.arange(n))
    assert (orders[0][0, :n] != orders[0][1, :n]).any()


def test_minibatch_epoch_sees_every_kept_row_once(make_sweep: MakeSweep) -> None:
    """With last_batch keep, the batches of one epoch cover the training set exactly; with drop,
    they hold full batches only. Counted by walking the steps as ``advance`` does."""
    for last, kept in (("keep", 24), ("drop", 20)):
        program, run = one(make_sweep, "train.batch_size=5", f"train.last_batch={last}")
        table, state = make_table(program, run), init(program, run)
        everything = full_batch(program, table, run)
        marked = everything._replace(labels=everything.rows)
        orders = epoch_orders(program, state)
        seen: list[int] = []
        for i in range(int(batches_per_epoch(program, run.n_train))):
            now = state._replace(step=jnp.int32(i))
            batch = minibatch(program, marked, orders, jnp.int32(0), now)
            seen += [int(r) for r in np.asarray(batch.labels)[np.asarray(batch.weights) > 0]]
        assert len(seen) == len(set(seen)) == kept
        assert max(seen) < 24


def test_table_and_weights_follow_the_seed_only(make_sweep: MakeSweep) -> None:
    """Data fraction, corruption and decay leave a seed's table and initial weights untouched
    (so fractions nest); another seed changes both."""
    program, run = one(make_sweep)
    _, other = one(make_sweep, "data.data_fraction=0.8", "optimizer.weight_decay=9")
    _, reseeded = one(make_sweep, "seeds=[5]")
    pick = lambda c: (make_table(program, c), init(program, c).params)  # noqa: E731
    same = jax.tree.map(np.array_equal, pick(run), pick(other))
    assert all(jax.tree.leaves(same))
    assert not any(jax.tree.leaves(jax.tree.map(np.array_equal, pick(run), pick(reseeded))))


def test_measure_counts_by_hand(make_sweep: MakeSweep) -> None:
    """Every share recounted in NumPy from the network's outputs at initialization."""
    program, run = one(make_sweep, "data.corruption_fraction=0.5")
    table, state = make_table(program, run), init(program, run)
    record = measure(program, state, table)
    u, v, w = (np.asarray(state.params[k][...]) for k in "uvw")
    pairs, label, noise = (np.asarray(x) for x in table)
    answer = ((u[pairs[:, 0]] + v[pairs[:, 1]]) ** 2 @ w).argmax(1)
    n, bad = int(run.n_train), int(run.n_corrupted)
    shown = np.where(np.arange(49) < bad, noise, label)
    expected = {
        "train_accuracy": np.mean((answer == shown)[:n]),
        "test_accuracy": np.mean((answer == label)[n:]),
        "corrupted_accuracy": np.mean((answer == noise)[:bad]),
        "restored_accuracy": np.mean((answer == label)[:bad]),
        "clean_accuracy": np.mean((answer == label)[bad:n]),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(record[name], value, atol=1e-6, err_msg=name)


def test_outputs_that_are_not_finite_are_right_about_nothing(make_sweep: MakeSweep) -> None:
    """NaN outputs have an argmax; counting it would give a diverged run a test accuracy of 1/p."""
    program, run = one(make_sweep)
    table, state = make_table(program, run), init(program, run)
    broken = state._replace(params=jax.tree.map(lambda x: x * jnp.nan, state.params))
    record = measure(program, broken, table)
    assert record["train_accuracy"] == record["test_accuracy"] == 0


def test_experiment_numbers_cannot_leak_into_programs(make_sweep: MakeSweep) -> None:
    """A program's traced fields are emptied: runs that differ only in them share it, and code
    that reads one by mistake fails instead of training every run at one run's value."""
    program, _ = one(make_sweep)
    other, _ = one(make_sweep, "optimizer.weight_decay=4", "optimizer.learning_rate=0.5")
    assert program == other and hash(program) == hash(other)
    assert program.experiment.optimizer.learning_rate is None
    assert isinstance(program.experiment, Experiment)


def test_noise_on_updates_and_on_weights(make_sweep: MakeSweep) -> None:
    """One step of plain gradient descent: update noise adds learning rate times s to every weight's
    change; weight noise moves the point that the gradient is taken at and nothing else. Without
    either the program has no random numbers, and other steps draw other ones."""
    sgd = ("optimizer.kind=sgd", "optimizer.learning_rate=0.5")
    plain, run = one(make_sweep, *sgd)
    assert plain.noises == ()

    def stepped(program: Program, run: RunParams, moved: object = None, at: int = 0) -> jax.Array:
        state = init(program, run)._replace(step=jnp.int32(at))
        if moved is not None:
            state = state._replace(params=moved)
        batch = full_batch(program, make_table(program, run), run)
        return step.train_step(program, state, batch).params

    start = init(plain, run).params
    for kind in ("update_noise", "weight_noise"):
        program, noisy = one(make_sweep, *sgd, f"optimizer.{kind}=0.2")
        assert program.noises == (f"optimizer.{kind}",)
        first, later = stepped(program, noisy), stepped(program, noisy, at=1)
        if kind == "update_noise":
            change = first["u"][...] - stepped(plain, run)["u"][...]
            np.testing.assert_allclose(change.std(), 0.5 * 0.2, rtol=0.3)
        else:
            state = init(program, noisy)
            moved = step.disturbed(program, state, "optimizer.weight_noise", state.params)
            np.testing.assert_allclose((moved["u"][...] - start["u"][...]).std(), 0.2, rtol=0.3)
            elsewhere = stepped(plain, run, moved)["u"][...] - moved["u"][...]
            here = first["u"][...] - start["u"][...]
            np.testing.assert_allclose(here, elsewhere, rtol=1e-3, atol=1e-5)
        assert not np.array_equal(first["u"][...], later["u"][...])


def test_correct_logits_by_hand(make_sweep: MakeSweep) -> None:
    """The output at the shown label over training rows, at the true one over the others, above the
    mean of a row's outputs."""
    program, run = one(make_sweep, "data.corruption_fraction=0.5", "measure.correct_logit=true")
    table, state = make_table(program, run), init(program, run)
    record = measure(program, state, table)
    u, v, w = (np.asarray(state.params[k][...]) for k in "uvw")
    pairs, label, _ = (np.asarray(x) for x in table)
    outputs = (u[pairs[:, 0]] + v[pairs[:, 1]]) ** 2 @ w
    outputs = outputs - outputs.mean(axis=1, keepdims=True)
    n, shown = int(run.n_train), np.asarray(shown_labels(table, run))
    row = np.arange(49)
    np.testing.assert_allclose(record["train_logit"], outputs[row, shown][:n].mean(), rtol=1e-4)
    np.testing.assert_allclose(record["test_logit"], outputs[row, label][n:].mean(), rtol=1e-4)
