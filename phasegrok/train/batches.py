"""Which rows of the table a step learns from, and which labels they show."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from phasegrok import tasks
from phasegrok.measure.base import Examples
from phasegrok.plan.program import Program, RunParams
from phasegrok.tasks.tiling import padded
from phasegrok.train.state import BATCHES, State, seed_key


class Batch(NamedTuple):
    """Rows to learn from."""

    rows: jax.Array  # (B,) int32, their numbers in the table (full batch) or in the batch
    inputs: jax.Array  # (B, ...)
    labels: jax.Array  # (B,) int32, as shown: corrupted where the row is
    weights: jax.Array  # (B,) float32, 0 for padding


SUBSETS = ("train", "test", "corrupted", "clean")  # clean: trains and is not corrupted


def shown_labels(table: tasks.Table, run: RunParams) -> jax.Array:
    """(total,) the labels that the network is given: corrupted in the first rows."""
    row = jnp.arange(table.label.shape[0])
    return jnp.where(row < run.n_corrupted, table.corrupted_label, table.label)


def subsets(row: jax.Array, run: RunParams, size: tasks.Size) -> jax.Array:
    """(rows, 4) float32: 1 where a row belongs to a subset, in the order of :data:`SUBSETS`."""
    in_train, in_corrupted = row < run.n_train, row < run.n_corrupted
    in_test = (row < size.total) & (~in_train if size.test is None else row >= size.pool)
    columns = [in_train, in_test, in_corrupted, in_train & ~in_corrupted]
    return jnp.stack(columns, axis=1).astype(jnp.float32)


def examples(table: tasks.Table, run: RunParams, size: tasks.Size, rows: int) -> Examples:
    """All examples of a table, cut or padded to ``rows`` rows; padding is in no subset."""
    row = jnp.arange(rows, dtype=jnp.int32)
    return Examples(
        row,
        padded(table.inputs, rows),
        padded(table.label, rows),
        padded(shown_labels(table, run), rows),
        subsets(row, run, size),
    )


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


def epoch_orders(program: Program, state: State, orders: int) -> jax.Array:
    """(orders, rows) row numbers in the order of so many coming epochs, padding last.

    Rows are sorted by random bits whose counter is the row. So an order depends on seed, epoch
    and n_train, never on the padding.
    """
    first = state.step // batches_per_epoch(program, state.run.n_train)
    row = jnp.arange(program.rows, dtype=jnp.int32)
    key = seed_key(state.run, BATCHES)

    def order(epoch: jax.Array) -> jax.Array:
        bits = jax.random.bits(jax.random.fold_in(key, epoch), (program.rows,))
        outside = (row >= state.run.n_train).astype(jnp.int32)
        return jax.lax.sort((outside, bits, row), num_keys=3)[2]

    return jax.lax.map(order, first + jnp.arange(orders))


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
