"""A program and its run, alone: what tests of the pure functions begin with."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import plan
from phasegrok.plan.program import Program, RunParams
from tests.conftest import MakeSweep

MACHINE = Machine("cpu", 1, 1 << 34, 1 << 30, 5e10, 2.0)


def one(make_sweep: MakeSweep, *overrides: str) -> tuple[Program, RunParams]:
    """Program and (scalar) run of a sweep of one run."""
    grid = plan(make_sweep("", *overrides), MACHINE)
    runs = grid.run_params(grid.jobs[0].runs[:1])
    return grid.jobs[0].program, jax.tree.map(lambda x: jnp.asarray(x[0]), runs)
