"""What a training carries from step to step, and where it begins."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from phasegrok import models, tasks
from phasegrok.config import shrinks, traced_paths
from phasegrok.models import ModelState, Params
from phasegrok.plan.program import Program, RunParams
from phasegrok.train.optimizers import optimizer

# Streams of a seed: each has its own key, so that none depends on the use of another.
ORDER, LABELS, WEIGHTS, BATCHES, MASKS, PRUNING, UPDATE_NOISE, WEIGHT_NOISE = range(8)


class State(NamedTuple):
    """What a training carries from step to step, and all that a checkpoint has to hold."""

    step: jax.Array  # int32, optimizer steps done
    run: RunParams  # events may change it while training
    params: Params
    model_state: ModelState  # running statistics
    opt_state: optax.OptState


Record = dict[str, jax.Array]  # scalars of one measurement, by column name


def seed_key(run: RunParams, stream: int) -> jax.Array:
    """The key of one stream of a run's seed.

    It is a threefry key: other generators give batched keys that depend on their neighbours.
    """
    return key_of(run.seed, stream)


def key_of(seed: jax.Array, stream: int) -> jax.Array:
    """The key of one stream of a seed, uint32."""
    return jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), stream)


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
    """The examples in the seed's order; a function of task and seed alone."""
    task = tasks.of(program.experiment)
    return task.table(seed_key(run, ORDER), seed_key(run, LABELS))


def init(program: Program, run: RunParams) -> State:
    """The state before the first step. The weights depend on model and seed alone."""
    model = models.of(program.experiment)
    params, model_state = model.begin(seed_key(run, WEIGHTS), run.values)
    opt_state = optimizer(program.experiment.optimizer, run.values).init(params)
    return State(jnp.zeros((), jnp.int32), run, params, model_state, opt_state)
