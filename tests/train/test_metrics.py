"""What every logging point measures, counted by hand."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from phasegrok.train.batches import shown_labels
from phasegrok.train.metrics import measure
from phasegrok.train.state import init, make_table
from tests.conftest import MakeSweep
from tests.train.one import one


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
