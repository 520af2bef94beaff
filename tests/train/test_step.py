"""The pure step: against an independent NumPy training, and its noise."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok.config import Experiment
from phasegrok.plan.program import Program, RunParams
from phasegrok.train import step
from phasegrok.train.batches import full_batch
from phasegrok.train.state import Record, State, init, make_table
from tests.conftest import MakeSweep
from tests.train.one import one


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
