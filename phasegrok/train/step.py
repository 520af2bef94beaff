"""One training, as a pure function of its run.

:func:`train_step`, :func:`advance`, :func:`begin`, :func:`segment` and the :func:`piece` of an
interval take a static :class:`Program` and arrays. They know nothing of batches of runs, devices,
files or clocks: ``train/engine.py`` maps them.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from phasegrok import models, tasks
from phasegrok.kernels import fused
from phasegrok.models import DropoutSpec, ModelState, Params
from phasegrok.plan.program import Program, RunParams
from phasegrok.tasks.tiling import into_tiles
from phasegrok.train.batches import (
    Batch,
    batches_per_epoch,
    epoch_orders,
    full_batch,
    minibatch,
)
from phasegrok.train.events import react
from phasegrok.train.losses import row_losses
from phasegrok.train.metrics import measure
from phasegrok.train.optimizers import noise_like, optimizer
from phasegrok.train.schedules import RATE, scheduled
from phasegrok.train.state import (
    MASKS,
    UPDATE_NOISE,
    WEIGHT_NOISE,
    Record,
    State,
    init,
    make_table,
    seed_key,
)

# From weights, statistics and a tile of rows to the loss and the statistics after it.
Loss = Callable[[Params, ModelState, Batch], tuple[jax.Array, ModelState]]
Gradient = tuple[Params, ModelState]  # and the statistics after it


def train_step(program: Program, state: State, batch: Batch) -> State:
    """One step of the optimizer on ``batch``."""
    grads, model_state = gradients(program, state, batch)
    values = scheduled(program, state)
    # optax raises a traced beta to an integer count, which strict promotion refuses.
    with jax.numpy_dtype_promotion("standard"):
        updates, opt_state = optimizer(program.experiment.optimizer, values).update(
            grads, state.opt_state, state.params
        )
    updates = disturbed(program, state, "optimizer.update_noise", updates, values[RATE])
    params = optax.apply_updates(state.params, updates)
    return State(state.step + 1, state.run, params, model_state, opt_state)


def gradients(program: Program, state: State, batch: Batch) -> Gradient:
    """The gradient of the mean loss over ``batch``, and the statistics after it.

    It is summed over tiles of rows whose activations stay in a processor's cache. That is a sixth
    faster than one pass at the paper's size, and memory does not grow with the training set.
    """
    loss = loss_of(program, state, jnp.sum(batch.weights))
    gradient = jax.grad(loss, has_aux=True)
    at = disturbed(program, state, "optimizer.weight_noise", state.params)
    tiles = 1 if program.orders else batch.rows.shape[0] // program.tile
    if tiles == 1:
        return gradient(at, state.model_state, batch)

    def add(
        carry: tuple[Params, ModelState], tile: Batch
    ) -> tuple[tuple[Params, ModelState], None]:
        grads, model_state = gradient(at, carry[1], tile)
        return (jax.tree.map(jnp.add, carry[0], grads), model_state), None

    zeros = jax.tree.map(jnp.zeros_like, state.params)
    total, _ = jax.lax.scan(add, (zeros, state.model_state), into_tiles(batch, tiles))
    return total


def loss_of(program: Program, state: State, total: jax.Array) -> Loss:
    """A tile's share of the mean loss over ``total`` rows, as a function of weights, statistics and
    the tile; with the dropout masks of the coming step."""
    experiment = program.experiment
    task, model = tasks.of(experiment), models.of(experiment)
    spec = None
    if program.use_dropout:
        key = jax.random.fold_in(seed_key(state.run, MASKS), state.step)
        spec = DropoutSpec(key, state.run.values["model.dropout"])

    def by_kernel(
        params: Params, model_state: ModelState, tile: Batch
    ) -> tuple[jax.Array, ModelState]:
        rows = fused.FusedRows(tile.rows, tile.inputs, tile.labels, tile.weights)
        return fused.loss(program, params, rows, spec) / total, model_state

    def loss(params: Params, model_state: ModelState, tile: Batch) -> tuple[jax.Array, ModelState]:
        inputs = task.look_up(tile.inputs)
        rows = models.Pass(inputs, tile.rows, tile.weights, spec, program.lookups)
        outputs, model_state = model.apply(params, model_state, rows)
        losses = row_losses(experiment.loss, outputs, tile.labels, program.accelerated)
        return jnp.sum(losses * tile.weights) / total, model_state

    return by_kernel if program.kernel == "fused" else loss


def disturbed(
    program: Program, state: State, noise: str, tree: Params, scale: jax.Array | float = 1.0
) -> Params:
    """``tree`` with one step's Gaussian noise, where the program has that noise.

    Args:
        program: what is trained.
        state: its step and seed choose the noise.
        noise: path of the noise; its value times ``scale`` is the standard deviation.
        tree: weights or updates.
        scale: see ``noise``.
    """
    if noise not in program.noises:
        return tree
    stream = UPDATE_NOISE if noise == "optimizer.update_noise" else WEIGHT_NOISE
    key = jax.random.fold_in(seed_key(state.run, stream), state.step)
    return jax.tree.map(jnp.add, tree, noise_like(key, tree, state.run.values[noise] * scale))


def advance(program: Program, state: State, table: tasks.Table) -> tuple[State, Record]:
    """Train for one logging interval, then measure, then let an event change the run."""
    return _ended(program, trained(program, program.log_every, state, table), table)


def trained(program: Program, steps: int, state: State, table: tasks.Table) -> State:
    """Train for so many steps, at most a logging interval, without its end.

    Every random number of a step follows from seed and step, and an order of rows from seed and
    epoch. So it does not matter where an interval is cut.
    """
    everything = full_batch(program, table, state.run)
    if program.orders:
        orders = epoch_orders(program, state, _epochs(program, steps))
        first_epoch = state.step // batches_per_epoch(program, state.run.n_train)

    def step(state: State, _: None) -> tuple[State, None]:
        batch = everything
        if program.orders:
            batch = minibatch(program, everything, orders, first_epoch, state)
        return train_step(program, state, batch), None

    state, _ = jax.lax.scan(step, state, None, length=steps)
    return state


def _epochs(program: Program, steps: int) -> int:
    """How many epochs so many steps may touch, by the planner's count for an interval."""
    if steps == program.log_every:
        return program.orders
    # An epoch has more than (log_every - 1) / (orders - 1) steps.
    touched = (steps - 1) * (program.orders - 1) // (program.log_every - 1) + 2
    return min(program.orders, touched)


def _ended(program: Program, state: State, table: tasks.Table) -> tuple[State, Record]:
    record = measure(program, state, table)
    return react(program, state, record), record


def begin(program: Program, run: RunParams) -> tuple[State, tasks.Table, Record]:
    """The state before the first step, its examples and measurement; an event may come here."""
    state, table = init(program, run), make_table(program, run)
    record = measure(program, state, table)
    return react(program, state, record), table, record


def segment(
    program: Program, intervals: int, state: State, table: tasks.Table
) -> tuple[State, Record]:
    """``intervals`` logging intervals; the records' leaves have them as leading axis."""

    def interval(state: State, _: None) -> tuple[State, Record]:
        return advance(program, state, table)

    return jax.lax.scan(interval, state, None, length=intervals)


def piece(
    program: Program, steps: int, state: State, table: tasks.Table
) -> tuple[State, jax.Array]:
    """So many steps inside one logging interval; and the step that they came to."""
    state = trained(program, steps, state, table)
    return state, state.step


def last_piece(
    program: Program, steps: int, state: State, table: tasks.Table
) -> tuple[State, Record]:
    """The last steps of a logging interval, and its end.

    Shaped like :func:`segment`, so that the compiler fuses the measurement as it does there.
    """

    def rest(state: State, _: None) -> tuple[State, Record]:
        return _ended(program, trained(program, steps, state, table), table)

    return jax.lax.scan(rest, state, None, length=1)
