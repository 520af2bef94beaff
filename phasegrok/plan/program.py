"""What is compiled: the static half of a run, and the traced half that it is mapped over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from phasegrok.config import (
    MEASURE_NOTHING,
    Experiment,
    Measure,
)

Array = Any  # a NumPy array on the host, a JAX array inside the program


class RunParams(NamedTuple):
    """The traced half of a run: scalars, or arrays with one entry a run."""

    seed: Array  # uint32
    n_train: Array  # int32, the first rows of the table
    n_corrupted: Array  # int32, the first of those
    values: dict[str, Array]  # float32, by dotted config path
    shrunk: dict[str, Array]  # int32: n_train and n_corrupted after an event that shrinks them


# Noises that cost random numbers: runs that have none get a program without them.
NOISES = ("optimizer.update_noise", "optimizer.weight_noise")


@dataclass(frozen=True)
class Program:
    """Everything that fixes array shapes and traced code. Hashable: equal programs share one
    compilation. Runs that share a program are trained together."""

    experiment: Experiment  # its traced fields are None: reading one by mistake fails
    steps: int  # optimizer steps in all
    log_every: int  # optimizer steps between measurements
    rows: int  # training rows that a full batch holds, padding included
    tile: int  # rows whose gradient is taken at a time; divides rows
    orders: int  # minibatches: epochs that one logging interval may touch; 0 for a full batch
    use_dropout: bool
    noises: tuple[str, ...] = ()  # of NOISES, those that the group's runs have
    precision: Literal["float32", "tf32", "bfloat16"] = "float32"
    measure: Measure = MEASURE_NOTHING
    accelerated: bool = False  # no gradient is a scatter: rounding apart it is the same
    kernel: Literal["plain", "fused"] = "plain"  # what takes the gradient

    @property
    def lookups(self) -> Literal["scatter", "exact", "rounded"]:
        """How the gradients of tokens' vectors are taken: see ``models/layers/lookup.py``."""
        if not self.accelerated:
            return "scatter"
        return "exact" if self.precision == "float32" else "rounded"

    @property
    def step_rows(self) -> int:
        """Rows that one step computes on, padding included."""
        size = self.experiment.train.batch_size
        return self.rows if size == "full" else size

    @property
    def intervals(self) -> int:
        """Logging intervals of a run; its curves have one point more."""
        return self.steps // self.log_every

    @property
    def snapshot_points(self) -> tuple[int, ...]:
        """Logging points, counted in intervals, at which snapshots are taken."""
        per_point = self.experiment.train.log_every
        return tuple(sorted({s // per_point for s in self.measure.steps} | {self.intervals}))

    @property
    def weight_saves(self) -> tuple[int, ...]:
        """Logging points at which the weights are saved."""
        match self.measure.weights:
            case "none":
                return ()
            case "final":
                return self.snapshot_points
            case "all":
                return tuple(range(self.intervals + 1))


def schedule(experiment: Experiment, n_train: int) -> tuple[int, int]:
    """Optimizer steps in all, and between measurements."""
    train = experiment.train
    if train.epochs is not None:
        per_epoch = train.batches_per_epoch(n_train)
        return train.epochs * per_epoch, train.log_every * per_epoch
    assert train.steps is not None
    log_every = train.log_every
    if train.scaling == "paper" and train.batch_size != "full":
        log_every = max(1, round(log_every * 256 / train.batch_size))
    return train.steps // train.log_every * log_every, log_every
