"""One training, as a pure function of its run.

:func:`init`, :func:`train_step`, :func:`measure` and :func:`advance` take a static
:class:`Program` and arrays, and know nothing of batches of runs, devices, files or clocks:
``train/engine.py`` maps them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from phasegrok import models, tasks
from phasegrok.config import SOLVED, AtStep, Memorized, NoEvent, shrinks, traced_paths
from phasegrok.measure import norms, spectrum
from phasegrok.models import DropoutSpec, ModelState, Params
from phasegrok.plan.program import Program, RunParams
from phasegrok.tasks.tiling import into_tiles, padded
from phasegrok.train.losses import answers, correct_logits, row_losses
from phasegrok.train.optimizers import gaussian, optimizer

# Streams of a seed: each draws from its own key, so that none depends on another's use.
ORDER, LABELS, WEIGHTS, BATCHES, MASKS, PRUNING, UPDATE_NOISE, WEIGHT_NOISE = range(8)


class State(NamedTuple):
    """What a training carries from step to step, and all that a checkpoint has to hold."""

    step: jax.Array  # int32, optimizer steps done
    run: RunParams  # events may change it while training
    params: Params
    model_state: ModelState  # running statistics
    opt_state: optax.OptState


class Batch(NamedTuple):
    """Rows to learn from."""

    rows: jax.Array  # (B,) int32, their numbers in the table (full batch) or in the batch
    inputs: jax.Array  # (B, ...)
    labels: jax.Array  # (B,) int32, as shown: corrupted where the row is
    weights: jax.Array  # (B,) float32, 0 for padding


Record = dict[str, jax.Array]  # scalars of one measurement, by column name


def seed_key(run: RunParams, stream: int) -> jax.Array:
    """The key of one stream of a run's seed. Threefry, since other generators give batched
    keys that depend on their neighbours."""
    return jax.random.fold_in(jax.random.key(run.seed, impl="threefry2x32"), stream)


def run_params_shapes(program: Program) -> RunParams:
    """A run's leaves as shapes, for tracing without values."""

    def run() -> RunParams:
        values = {path: jnp.zeros(()) for path in traced_paths(program.experiment)}
        count = jnp.zeros((), jnp.int32)
        shrunk = {"n_train": count, "n_corrupted": count} if shrinks(program.experiment) else {}
        return RunParams(jnp.zeros((), jnp.uint32), count, count, values, shrunk)

    shapes: RunParams = jax.eval_shape(run)
    return shapes


def make_table(program: Program, run: RunParams) -> tasks.Table:
    """The examples in the seed's order; depends on task and seed alone."""
    task = tasks.of(program.experiment)
    return task.table(seed_key(run, ORDER), seed_key(run, LABELS))


def init(program: Program, run: RunParams) -> State:
    """The state before the first step. Weights depend on model and seed alone."""
    model = models.of(program.experiment)
    params, model_state = model.begin(seed_key(run, WEIGHTS), run.values)
    opt_state = optimizer(program.experiment.optimizer, run.values).init(params)
    return State(jnp.zeros((), jnp.int32), run, params, model_state, opt_state)


def shown_labels(table: tasks.Table, run: RunParams) -> jax.Array:
    """(total,) the labels that the network is given: corrupted in the first rows."""
    row = jnp.arange(table.label.shape[0])
    return jnp.where(row < run.n_corrupted, table.corrupted_label, table.label)


def parts(row: jax.Array, run: RunParams, size: tasks.Size) -> jax.Array:
    """(rows, 4) float32: whether each row trains, tests, is corrupted, trains uncorrupted."""
    in_train, in_corrupted = row < run.n_train, row < run.n_corrupted
    in_test = (row < size.total) & (~in_train if size.test is None else row >= size.pool)
    columns = [in_train, in_test, in_corrupted, in_train & ~in_corrupted]
    return jnp.stack(columns, axis=1).astype(jnp.float32)


def full_batch(program: Program, table: tasks.Table, run: RunParams) -> Batch:
    """The whole training set, padded to the program's rows."""
    row = jnp.arange(program.rows, dtype=jnp.int32)
    return Batch(
        rows=row,
        inputs=padded(table.inputs, program.rows),
        labels=padded(shown_labels(table, run), program.rows),
        weights=(row < run.n_train).astype(jnp.float32),
    )


def batches_per_epoch(program: Program, n_train: jax.Array) -> jax.Array:
    """Steps that one pass over the training set takes."""
    return program.experiment.train.batches_per_epoch(n_train)


def epoch_orders(program: Program, state: State) -> jax.Array:
    """(orders, rows) row numbers in the order of the coming epochs, padding last.

    Rows are sorted by random bits whose counter is the row, so that an order depends on seed,
    epoch and n_train, never on the padding.
    """
    first = state.step // batches_per_epoch(program, state.run.n_train)
    row = jnp.arange(program.rows, dtype=jnp.int32)
    key = seed_key(state.run, BATCHES)

    def order(epoch: jax.Array) -> jax.Array:
        bits = jax.random.bits(jax.random.fold_in(key, epoch), (program.rows,))
        outside = (row >= state.run.n_train).astype(jnp.int32)
        return jax.lax.sort((outside, bits, row), num_keys=3)[2]

    return jax.lax.map(order, first + jnp.arange(program.orders))


def minibatch(
    program: Program, everything: Batch, orders: jax.Array, first_epoch: jax.Array, state: State
) -> Batch:
    """The batch of one step, drawn without replacement within an epoch."""
    size = program.experiment.train.batch_size
    assert size != "full"
    per_epoch = batches_per_epoch(program, state.run.n_train)
    position = (state.step % per_epoch) * size + jnp.arange(size, dtype=jnp.int32)
    order = orders[state.step // per_epoch - first_epoch]
    row = order[jnp.minimum(position, program.rows - 1)]
    return Batch(
        # Masks are counted by place in the batch: a row comes once an epoch, keys differ by step.
        rows=jnp.arange(size, dtype=jnp.int32),
        inputs=everything.inputs[row],
        labels=everything.labels[row],
        weights=(position < state.run.n_train).astype(jnp.float32),
    )


def train_step(program: Program, state: State, batch: Batch) -> State:
    """One step of the optimizer on ``batch``.

    The gradient is summed over tiles of rows whose activations stay in a processor's cache
    (a sixth faster than one pass at the paper's size) and whose memory does not grow with the
    training set.
    """
    experiment = program.experiment
    task, model = tasks.of(experiment), models.of(experiment)
    spec = None
    if program.use_dropout:
        key = jax.random.fold_in(seed_key(state.run, MASKS), state.step)
        spec = DropoutSpec(key, state.run.values["model.dropout"])
    total = jnp.sum(batch.weights)

    def loss(params: Params, model_state: ModelState, tile: Batch) -> tuple[jax.Array, ModelState]:
        batch = models.Pass(task.look_up(tile.inputs), tile.rows, tile.weights, spec)
        outputs, model_state = model.apply(params, model_state, batch)
        losses = row_losses(experiment.loss, outputs, tile.labels)
        return jnp.sum(losses * tile.weights) / total, model_state

    at = disturbed(program, state, "optimizer.weight_noise", state.params)
    gradient = jax.grad(loss, has_aux=True)
    tiles = 1 if program.orders else batch.rows.shape[0] // program.tile
    if tiles == 1:
        grads, model_state = gradient(at, state.model_state, batch)
    else:

        def add(
            carry: tuple[Params, ModelState], tile: Batch
        ) -> tuple[tuple[Params, ModelState], None]:
            grads, model_state = gradient(at, carry[1], tile)
            return (jax.tree.map(jnp.add, carry[0], grads), model_state), None

        zeros = jax.tree.map(jnp.zeros_like, state.params)
        (grads, model_state), _ = jax.lax.scan(
            add, (zeros, state.model_state), into_tiles(batch, tiles)
        )
    # optax raises a traced beta to an integer count, which strict promotion refuses.
    with jax.numpy_dtype_promotion("standard"):
        updates, opt_state = optimizer(experiment.optimizer, state.run.values).update(
            grads, state.opt_state, state.params
        )
    rate = state.run.values["optimizer.learning_rate"]
    updates = disturbed(program, state, "optimizer.update_noise", updates, rate)
    params = optax.apply_updates(state.params, updates)
    return State(state.step + 1, state.run, params, model_state, opt_state)


def disturbed(
    program: Program, state: State, noise: str, tree: Params, scale: jax.Array | float = 1.0
) -> Params:
    """``tree`` with a step's Gaussian noise of the kind that the path ``noise`` names, where the
    program has it; its standard deviation is the path's value times ``scale``."""
    if noise not in program.noises:
        return tree
    stream = UPDATE_NOISE if noise == "optimizer.update_noise" else WEIGHT_NOISE
    key = jax.random.fold_in(seed_key(state.run, stream), state.step)
    return jax.tree.map(jnp.add, tree, gaussian(key, tree, state.run.values[noise] * scale))


def measure(program: Program, state: State, table: tasks.Table) -> Record:
    """Everything that the ``curves`` table holds, on all examples, without dropout.

    Predictions are those of :func:`~phasegrok.train.losses.answers`; outputs that are not finite
    are right about nothing. Shares over no rows (``corrupted_accuracy`` at xi = 0) are NaN, and so
    are ``mean_ipr`` and ``dead_neurons`` where no neuron's weights have a spectrum.
    """
    experiment = program.experiment
    task, model = tasks.of(experiment), models.of(experiment)
    run = state.run
    tiles = -(-task.size.total // program.tile)
    rows = tiles * program.tile
    row = jnp.arange(rows, dtype=jnp.int32)
    everything = (
        row,
        padded(table.inputs, rows),
        padded(table.label, rows),
        padded(shown_labels(table, run), rows),
        parts(row, run, task.size),
    )

    def sums(carry: jax.Array, tile: tuple[jax.Array, ...]) -> tuple[jax.Array, None]:
        row, inputs, label, shown, parts = tile
        outputs, _ = model.apply(
            state.params, state.model_state, models.Pass(task.look_up(inputs), row)
        )
        answer = answers(outputs)
        finite = jnp.all(jnp.isfinite(outputs), axis=-1)
        columns = [
            row_losses(experiment.loss, outputs, shown),
            row_losses(experiment.loss, outputs, label),
            (finite & (answer == shown)).astype(jnp.float32),
            (finite & (answer == label)).astype(jnp.float32),
        ]
        if program.measure.correct_logit:
            columns += [correct_logits(outputs, shown), correct_logits(outputs, label)]
        # Where, not a product: padding rows of a diverged network would give 0 * inf = NaN.
        part = parts[:, :, None] > 0
        return carry + jnp.sum(jnp.where(part, jnp.stack(columns, 1)[:, None], 0.0), 0), None

    width = 6 if program.measure.correct_logit else 4
    table_sums, _ = jax.lax.scan(sums, jnp.zeros((4, width)), into_tiles(everything, tiles))
    counts = jnp.sum(everything[4], axis=0)
    mean = table_sums / counts[:, None]  # parts (train, test, corrupted, clean) x columns
    ipr, dead = jnp.full((), jnp.nan), jnp.full((), jnp.nan)
    basis = spectrum.task_basis(task)
    vectors = model.vectors(state.params).choose(program.measure.mean_ipr)
    if basis is not None and vectors:
        ipr, dead = spectrum.mean_ipr(vectors, basis, program.measure.ipr_order)
    matrices = model.matrices(state.params)
    spectral = matrices if program.measure.spectral_norms else {}
    logits = {}
    if program.measure.correct_logit:
        logits = {"train_logit": mean[0, 4], "test_logit": mean[1, 5]}
    return {
        "n_train": run.n_train,
        "n_corrupted": run.n_corrupted,
        "train_loss": mean[0, 0],
        "test_loss": mean[1, 1],
        "train_accuracy": mean[0, 2],
        "test_accuracy": mean[1, 3],
        "corrupted_accuracy": mean[2, 2],
        "restored_accuracy": mean[2, 3],
        "clean_accuracy": mean[3, 3],
        **logits,
        "mean_ipr": ipr,
        "dead_neurons": dead,
        "weight_norm": optax.tree.norm(state.params),
        **{f"norm_{name}": norms.frobenius(weights) for name, weights in matrices.items()},
        **{f"spectral_{name}": norms.spectral(weights) for name, weights in spectral.items()},
    }


def react(program: Program, state: State, record: Record) -> State:
    """The state with its run as the experiment's event leaves it at a logging point. Once it has
    come it stays: what it set is not set back."""
    event, run = program.experiment.event, state.run
    match event:
        case NoEvent():
            return state
        case Memorized():
            now = record["train_accuracy"] > SOLVED
        case AtStep():
            now = state.step.astype(jnp.float32) >= run.values["event.at_step"]
    if shrinks(program.experiment):
        # Counted on the host: a float32 fraction of many rows would be a row off here and there.
        counts: dict[str, Any] = {
            name: jnp.where(now, after, getattr(run, name)) for name, after in run.shrunk.items()
        }
        return state._replace(run=run._replace(**counts))
    value = jnp.where(now, run.values["event.value"], run.values[event.set])
    return state._replace(run=run._replace(values={**run.values, event.set: value}))


def advance(program: Program, state: State, table: tasks.Table) -> tuple[State, Record]:
    """Train for one logging interval, then measure, then let an event change the run."""
    everything = full_batch(program, table, state.run)
    if program.orders:
        orders = epoch_orders(program, state)
        first_epoch = state.step // batches_per_epoch(program, state.run.n_train)

    def step(state: State, _: None) -> tuple[State, None]:
        batch = everything
        if program.orders:
            batch = minibatch(program, everything, orders, first_epoch, state)
        return train_step(program, state, batch), None

    state, _ = jax.lax.scan(step, state, None, length=program.log_every)
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
