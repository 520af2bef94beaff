"""Normalization against its definition, padding rows included."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok import models
from phasegrok.config import Mlp, Modular
from phasegrok.models.base import Pass
from phasegrok.plan.plan import plan
from phasegrok.train import step
from phasegrok.train.memory import machine
from phasegrok.train.state import init, make_table
from tests.conftest import MakeSweep

TASK = Modular(modulus=11)
RNG = np.random.default_rng(0)
PAIRS = jnp.asarray(RNG.integers(0, 11, (20, 2)), jnp.int32)


def run(kind: str, weights: np.ndarray | None) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Normalized activations of a network whose scale and shift are not trivial, and statistics."""
    model = models.build(Mlp(width=6, normalization=kind), TASK)
    params, model_state = model.init(jax.random.key(0), jnp.full((), 30.0))
    assert float(params["normalizations"][0]["scale"][...].max()) == 1  # the init scale is not its
    params["normalizations"][0]["scale"][...] = jnp.arange(1.0, 7.0)
    params["normalizations"][0]["shift"][...] = jnp.full(6, 0.5)
    w = None if weights is None else jnp.asarray(weights, jnp.float32)
    features, model_state = model.penultimate(params, model_state, Pass(PAIRS, jnp.arange(20), w))
    np.testing.assert_array_equal(model.normalization_weights(params)["hidden"], range(1, 7))
    x = np.square(params["u"][...][PAIRS[:, 0]] + params["v"][...][PAIRS[:, 1]])
    statistics = model_state["normalizations"][0] if model_state else {}
    return np.asarray(features), {"x": x} | {k: np.asarray(v[...]) for k, v in statistics.items()}


def test_batch_statistics_leave_padding_out() -> None:
    """Of 20 rows 13 count: mean and variance are theirs, the running ones are a tenth of the way
    from (0, 1) with the unbiased variance (PyTorch's), and evaluation uses those."""
    counts = np.arange(20) < 13
    found, model_state = run("batch", counts.astype(float))
    x = model_state["x"][counts]
    expected = (model_state["x"] - x.mean(0)) / np.sqrt(x.var(0) + 1e-5) * np.arange(1, 7) + 0.5
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(model_state["mean"], 0.1 * x.mean(0), rtol=1e-4)
    np.testing.assert_allclose(model_state["variance"], 0.9 + 0.1 * x.var(0, ddof=1), rtol=1e-4)
    found, model_state = run("batch", None)
    expected = model_state["x"] / np.sqrt(1 + 1e-5) * np.arange(1, 7) + 0.5
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_layer_statistics_are_a_rows_own() -> None:
    """Zero mean and unit variance over the features of every row, in training as in evaluation."""
    found, model_state = run("layer", None)
    x = model_state["x"]
    normal = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(found, normal * np.arange(1, 7) + 0.5, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(found, run("layer", np.ones(20))[0])


@pytest.mark.parametrize("batch", ["full", "8"])
def test_running_statistics_are_part_of_the_state(make_sweep: MakeSweep, batch: str) -> None:
    """After training they are no longer (0, 1), a full batch is not cut into tiles, and the
    network evaluates with them: its measured loss is that of the formula on saved arrays."""
    sweep = make_sweep("", "model.normalization=batch", f"train.batch_size={batch}")
    grid = plan(sweep, machine())
    program = grid.jobs[0].program
    assert program.tile == program.rows
    cell = jax.tree.map(lambda x: jnp.asarray(x[0]), grid.run_params(np.array([0])))
    table = make_table(program, cell)
    state, record = jax.jit(step.segment, static_argnums=(0, 1))(
        program, 1, init(program, cell), table
    )
    p = jax.tree.map(np.asarray, state.params)
    model_state = {k: np.asarray(v[...]) for k, v in state.model_state["normalizations"][0].items()}
    assert model_state["mean"].max() > 0.01
    m, n = np.asarray(table.inputs).T
    x = np.square(p["u"][...][m] + p["v"][...][n])
    gamma, beta = (p["normalizations"][0][k][...] for k in ("scale", "shift"))
    x = (x - model_state["mean"]) / np.sqrt(model_state["variance"] + 1e-5) * gamma + beta
    error = np.square(x @ p["w"][...] - np.eye(7)[np.asarray(table.label)]).mean(1)
    n_train = int(cell.n_train)
    np.testing.assert_allclose(record["test_loss"][0], error[n_train:].mean(), rtol=1e-4)
