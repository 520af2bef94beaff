"""What every logging point measures: the columns of the ``curves`` table."""

from __future__ import annotations

from functools import lru_cache

import jax
import jax.numpy as jnp

from phasegrok import models, tasks
from phasegrok.measure import SCALARS, Scalar
from phasegrok.measure.base import Examples
from phasegrok.plan.program import Program, RunParams
from phasegrok.tasks.tiling import into_tiles
from phasegrok.train.batches import SUBSETS, examples
from phasegrok.train.losses import answers, correct_logits, row_losses
from phasegrok.train.snapshot import take
from phasegrok.train.state import Record, State, init, make_table, run_params_shapes

# Columns that are means over rows: the subset that each is over, and the score of a row.
MEANS = {
    "train_loss": ("train", "shown_loss"),
    "test_loss": ("test", "true_loss"),
    "train_accuracy": ("train", "shown_right"),
    "test_accuracy": ("test", "true_right"),
    "corrupted_accuracy": ("corrupted", "shown_right"),
    "restored_accuracy": ("corrupted", "true_right"),
    "clean_accuracy": ("clean", "true_right"),
    "train_logit": ("train", "shown_logit"),
    "test_logit": ("test", "true_logit"),
}


def measure(program: Program, state: State, table: tasks.Table) -> Record:
    """Everything that the ``curves`` table holds, on all examples, without dropout.

    Predictions are those of :func:`~phasegrok.train.losses.answers`. Outputs that are not finite
    are right about nothing. Means over no rows (``corrupted_accuracy`` at xi = 0) are NaN.
    """
    record = {"n_train": state.run.n_train, "n_corrupted": state.run.n_corrupted}
    record |= row_means(program, state, table)
    network = take(program, state, table)
    for scalar in SCALARS:
        if scalar.wanted(program.measure):
            record |= scalar.compute(network)
    return record


def shapes(program: Program) -> dict[str, jax.ShapeDtypeStruct]:
    """The shapes of what :func:`measure` will return, without computing anything."""
    return dict(_shapes(program, tuple(each for each in SCALARS if each.wanted(program.measure))))


@lru_cache(maxsize=256)
def _shapes(program: Program, scalars: tuple[Scalar, ...]) -> dict[str, jax.ShapeDtypeStruct]:
    """Remembered: what plugins add is another key."""

    def record(run: RunParams) -> Record:
        return measure(program, init(program, run), make_table(program, run))

    found: dict[str, jax.ShapeDtypeStruct] = jax.eval_shape(record, run_params_shapes(program))
    return found


def row_means(program: Program, state: State, table: tasks.Table) -> Record:
    """The columns of :data:`MEANS` whose scores the program takes."""
    size = tasks.of(program.experiment).size
    tiles = -(-size.total // program.tile)
    rows = tiles * program.tile
    everything = examples(table, state.run, size, rows)

    def add(carry: jax.Array, tile: Examples) -> tuple[jax.Array, None]:
        columns = jnp.stack(list(scores(program, state, tile).values()), 1)
        # Where, not a product: padding rows of a diverged network would give 0 * inf = NaN.
        belongs = tile.subsets[:, :, None] > 0
        return carry + jnp.sum(jnp.where(belongs, columns[:, None], 0.0), 0), None

    names = score_names(program)
    zeros = jnp.zeros((len(SUBSETS), len(names)))
    sums, _ = jax.lax.scan(add, zeros, into_tiles(everything, tiles))
    means = sums / jnp.sum(everything.subsets, axis=0)[:, None]
    return {
        column: means[SUBSETS.index(subset), names.index(score)]
        for column, (subset, score) in MEANS.items()
        if score in names
    }


def score_names(program: Program) -> list[str]:
    """The names of :func:`scores`, in their order."""
    kinds = ("loss", "right", "logit") if program.measure.correct_logit else ("loss", "right")
    return [f"{label}_{kind}" for kind in kinds for label in ("shown", "true")]


def scores(program: Program, state: State, tile: Examples) -> dict[str, jax.Array]:
    """(rows,) a score: loss, being right and, where asked for, the correct logit; each against the
    label that was shown and against the true one."""
    experiment = program.experiment
    inputs = tasks.of(experiment).look_up(tile.inputs)
    outputs, _ = models.of(experiment).apply(
        state.params, state.model_state, models.Pass(inputs, tile.row)
    )
    answer = answers(outputs)
    finite = jnp.all(jnp.isfinite(outputs), axis=-1)
    found = {
        "shown_loss": row_losses(experiment.loss, outputs, tile.shown),
        "true_loss": row_losses(experiment.loss, outputs, tile.label),
        "shown_right": (finite & (answer == tile.shown)).astype(jnp.float32),
        "true_right": (finite & (answer == tile.label)).astype(jnp.float32),
    }
    if program.measure.correct_logit:
        found["shown_logit"] = correct_logits(outputs, tile.shown)
        found["true_logit"] = correct_logits(outputs, tile.label)
    return found
