"""Before anything is written: check the folder, and say which chunks are to be trained."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from phasegrok.analysis.inferred import grid_of
from phasegrok.config.identity import differences, identity
from phasegrok.errors import Damaged, Refusal
from phasegrok.files.members import living
from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import Plan, checked_table, jobs_of, swept_columns
from phasegrok.plan.runs import RunTable
from phasegrok.results.compact import is_cut_short, settle
from phasegrok.results.folder import Folder
from phasegrok.running.device import (
    check_device,
    check_fits,
    check_kernel,
    check_same_device,
)
from phasegrok.running.extend import check_extends, extended, named, resolved, taken_from
from phasegrok.running.follow import follow, sized, upgraded
from phasegrok.running.keeping import use_cache
from phasegrok.running.longer import longer, shorter_folder
from phasegrok.running.manifest import (
    Manifest,
    check_same_code,
    check_same_numerics,
    fingerprints,
    new_manifest,
    numerics_text,
    read_manifest,
)
from phasegrok.running.prepared import Prepared
from phasegrok.running.recover import SWEEP_FILE, looked_through, recovered
from phasegrok.running.refine import asked_for, next_round
from phasegrok.running.session import whoami
from phasegrok.running.verify import Look, listed, readable, verify
from phasegrok.sweep.load import Sweep
from phasegrok.train.memory import machine, planned_kinds

Note = Callable[[str], object]


def prepare(
    sweep: Sweep,
    output: Path,
    fresh: bool,
    note: Note = print,
    *,
    extend: bool = False,
    reuse: Sequence[Path] = (),
    shared: bool = False,
) -> Prepared:
    """Check the folder, lay the sweep out; refuse what cannot work before anything is written.

    Args:
        sweep: what to train.
        output: the result folder.
        fresh: whether what is there is moved aside.
        note: told what a resume does otherwise than one may expect.
        extend: whether a folder with some of the sweep's runs gets the others.
        reuse: folders whose runs are taken instead of trained, where the sweep has them.
        shared: whether other processes may work on the folder. While some do, the names of its
            parts are believed: whoever was first has looked at every file.

    Raises:
        Refusal: the folder holds another sweep or foreign files, cannot be written, or a run
            does not fit this machine; or what is to be reused cannot be.
    """
    folder = Folder(output)
    check_writable(output)
    if line := use_cache(sweep.engine):
        note(line)
    if is_cut_short(folder):  # all that is left to do of it are renames
        with folder.lock(whoami()):
            settle(folder)
    if fresh:
        check_movable(output)
        return _begin(sweep, folder, reuse)
    try:
        found = read_manifest(folder)
    except Damaged as damage:
        return recovered(sweep, folder, damage, note)
    if found is None:
        if (output / SWEEP_FILE).exists():
            return recovered(sweep, folder, None, note)
        check_empty(output)
        return _begin(sweep, folder, reuse)
    whole = not sweep.refine.levels and grid_of(found.sweep)  # what refinement left out
    if extend and (whole or identity(found.sweep) != identity(resolved(sweep))):
        return _extend(sweep, folder, found, reuse, note)
    if reuse:
        note("note: --reuse is not used: this folder was begun without it; --extend takes new runs")
    busy = shared and bool(living(output))
    return _resume(sweep, folder, found, note, listed if busy else verify)


def _begin(sweep: Sweep, folder: Folder, reuse: Sequence[Path]) -> Prepared:
    """A sweep in a folder of its own."""
    here = machine()
    check_device(sweep, here)
    table = checked_table(sweep)
    check_kernel(sweep, table, here)
    if place := shorter_folder(reuse, sweep):
        manifest = longer(sweep, table, place, here)
    else:
        taken = taken_from(reuse, sweep, table, set(), folder.path)
        there = [run for each in taken.values() for run in each.runs]
        missing = asked_for(sweep, table, there)
        jobs = sized(sweep, jobs_of(sweep, table, missing, here), here)
        planned = Plan(swept_columns(sweep), table, jobs)
        manifest = new_manifest(sweep, resolved(sweep), planned, here, taken)
    planned, chunks = follow(sweep, table, manifest, here.devices, folder.path)
    return Prepared(sweep, folder, planned, chunks, here, manifest, None)


def _extend(
    sweep: Sweep, folder: Folder, found: Manifest, reuse: Sequence[Path], note: Note
) -> Prepared:
    """A sweep with all runs of a folder, and more."""
    here = machine()
    check_device(sweep, here)
    check_same_device(sweep, found, here, folder.path)
    table = checked_table(sweep)
    check_kernel(sweep, table, here)
    begun = named(found, folder, here)
    check_same_code(found, sweep, table, f"{folder.path}: --extend")
    check_same_numerics(found, f"{folder.path}: --extend")
    check_extends(sweep, table, begun, folder.path)
    taken = taken_from(reuse, sweep, table, set(begun.held()), folder.path)
    taken = {f"{part}-{len(begun.taken)}": each for part, each in taken.items()}
    manifest = extended(sweep, table, begun, readable(folder), here, taken)
    return looked_through(sweep, folder, table, here, manifest, found, note)


def _resume(sweep: Sweep, folder: Folder, found: Manifest, note: Note, look: Look) -> Prepared:
    """What an earlier start of the sweep left to do."""
    here = machine()
    check_device(sweep, here)
    check_same_sweep(sweep, found, folder.path)
    table = checked_table(sweep)
    check_same_code(found, sweep, table, str(folder.path))
    check_same_data(table, found, folder.path)
    manifest = found
    if found.old:
        manifest = upgraded(sweep, table, found, readable(folder), here)
        if manifest.kept and (
            anew := sum(len(c) for j in manifest.jobs for c in j.chunks.values())
        ):
            note(
                f"note: {anew} runs are planned anew, as this version groups runs differently than"
                " the one that began this folder; published runs stay as they are"
            )
    manifest = _refined_as(sweep, manifest)
    prepared = looked_through(sweep, folder, table, here, manifest, found, note, look)
    more = prepared.missing() or next_round(prepared)  # a sweep that is done is anyone's to read
    if more:
        check_same_device(sweep, found, here, folder.path)
        for line in _notes(sweep, found, here):
            note(line)
    if here.platform != found.platform:
        for chunk in prepared.missing():
            check_fits(chunk.job, here, folder.path)
    if prepared.missing():
        check_same_numerics(found, str(folder.path))
    elif text := numerics_text(found):
        note(f"note: {text}; its runs are done, and stay as they are")
    return prepared


def _refined_as(sweep: Sweep, manifest: Manifest) -> Manifest:
    """The manifest with the sweep's refinement, which may be asked for at any time."""
    asked = resolved(sweep).get("refine")
    if asked is None or asked == manifest.sweep.get("refine"):
        return manifest
    return replace(manifest, sweep={**manifest.sweep, "refine": asked})


def _notes(sweep: Sweep, found: Manifest, here: Machine) -> list[str]:
    """What a resume does otherwise than one may expect."""
    notes = []
    asked, begun = resolved(sweep)["engine"], found.sweep["engine"]
    for key in ("mapping", "chunk", "groups", "kernel"):
        if asked[key] != begun.get(key, asked[key]):
            notes.append(
                f"note: engine.{key}: {asked[key]} is not used; this folder was begun with"
                f" {begun[key]}"
            )
    changed = [
        f"{name} {found.versions.get(name, 'unknown')}, goes on with {version(name)}"
        for name in ("jax", "jaxlib")
        if found.versions.get(name) != version(name)
    ]
    if here.platform != found.platform:
        changed.append(f"{found.platform}, goes on with {here.platform}")
    elif found.processor and found.processor != (processor := planned_kinds()[1]):
        changed.append(f"{found.processor}, goes on with {processor}")
    return notes + [
        f"note: begun with {each}: later runs agree with an uninterrupted sweep's to rounding only"
        for each in changed
    ]


def check_same_sweep(sweep: Sweep, found: Manifest, path: Path) -> None:
    """Refuse a folder that holds another sweep."""
    then, now = identity(found.sweep), identity(resolved(sweep))
    if then == now:
        return
    changed = list(differences(then, now))
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    raise Refusal(
        f"{path}: holds results of a different sweep ({'; '.join(changed[:3])}{more});"
        " allowed: --extend, where it has all of their runs; --fresh to move them aside; or another"
        " --output"
    )


def check_same_data(table: RunTable, found: Manifest, path: Path) -> None:
    """Refuse a sweep whose files hold other data than when its folder was begun."""
    now = fingerprints(table)
    if now != found.data:
        raise Refusal(
            f"{path}: the files that this sweep names hold other data or weights than when this"
            f" folder was begun (hash {', '.join(now)}, then {', '.join(found.data)});"
            " allowed: --fresh, or another --output"
        )


def check_empty(output: Path) -> None:
    """Refuse a folder of other files."""
    if output.exists() and any(not p.name.startswith(".") for p in output.iterdir()):
        raise Refusal(
            f"{output}: is not empty and not a result folder; allowed: a new folder (--output),"
            " or --fresh, which moves this one aside"
        )


def check_writable(output: Path) -> None:
    """Refuse an output that is a file or that this user cannot write."""
    existing = output
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise Refusal(f"{existing}: output folder: found a file; allowed: a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise Refusal(f"{existing}: output folder: no permission to write; allowed: --output DIR")


def check_movable(output: Path) -> None:
    """Refuse an output that ``--fresh`` cannot move aside as the folder that it looks like."""
    if output.is_symlink():
        raise Refusal(
            f"{output}: output folder: found a link, which --fresh does not move; allowed: the"
            f" folder it points to, --output {output.resolve()}"
        )
    if output.exists() and Path.cwd().is_relative_to(output.resolve()):
        raise Refusal(
            f"{output}: output folder: found the working directory or one above it, which --fresh"
            " cannot move; allowed: the same from another directory, or another --output"
        )
