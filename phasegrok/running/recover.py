"""A folder as it really is: which chunks are whole, and what is done about the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from phasegrok.config.identity import identity
from phasegrok.errors import Damaged, Refusal
from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import Plan, checked_table, jobs_of, swept_columns
from phasegrok.plan.runs import RunTable
from phasegrok.results.folder import Folder
from phasegrok.running.adopt import incomplete
from phasegrok.running.extend import resolved
from phasegrok.running.follow import Parts, first_number, follow, next_number, planned_anew, sized
from phasegrok.running.manifest import Manifest, Taken, new_manifest
from phasegrok.running.prepared import Prepared, expected
from phasegrok.running.refine import asked_for
from phasegrok.running.verify import Found, Look, readable, verify
from phasegrok.sweep.load import Sweep, load
from phasegrok.train.memory import machine

__all__ = ["SWEEP_FILE", "copy_of_sweep", "looked_through", "recovered"]

Note = Callable[[str], object]
SWEEP_FILE = "sweep.yaml"


def looked_through(
    sweep: Sweep,
    folder: Folder,
    table: RunTable,
    here: Machine,
    manifest: Manifest,
    begun: Manifest | None,
    note: Note,
    look: Look = verify,
) -> Prepared:
    """What a manifest leaves to do in a folder, after a look at every file of results there.

    Args:
        table: the sweep's runs.
        manifest: as it will be written, were every file whole.
        begun: as it was found; None where it cannot be read.
        note: told which files are damaged.
        look: what says which chunks are done.
    """
    planned, chunks = follow(sweep, table, manifest, here.devices, folder.path)
    prepared = Prepared(sweep, folder, planned, chunks, here, manifest, begun)
    found = look(folder, expected(prepared))
    for line in found.notes():
        note(line)
    for name in sorted(set(found.lacking) - set(manifest.lacking)):
        note(f"note: {folder.path / name} is gone: taken as removed on purpose")
    whole = replace(without_lost(prepared, found), lacking=found.lacking)
    if whole.jobs != manifest.jobs:
        prepared = prepared.following(whole)
    return replace(prepared, manifest=whole, found=found, rebuilt=begun is None)


def without_lost(prepared: Prepared, found: Found) -> Manifest:
    """A manifest whose damaged parts that no job trains are planned anew.

    Rows of another folder are taken again where they still are.
    """
    manifest, sweep, table = prepared.manifest, prepared.sweep, prepared.plan.table
    kept = {name: runs for name, runs in manifest.kept.items() if name in found.parts}
    taken = {
        name: each
        for name, each in manifest.taken.items()
        if name in found.parts or _is_there(prepared, each)
    }
    if kept == manifest.kept and taken == manifest.taken:
        return manifest
    rest = replace(manifest, kept=kept, taken=taken)
    missing, first = asked_for(sweep, table, rest.held()), next_number(manifest, found.parts)
    jobs = planned_anew(sweep, table, missing, prepared.machine, first)
    return replace(rest, jobs=(*rest.jobs, *jobs))


def _is_there(prepared: Prepared, taken: Taken) -> bool:
    """Whether another folder still holds runs that were taken from it."""
    source, saves = Folder(Path(taken.folder)), prepared.sweep.measure.weights != "none"
    return incomplete(source, taken, prepared.columns, saves) is None


def recovered(sweep: Sweep, folder: Folder, damage: Damaged | None, note: Note) -> Prepared:
    """A sweep in its folder whose manifest cannot be read, or is gone.

    ``sweep.yaml`` says what the folder is of, and the tables say which runs are there.

    Args:
        damage: what is wrong with the manifest; None where there is none.

    Raises:
        Refusal: ``sweep.yaml`` does not say that the results are of this sweep.
    """
    wrong = f"{folder.manifest_path}: {damage.reason if damage else 'is missing'}"
    copy = copy_of_sweep(folder)
    if copy is None or identity(copy) != identity(resolved(sweep)):
        raise Refusal(
            f"{wrong}, and {folder.path / SWEEP_FILE} does not say that the tables beside it are of"
            " this sweep; they are safe; allowed: the file as it was written, --fresh, which moves"
            " all of it aside, or another --output"
        )
    here, table = machine(), checked_table(sweep)
    parts = readable(folder)
    ours = set(table.frame["run"])
    parts = {name: runs for name, runs in parts.items() if set(runs) <= ours}
    note(f"note: {wrong}; it is made anew from {SWEEP_FILE} and the tables")
    manifest = _made_anew(sweep, table, parts, here)
    return looked_through(sweep, folder, table, here, manifest, None, note)


def copy_of_sweep(folder: Folder) -> dict[str, Any] | None:
    """What ``sweep.yaml`` in a folder says, resolved; None where there is none or it cannot be
    read."""
    try:
        return resolved(load(folder.path / SWEEP_FILE))
    except Refusal:
        return None


def _made_anew(sweep: Sweep, table: RunTable, parts: Parts, here: Machine) -> Manifest:
    """A manifest for a folder with these parts: today's plan if it explains all of them; else they
    are kept, and what is missing is planned anew."""
    jobs = sized(sweep, jobs_of(sweep, table, asked_for(sweep, table, ()), here), here)
    planned = Plan(swept_columns(sweep), table, jobs)
    manifest = new_manifest(sweep, resolved(sweep), planned, here)
    chunks = {name: ids for job in manifest.jobs for name, ids in job.chunks.items()}
    if all(chunks.get(name) == ids for name, ids in parts.items()):
        return manifest
    done = [run for ids in parts.values() for run in ids]
    first = max(first_number(parts), len(jobs))
    records = planned_anew(sweep, table, asked_for(sweep, table, done), here, first)
    return replace(manifest, jobs=records, kept=dict(parts))
