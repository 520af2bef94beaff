"""What a measurement is: what it is given, what it computes, and the rows of its table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np
import pandas as pd

from phasegrok import models, tasks
from phasegrok.config import Experiment, Measure
from phasegrok.models import Model, ModelState, Params
from phasegrok.plan.program import RunParams

# Losses of rows that stand in columns: of (outputs, rows) and the output at each row's label.
ColumnLosses = Callable[[jax.Array, jax.Array], jax.Array]
Groups = dict[str, dict[str, jax.Array]]  # arrays by group (a layer, an order) and column


class Examples(NamedTuple):
    """Examples that a network is tried on, one a row."""

    row: jax.Array  # (rows,) int32, numbers in the table
    inputs: jax.Array  # (rows, ...)
    label: jax.Array  # (rows,) int32, the true label
    shown: jax.Array  # (rows,) int32, the label that the network was given
    subsets: jax.Array  # (rows, 4) float32: trains, tests, is corrupted, trains uncorrupted


@dataclass(frozen=True)
class Snapshot:
    """A network as it is at a logging point, inside the compiled program, without dropout."""

    experiment: Experiment
    measure: Measure
    run: RunParams
    params: Params
    model_state: ModelState
    examples: Examples  # all of them
    corrupted_label: jax.Array  # (total,) the label that each shows where it is corrupted
    key: jax.Array  # for what is drawn at random
    column_losses: ColumnLosses

    @property
    def task(self) -> tasks.Task:
        """The task of the experiment."""
        return tasks.of(self.experiment)

    @property
    def model(self) -> Model:
        """The model of the experiment."""
        return models.of(self.experiment)

    def penultimate(self, inputs: jax.Array, row: jax.Array) -> jax.Array:
        """(rows, neurons) what the output layer is given for rows of the table's inputs."""
        batch = models.Pass(self.task.look_up(inputs), row)
        return self.model.penultimate(self.params, self.model_state, batch)[0]

    def outputs(self, inputs: jax.Array, row: jax.Array) -> jax.Array:
        """(rows, outputs) of the network for rows of the table's inputs."""
        batch = models.Pass(self.task.look_up(inputs), row)
        return self.model.apply(self.params, self.model_state, batch)[0]

    def layers(self) -> dict[str, dict[str, jax.Array]]:
        """The weight vectors (neurons, tokens) of every layer of neurons, by matrix."""
        return self.model.vectors(self.params).layers()


class Wanted:
    """What every measurement says of itself."""

    key: ClassVar[str] = ""  # of `measure:`, that asks for it; empty: it is always wanted
    # What the key of a plugin's measurement takes, and its default; None: true or false.
    setting: ClassVar[tuple[Any, Any] | None] = None

    def wanted(self, measure: Measure) -> bool:
        """Whether a sweep asks for it."""
        return not self.key or bool(getattr(measure, self.key, False))


class Scalar(Wanted, ABC):
    """A measurement that gives columns of ``curves`` and ``runs``, at every logging point."""

    columns: ClassVar[tuple[str, ...]] = ()  # those that every model has

    @abstractmethod
    def compute(self, network: Snapshot) -> dict[str, jax.Array]:
        """Scalars by column, inside the compiled program."""


class Keys(NamedTuple):
    """What the rows of a table need besides the arrays."""

    runs: pd.DataFrame  # one row a run: the columns that every table begins with
    arrays: Sequence[str]  # names of the table's arrays in all programs of the sweep
    size: tasks.Size
    inputs: Sequence[str]  # names of an example's inputs

    def spread(self, *sizes: int) -> tuple[pd.DataFrame, list[np.ndarray]]:
        """Every run's key, once for every place in an array of these sizes, and the places."""
        count, each = len(self.runs), int(np.prod(sizes))
        places = [np.tile(axis.reshape(-1), count) for axis in np.indices(sizes)]
        repeated = self.runs.iloc[np.repeat(np.arange(count), each)]
        return repeated.reset_index(drop=True), places


class Measurement(Wanted, ABC):
    """A measurement with a table of its own, at the points that ``measure.steps`` names."""

    table: ClassVar[str]

    @abstractmethod
    def compute(self, network: Snapshot) -> Groups:
        """Arrays by group and column, inside the compiled program."""

    @abstractmethod
    def columns(self, arrays: Collection[str], inputs: Sequence[str]) -> list[str]:
        """Columns of the table after run, axes, seed and step.

        Args:
            arrays: names of the arrays that a sweep's programs compute.
            inputs: names of an example's inputs.
        """

    @abstractmethod
    def rows(self, keys: Keys, group: str, arrays: Mapping[str, np.ndarray]) -> pd.DataFrame:
        """The rows of one group, on the host; the arrays have a chunk's runs as leading axis."""


def by_example(
    keys: Keys,
    arrays: Mapping[str, np.ndarray],
    labels: Iterable[str],
    measured: str,
    across: str,
) -> pd.DataFrame:
    """A row for every entry of an array (runs, examples, places): the example's number, its
    inputs and labels, and its place.

    Args:
        keys: of the table.
        arrays: with ``inputs`` and the labels, one entry an example.
        labels: columns of labels.
        measured: name of the array.
        across: column of its places.
    """
    sizes = arrays[measured].shape[1:]
    frame, (example, place) = keys.spread(*sizes)
    frame["example"] = example
    columns = {name: arrays["inputs"][..., i] for i, name in enumerate(keys.inputs)}
    for name, column in (columns | {name: arrays[name] for name in labels}).items():
        frame[name] = np.repeat(column.reshape(-1), sizes[1])
    frame[across] = place
    return frame
