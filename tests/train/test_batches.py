"""Which rows a step learns from: every one once an epoch, whatever the padding."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np

from phasegrok.train.batches import batches_per_epoch, epoch_orders, full_batch, minibatch
from phasegrok.train.state import init, make_table
from tests.conftest import MakeSweep
from tests.train.one import one


def test_minibatches_do_not_depend_on_padding(make_sweep: MakeSweep) -> None:
    """An epoch's order under two paddings is the same, holds every training row once, and
    differs from the next epoch's: it is a function of seed, epoch and n_train alone."""
    program, run = one(make_sweep, "train.batch_size=5")
    more = replace(program, rows=program.rows + 16)
    orders = [np.asarray(epoch_orders(p, init(p, run), p.orders)) for p in (program, more)]
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
        orders = epoch_orders(program, state, program.orders)
        seen: list[int] = []
        for i in range(int(batches_per_epoch(program, run.n_train))):
            now = state._replace(step=jnp.int32(i))
            batch = minibatch(program, marked, orders, jnp.int32(0), now)
            seen += [int(r) for r in np.asarray(batch.labels)[np.asarray(batch.weights) > 0]]
        assert len(seen) == len(set(seen)) == kept
        assert max(seen) < 24
