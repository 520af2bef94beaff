"""A trained network as measurements are given it, and what they find in it.

Pure, like the step, and mapped over runs in the same way.
"""

from __future__ import annotations

from functools import lru_cache, partial

import jax

from phasegrok import tasks
from phasegrok.measure import MEASUREMENTS, Measurement, Snapshot
from phasegrok.plan.program import Program, RunParams
from phasegrok.train.batches import examples
from phasegrok.train.losses import column_losses
from phasegrok.train.state import PRUNING, State, init, make_table, run_params_shapes, seed_key


def take(program: Program, state: State, table: tasks.Table) -> Snapshot:
    """The network of ``state``, as it is now. What no measurement reads costs nothing: the
    compiler drops it."""
    run, size = state.run, tasks.of(program.experiment).size
    return Snapshot(
        experiment=program.experiment,
        measure=program.measure,
        run=run,
        params=state.params,
        model_state=state.model_state,
        examples=examples(table, run, size, size.total),
        corrupted_label=table.corrupted_label,
        key=seed_key(run, PRUNING),
        column_losses=partial(column_losses, program.experiment.loss),
    )


def snapshot(program: Program, state: State, table: tasks.Table) -> dict[str, jax.Array]:
    """The arrays of all tables that ``measure:`` asks for, by ``TABLE.GROUP.COLUMN``."""
    network = take(program, state, table)
    return {
        f"{each.table}.{group}.{column}": values
        for each in MEASUREMENTS
        if each.wanted(program.measure)
        for group, columns in each.compute(network).items()
        for column, values in columns.items()
    }


def shapes(program: Program) -> dict[str, jax.ShapeDtypeStruct]:
    """The shapes of what :func:`snapshot` will return, without computing anything."""
    wanted = tuple(each for each in MEASUREMENTS if each.wanted(program.measure))
    return dict(_shapes(program, wanted)) if wanted else {}


@lru_cache(maxsize=256)
def _shapes(
    program: Program, measurements: tuple[Measurement, ...]
) -> dict[str, jax.ShapeDtypeStruct]:
    """Remembered, since to trace a program takes as long as to begin a folder. What plugins add is
    another key."""

    def arrays(run: RunParams) -> dict[str, jax.Array]:
        return snapshot(program, init(program, run), make_table(program, run))

    found: dict[str, jax.ShapeDtypeStruct] = jax.eval_shape(arrays, run_params_shapes(program))
    return found
