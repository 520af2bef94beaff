"""Where a training begins: the seed contract."""

from __future__ import annotations

import jax
import numpy as np

from phasegrok.train.state import init, make_table
from tests.conftest import MakeSweep
from tests.train.one import one


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
