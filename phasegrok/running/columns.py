"""What the tables of a sweep have beyond the columns that all sweeps share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa

from phasegrok import models, tasks
from phasegrok.config import Experiment
from phasegrok.measure import SCALARS
from phasegrok.plan.plan import Plan, shortest_program
from phasegrok.results.arrow import as_table
from phasegrok.results.tables import ChunkRuns, chunk_tables, schema, snapshot_tables
from phasegrok.sweep.load import Sweep
from phasegrok.train.metrics import shapes as record_shapes
from phasegrok.train.snapshot import shapes as snapshot_shapes

__all__ = ["Columns"]

Shapes = dict[str, jax.ShapeDtypeStruct]


@dataclass(frozen=True)
class Columns:
    """What a sweep's tables have beyond the columns that all sweeps share."""

    norms: list[str]
    arrays: dict[str, list[str]]  # of snapshots, by table
    scalars: list[str]  # columns of runs and curves that the wanted measurements announce
    snapshots: list[Shapes]  # of one network, by experiment

    @classmethod
    def of(cls, sweep: Sweep, planned: Plan) -> Columns:
        """The union over a sweep's experiments, trained by now or not."""
        experiments = planned.table.experiments
        found = [snapshot_shapes(shortest_program(sweep, each)) for each in experiments]
        names: dict[str, None] = {}
        for each in found:
            names |= dict.fromkeys(each)
        wanted = (scalar for scalar in SCALARS if scalar.wanted(sweep.measure))
        scalars = [name for scalar in wanted for name in scalar.columns]
        return cls(_norm_columns(sweep, experiments), schema(names), scalars, found)

    def schemas(self, sweep: Sweep, planned: Plan) -> dict[str, dict[str, str]]:
        """The type of every column, by table: what a part of each table will have.

        They are found by tabling a network of zeros. All parts of a sweep have one schema,
        whichever of its programs they come from.
        """
        table = planned.table
        first = _chunk(planned, 0)
        program = shortest_program(sweep, table.experiments[int(table.static[0])])
        points = {name: np.zeros((1, 1), np.float32) for name in record_shapes(program)}
        with np.errstate(all="ignore"):
            tables = chunk_tables(first, np.zeros(1, np.int64), points, self.norms)
            for name in self.arrays:
                tables[name] = self._snapshot_table(name, planned)
        return {name: _types(each.schema) for name, each in tables.items()}

    def _snapshot_table(self, name: str, planned: Plan) -> pa.Table:
        """A table that ``measure:`` asks for, of one network of zeros that has it."""
        tables = [{_table_of(key) for key in each} for each in self.snapshots]
        number = next(i for i, each in enumerate(tables) if name in each)
        arrays = {
            key: np.zeros((1, *shape.shape), shape.dtype)
            for key, shape in self.snapshots[number].items()
            if _table_of(key) == name
        }
        run = int(np.flatnonzero(planned.table.static == number)[0])
        frames = snapshot_tables(_chunk(planned, run), 0, arrays, {name: self.arrays[name]})
        return as_table(frames[name])


def _chunk(planned: Plan, run: int) -> ChunkRuns:
    """One run as a chunk."""
    task = tasks.of(planned.table.experiment_of(run))
    rows = planned.table.rows(np.array([run]))
    return ChunkRuns(rows, planned.axes, task.size, task.input_names)


def _table_of(key: str) -> str:
    return key.partition(".")[0]


def _types(found: pa.Schema) -> dict[str, str]:
    return {field.name: str(field.type) for field in found}


def _norm_columns(sweep: Sweep, experiments: list[Experiment]) -> list[str]:
    """``norm_*`` and ``spectral_*`` columns, in order of appearance."""
    names: dict[str, None] = {}
    for experiment in experiments:
        names |= dict.fromkeys(_matrices(experiment))
    kinds = ("norm", "spectral") if sweep.measure.spectral_norms else ("norm",)
    return [f"{kind}_{name}" for kind in kinds for name in names]


@lru_cache(maxsize=256)
def _matrices(experiment: Experiment) -> tuple[str, ...]:
    """The names of a network's weight matrices."""
    model = models.of(experiment)
    return tuple(
        jax.eval_shape(lambda: model.matrices(model.init(jax.random.key(0), jnp.ones(()))[0]))
    )


def tables_of(columns: Columns) -> list[str]:
    """The tables that every chunk of a sweep publishes."""
    return ["runs", "curves", *columns.arrays]
