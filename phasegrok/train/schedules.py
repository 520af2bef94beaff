"""The learning rate of a step."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from phasegrok.config import Constant, Cosine, Linear, Warmup
from phasegrok.plan.program import Program
from phasegrok.train.state import State

RATE = "optimizer.learning_rate"


def scheduled(program: Program, state: State) -> Mapping[str, jax.Array]:
    """A run's traced values as the coming step uses them: the learning rate is the scheduled one.

    The rate that the schedule is a share of is what the run has now: an event may have set it.
    """
    values = state.run.values
    share = rate_share(program, values, state.step)
    return values if share is None else {**values, RATE: values[RATE] * share}


def rate_share(
    program: Program, values: Mapping[str, jax.Array], step: jax.Array
) -> jax.Array | None:
    """The share of its learning rate that a step uses; None if it is always all of it.

    As in optax, the step that follows t others has the schedule's value at t. So with a warm-up of
    W steps the first step has rate 0, and the one that follows W others is the first at the full
    rate; of T steps in all none has the value at T, which is ``final_fraction``, f::

        t < W:           t / W
        linear, t >= W:  1 + (f - 1) s                   with s = (t - W) / (T - W)
        cosine, t >= W:  f + (1 - f) (1 + cos(pi s)) / 2

    Args:
        program: whose schedule and number of steps it is.
        values: traced numbers by path.
        step: t, int32.
    """
    schedule = program.experiment.schedule
    if isinstance(schedule, Constant):
        return None
    done = step.astype(jnp.float32)
    warmup = values["schedule.warmup_steps"]
    rising = done / jnp.maximum(warmup, 1.0)
    # Where the warm-up is all there is, nothing comes after it.
    at = jnp.clip((done - warmup) / jnp.maximum(program.steps - warmup, 1.0), 0.0, 1.0)
    match schedule:
        case Warmup():
            falling = jnp.ones(())
        case Linear():
            falling = 1.0 + (values["schedule.final_fraction"] - 1.0) * at
        case Cosine():
            final = values["schedule.final_fraction"]
            falling = final + (1.0 - final) * 0.5 * (1.0 + jnp.cos(jnp.pi * at))
    return jnp.where(done < warmup, rising, falling)
