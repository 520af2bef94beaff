"""A trainer that returns at once: what is left of a sweep is planning, scheduling and writing.

Its numbers follow from a run's own seed, counts and values, so tables can be compared bit by bit,
whichever process made them in which order. Also used by ``benchmarks/scale.py``.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache, partial
from typing import Any

import jax
import numpy as np

from phasegrok.plan.layout import Layout
from phasegrok.plan.program import Program, RunParams
from phasegrok.running import chunk
from phasegrok.train import step
from phasegrok.train.state import run_params_shapes

SECONDS = "NULL_TRAINER_SECONDS"  # that every logging interval lasts


class NullEngine:
    """As :class:`phasegrok.train.engine.Engine`, without any training."""

    loaded = True  # nothing was compiled

    def __init__(self, program: Program, layout: Layout) -> None:
        self.program, self.layout = program, layout
        self.calls = 0
        self.names = record_names(program)
        size = layout.chunk
        self.state_shapes = [np.empty(size, np.float32), np.empty(size, np.int32)]

    def begin(self, runs: RunParams) -> tuple[list[np.ndarray], None, dict[str, np.ndarray]]:
        """The state is what tells a run from others, and how far it is."""
        own = np.asarray(runs.seed, np.float32) * np.float32(0.37)
        for value in runs.values.values():
            own = own + value * np.float32(0.713)
        self._counts = {
            "n_train": np.asarray(runs.n_train, np.float32),
            "n_corrupted": np.asarray(runs.n_corrupted, np.float32),
        }
        state = [own, np.zeros(len(own), np.int32)]
        return state, None, self._records(state)

    def segment(
        self, state: list[np.ndarray], table: None
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        self.calls += 1
        records = []
        for _ in range(self.layout.intervals):
            time.sleep(float(os.environ.get(SECONDS, "0")))
            state = [state[0], state[1] + np.int32(1)]
            records.append(self._records(state))
        return state, {n: np.stack([each[n] for each in records], axis=1) for n in self.names}

    def weights(self, state: list[np.ndarray]) -> dict[str, np.ndarray]:
        """A network of two numbers."""
        return {"u": np.stack([state[0], state[1].astype(np.float32)], axis=1)}

    def to_host(self, state: list[np.ndarray]) -> list[np.ndarray]:
        return state

    def from_host(self, leaves: list[np.ndarray]) -> list[np.ndarray]:
        return leaves

    def _records(self, state: list[np.ndarray]) -> dict[str, np.ndarray]:
        own, done = state
        found = {}
        for i, name in enumerate(self.names):
            values = own + np.float32(0.01) * done + np.float32(0.1) * i
            found[name] = (values % np.float32(1.0)).astype(np.float32)
        return found | self._counts


@lru_cache(maxsize=256)
def record_names(program: Program) -> tuple[str, ...]:
    """What is measured of a run, from shapes alone."""
    shapes: Any = jax.eval_shape(partial(step.begin, program), run_params_shapes(program))
    return tuple(shapes[2])


@lru_cache(maxsize=8)
def null(program: Program, layout: Layout) -> NullEngine:
    return NullEngine(program, layout)


def train_nothing() -> None:
    """From now on this process trains nothing, and says what was not trained."""
    chunk.compiled = null  # type: ignore[assignment]
