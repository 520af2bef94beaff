"""Refinement, round by round: which runs are trained next follows from what is published."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from phasegrok.analysis.inferred import Grid, grid_of, with_inferred
from phasegrok.analysis.phases import NEEDED, label_cells
from phasegrok.plan.runs import RunTable
from phasegrok.results.folder import Folder
from phasegrok.running.extend import resolved
from phasegrok.running.follow import next_number, planned_anew
from phasegrok.running.manifest import as_begun
from phasegrok.running.prepared import Prepared
from phasegrok.sweep.load import Sweep

__all__ = ["asked_for", "next_round"]


def needed(grid: Grid, table: RunTable, folder: Folder | None) -> np.ndarray:
    """Positions of the runs that refinement asks for by now: of a new folder, the coarsest."""
    axes = list(grid.values)
    if folder is not None and folder.parts("runs"):
        runs = folder.read("runs")
    else:
        runs = pd.DataFrame(columns=[*table.frame.columns, *NEEDED]).astype(
            {name: table.frame[name].dtype for name in axes}
        )
    _, cells = with_inferred(label_cells(runs, axes), grid)
    if cells.empty:
        return np.empty(0, np.int64)
    wanted = pd.MultiIndex.from_frame(cells[axes])
    return np.flatnonzero(pd.MultiIndex.from_frame(table.frame[axes]).isin(wanted))


def asked_for(sweep: Sweep, table: RunTable, held: Collection[str]) -> np.ndarray:
    """Positions of the runs to train in a folder without any part of a refinement: those that are
    not held; with refinement, of the coarsest grid."""
    missing = np.flatnonzero(~table.frame["run"].isin(list(held)).to_numpy())
    if grid := grid_of(resolved(sweep)):
        missing = np.intersect1d(missing, needed(grid, table, None))
    return missing


def next_round(prepared: Prepared) -> Prepared | None:
    """The sweep with the chunks of one more round; None if every cell has a label."""
    grid = grid_of(resolved(prepared.sweep))
    if grid is None:
        return None
    table, manifest, folder = prepared.plan.table, prepared.manifest, prepared.folder
    held = set(manifest.held())
    ids = table.frame["run"].to_numpy()
    positions = [i for i in needed(grid, table, folder) if ids[i] not in held]
    if not positions:
        return None
    begun = as_begun(prepared.sweep, manifest)
    first = next_number(manifest, (path.stem for path in folder.parts("runs")))
    jobs = planned_anew(begun, table, np.array(positions), prepared.machine, first)
    manifest = replace(manifest, jobs=(*manifest.jobs, *jobs))
    return prepared.following(manifest)
