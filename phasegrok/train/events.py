"""What an experiment's event changes while a run trains."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from phasegrok.config import SOLVED, AtStep, Memorized, NoEvent, shrinks
from phasegrok.plan.program import Program
from phasegrok.train.state import Record, State


def react(program: Program, state: State, record: Record) -> State:
    """The state at a logging point, with its run as the experiment's event leaves it.

    An event that has come stays: what it set is not set back.
    """
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
