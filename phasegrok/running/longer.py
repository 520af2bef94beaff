"""A sweep with more steps than a folder that kept its state: its runs go on from there.

Nothing of that folder changes. The chunks of the longer sweep are the folder's own, so that its
states fit, and the numbers are those of a sweep that was as long from the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from phasegrok.config.identity import identity
from phasegrok.errors import Refusal
from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import Plan, program_of, swept_columns
from phasegrok.plan.program import schedule
from phasegrok.plan.runs import RunTable, expand
from phasegrok.results.folder import Folder
from phasegrok.running.extend import check_same_tables, check_unused, resolved
from phasegrok.running.follow import next_number, planned_anew
from phasegrok.running.manifest import (
    JobRecord,
    Manifest,
    Taken,
    check_same_code,
    check_same_numerics,
    new_manifest,
    read_manifest,
)
from phasegrok.sweep.load import Sweep, load

__all__ = ["longer", "shorter_folder"]

LENGTHS = ("steps", "epochs")


def shorter_folder(folders: Sequence[Path], sweep: Sweep) -> Path | None:
    """The folder whose sweep is this one with fewer steps, if one is.

    Raises:
        Refusal: its runs cannot go on; the line says why.
    """
    for place in folders:
        found = read_manifest(Folder(place)) if place.is_dir() else None
        if found and _is_shorter(found.sweep, resolved(sweep)):
            _check(place, found, sweep, len(folders))
            return place
    return None


def _is_shorter(then: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether two resolved sweeps differ in their length alone, and the first is shorter."""
    lengths = [{key: each["train"].get(key) for key in LENGTHS} for each in (then, now)]
    counted = [key for key in LENGTHS if lengths[1][key] is not None]
    if len(counted) != 1 or lengths[0][counted[0]] is None or lengths[0] == lengths[1]:
        return False
    same = identity({**then, "train": {**then["train"], **lengths[1]}}) == identity(now)
    return bool(same and lengths[0][counted[0]] < lengths[1][counted[0]])


def _check(place: Path, found: Manifest, sweep: Sweep, folders: int) -> None:
    """Refuse what cannot go on."""
    where = f"--reuse {place}"
    if folders > 1:
        raise Refusal(f"{where}: found {folders} folders; allowed: one whose runs go on, alone")
    if sweep.refine.levels or found.sweep.get("refine", {}).get("levels"):
        raise Refusal(
            f"{where}: refine.levels: after more steps other cells may need training; allowed: a"
            " sweep without refine"
        )
    kinds = {sweep.base.schedule.kind}
    kinds |= {experiment.schedule.kind for experiment in expand(sweep).experiments}
    if kinds - {"constant", "warmup"}:
        raise Refusal(
            f"{where}: schedule.kind: found {', '.join(sorted(kinds))}, whose learning rates depend"
            " on all steps; allowed: constant, warmup"
        )
    check_same_tables(identity(found.sweep), identity(resolved(sweep)), where)
    check_same_numerics(found, where)
    check_unused(Folder(place))
    if found.old or not any(Folder(place).state_path("*").parent.glob("*.npz")):
        raise Refusal(
            f"{where}: keeps no state of its runs, so more steps cannot go on from them; allowed: a"
            " folder whose sweep had engine.keep_state: true"
        )


def longer(sweep: Sweep, table: RunTable, place: Path, here: Machine) -> Manifest:
    """The manifest of a sweep whose runs go on from those of a folder.

    Args:
        table: the sweep's runs.
        place: the folder, from :func:`shorter_folder`.
        here: where the runs of it that are not done are planned for.
    """
    source = Folder(place)
    found = read_manifest(source)
    assert found is not None
    check_same_code(found, sweep, table, f"--reuse {place}")
    before = expand(load(source.path / "sweep.yaml")).frame["run"]
    position = {run: i for i, run in enumerate(before)}
    if len(before) != len(table.frame) or not set(found.held()) <= set(position):
        raise Refusal(f"--reuse {place}: its runs are not those of its sweep.yaml; allowed: both")
    ids = table.frame["run"].to_numpy()
    records, goes_on = [], {}
    for job in found.jobs:
        chunks = {
            name: tuple(str(ids[position[run]]) for run in runs)
            for name, runs in job.chunks.items()
        }
        at = [position[run] for runs in job.chunks.values() for run in runs]
        records.append(_longer_job(sweep, table, job, chunks, at[0]))
        for name, runs in job.chunks.items():
            if source.state_path(name).exists():
                goes_on[name] = Taken(str(place), name, runs)
    planned = Plan(swept_columns(sweep), table, [])
    begun = replace(new_manifest(sweep, resolved(sweep), planned, here), goes_on=goes_on)
    named = {run for record in records for runs in record.chunks.values() for run in runs}
    rest = np.flatnonzero(~table.frame["run"].isin(list(named)).to_numpy())
    begun = replace(begun, jobs=tuple(records))
    if not len(rest):
        return begun
    more = planned_anew(sweep, table, rest, here, next_number(begun, ()))
    return replace(begun, jobs=(*records, *more))


def _longer_job(
    sweep: Sweep, table: RunTable, job: JobRecord, chunks: dict[str, tuple[str, ...]], first: int
) -> JobRecord:
    """A job with more steps. Its calls end where its states are, and at every logging point at
    which something is measured or saved."""
    experiment = table.experiment_of(first)
    steps, _ = schedule(experiment, int(table.frame["n_train"].iloc[first]))
    shape = replace(job.program, steps=steps)
    program = program_of(sweep, experiment, **asdict(shape))
    points = {job.program.steps // job.program.log_every, program.intervals}
    points |= {*program.snapshot_points, *program.weight_saves}
    most = job.layout.intervals
    intervals = max(k for k in range(1, most + 1) if all(point % k == 0 for point in points))
    return JobRecord(shape, replace(job.layout, intervals=intervals), chunks)
