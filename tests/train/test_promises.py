"""What the engine promises of every model, loss, optimizer and batch mode, held pair by pair."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok.plan.plan import plan
from phasegrok.plan.program import RunParams
from phasegrok.train import step
from phasegrok.train.memory import machine
from phasegrok.train.state import Record, State, init, make_table
from tests.conftest import MakeSweep
from tests.thorough import some

MODELS = {
    "mlp": ["model.kind=mlp"],
    "deep": ["model.depth=3", "model.activation=relu", "model.bias=true"],
    "batch": ["model.normalization=batch"],
    "layer": ["model.normalization=layer", "model.activation=gelu"],
    "transformer": ["model.kind=transformer", "model.embedding=8", "model.feed_forward=12"],
    "lstm": ["model.kind=lstm", "model.embedding=6", "model.width=7"],
}
LOSSES, OPTIMIZERS, BATCHES = (
    ("mse", "cross_entropy", "brier"),
    ("adamw", "adam", "sgd"),
    ("full", "7"),
)


def pairwise() -> list[tuple[str, str, str, str]]:
    """Every model with every optimizer, and losses and batch modes dealt out so that each meets
    every model, every optimizer and the other: a full product would compile four times as much."""
    rows = []
    for m, model in enumerate(MODELS):
        for o, optimizer in enumerate(OPTIMIZERS):
            rows.append((model, LOSSES[(m + o) % 3], optimizer, BATCHES[(m + o // 2 + o) % 2]))
    return rows


def test_all_pairs_are_there() -> None:
    """Counted, not believed."""
    choices = (tuple(MODELS), LOSSES, OPTIMIZERS, BATCHES)
    rows = pairwise()
    for i, j in itertools.combinations(range(4), 2):
        met = {(row[i], row[j]) for row in rows}
        assert met == set(itertools.product(choices[i], choices[j])), (i, j)


@pytest.mark.parametrize(("model", "loss", "optimizer", "batch"), some(pairwise(), {4, 8, 13, 17}))
def test_promises(make_sweep: MakeSweep, model: str, loss: str, optimizer: str, batch: str) -> None:
    """One compiled program trains a batch of runs side by side: the same run twice, another seed,
    and one run for each traced field, changed.

    - Equal runs stay equal bit for bit, whoever their neighbours are.
    - Another seed has other examples and other weights.
    - Every traced field is felt, so none is read as a Python number and none is ignored.
    - Everything is finite.
    - Other values compile nothing: a second call is the first one's program.
    """
    sets = [
        *MODELS[model],
        f"loss={loss}",
        f"optimizer.kind={optimizer}",
        "model.dropout=0.2",
        f"train.batch_size={batch}",
        "optimizer.learning_rate=0.05",
        "train.log_every=5",
        "optimizer.weight_decay=0.3",
        "data.corruption_fraction=0.4",
        "optimizer.update_noise=0.1",
        "optimizer.weight_noise=0.01",
    ]
    sets += ["optimizer.momentum=0.5", "optimizer.l1=0.01"] if optimizer == "sgd" else []
    grid = plan(make_sweep("", *sets), machine())
    program = grid.jobs[0].program
    one = jax.tree.map(lambda x: jnp.asarray(x[0]), grid.run_params(np.array([0])))
    runs = [one, one, one._replace(seed=one.seed + 1)]
    changes = {"optimizer.epsilon": 1e-3}  # only shows where it is not small against the gradient
    for path, value in one.values.items():
        changed = jnp.float32(changes.get(path, value * 0.9))
        runs.append(one._replace(values={**one.values, path: changed}))
    stacked = jax.tree.map(lambda *x: jnp.stack(x), *runs)

    @jax.jit
    @jax.vmap
    def run(run: RunParams) -> tuple[State, Record]:
        return step.advance(program, init(program, run), make_table(program, run))

    state, record = run(stacked)
    flat = np.concatenate(
        [np.asarray(x).reshape(len(runs), -1) for x in jax.tree.leaves(state.params)], axis=1
    )
    assert np.isfinite(flat).all() and np.isfinite(record["train_loss"]).all()
    np.testing.assert_array_equal(flat[0], flat[1])
    for i, name in enumerate(["another seed", *one.values], start=2):
        assert not np.array_equal(flat[0], flat[i]), name
    other = stacked._replace(seed=stacked.seed + 5)
    run(other)
    assert run._cache_size() == 1
