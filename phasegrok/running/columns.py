"""What the tables of a sweep have beyond the columns that all sweeps share."""

from __future__ import annotations

from dataclasses import dataclass

import jax

from phasegrok import models
from phasegrok.plan.plan import Plan, shortest_program
from phasegrok.results.tables import schema
from phasegrok.sweep.load import Sweep
from phasegrok.train.snapshot import names as snapshot_names


@dataclass(frozen=True)
class Columns:
    """What a sweep's tables have beyond the columns that all sweeps share."""

    norms: list[str]
    arrays: dict[str, list[str]]  # of snapshots, by table

    @classmethod
    def of(cls, sweep: Sweep, planned: Plan) -> Columns:
        """The union over a sweep's experiments, trained by now or not."""
        names: dict[str, None] = {}
        for experiment in planned.table.experiments:
            names |= dict.fromkeys(snapshot_names(shortest_program(sweep, experiment)))
        return cls(_norm_columns(sweep, planned), schema(names))


def _norm_columns(sweep: Sweep, planned: Plan) -> list[str]:
    """``norm_*`` and ``spectral_*`` columns, in order of appearance."""
    names: dict[str, None] = {}
    for experiment in planned.table.experiments:
        model = models.of(experiment)
        shapes = jax.eval_shape(
            lambda model=model: model.matrices(model.init(jax.random.key(0), 1.0)[0])
        )
        names |= dict.fromkeys(shapes)
    kinds = ("norm", "spectral") if sweep.measure.spectral_norms else ("norm",)
    return [f"{kind}_{name}" for kind in kinds for name in names]
