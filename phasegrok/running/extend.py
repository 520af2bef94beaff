"""A sweep that has more runs than a folder, or shares runs with other folders."""

from __future__ import annotations

import errno
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from phasegrok import plugins
from phasegrok.config.identity import differences, identity
from phasegrok.errors import Refusal, no_results
from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import Plan, checked_table, swept_columns
from phasegrok.plan.runs import RunTable
from phasegrok.results.folder import Folder
from phasegrok.running.adopt import incomplete
from phasegrok.running.columns import Columns
from phasegrok.running.follow import Parts, next_number, planned_anew, upgraded
from phasegrok.running.manifest import (
    Manifest,
    Taken,
    as_begun,
    check_same_code,
    check_same_numerics,
    fingerprints,
    read_manifest,
)
from phasegrok.running.session import whoami
from phasegrok.running.verify import readable
from phasegrok.sweep.load import Sweep, load

STATE = (
    "more steps go on in a folder of their own: --reuse of this one, and another --output, where"
    " engine.keep_state kept its state"
)
# What an extension may change: it decides which runs there are, and not their numbers.
WHICH = ("axes", "zip", "seeds", "variants")


def resolved(sweep: Sweep) -> dict[str, Any]:
    """The resolved sweep as it reads back from JSON."""
    values: dict[str, Any] = json.loads(json.dumps(sweep.resolved()))
    return values


def named(manifest: Manifest, folder: Folder, here: Machine) -> Manifest:
    """A manifest that names its runs; one of an older version did not."""
    if not manifest.old:
        return manifest
    begun = load(folder.path / "sweep.yaml")
    return upgraded(begun, checked_table(begun), manifest, readable(folder), here)


def check_extends(sweep: Sweep, table: RunTable, begun: Manifest, path: Path) -> None:
    """Refuse a sweep that lacks runs of the folder, or measures otherwise.

    Raises:
        Refusal: it says what differs.
    """
    then, now = identity(begun.sweep), identity(resolved(sweep))
    check_same_tables(then, now, f"{path}: --extend")
    lost = set(begun.held()) - set(table.frame["run"])
    if lost:
        changed = "; ".join(list(differences(then, now))[:3])
        raise Refusal(
            f"{path}: --extend: {len(lost)} of the {begun.runs} runs that it holds are not in this"
            f" sweep ({changed}{_about_steps(then, now)}); allowed: its values and more of them,"
            " --fresh, or another --output"
        )


def check_same_tables(then: dict[str, Any], now: dict[str, Any], where: str) -> None:
    """Refuse what would have other numbers, or other tables, than those that are there."""
    for block in ("engine", "measure"):
        if changed := list(differences(then[block], now[block], block)):
            raise Refusal(
                f"{where}: {changed[0]}: runs that are there are not measured again; allowed:"
                f" the same {changed[0].partition(':')[0]}"
            )


def _about_steps(then: dict[str, Any], now: dict[str, Any]) -> str:
    longer = [key for key in ("steps", "epochs") if then["train"].get(key) != now["train"].get(key)]
    return f"; {STATE}" if longer else ""


def extended(
    sweep: Sweep,
    table: RunTable,
    begun: Manifest,
    published: Parts,
    here: Machine,
    taken: dict[str, Taken],
) -> Manifest:
    """A folder's manifest with the jobs of what is new in a sweep; its own jobs stay.

    Args:
        begun: the manifest as it is; it names its runs.
        published: parts of the folder.
        taken: runs that are new and that other folders hold.
    """
    there = {*begun.held(), *(run for each in taken.values() for run in each.runs)}
    new = np.flatnonzero(~table.frame["run"].isin(list(there)).to_numpy())
    if sweep.refine.levels:
        new = new[:0]  # the first round is planned when the folder has its new columns
    first = next_number(begun, published)
    return replace(
        begun,
        axes=swept_columns(sweep),
        runs=len(table.frame),
        sweep=resolved(sweep),
        data=fingerprints(table),
        plugins=plugins.used(table.experiments, sweep.measure),
        jobs=(*begun.jobs, *planned_anew(as_begun(sweep, begun), table, new, here, first)),
        taken={**begun.taken, **taken},
    )


def taken_from(
    folders: Sequence[Path], sweep: Sweep, table: RunTable, held: set[str], path: Path
) -> dict[str, Taken]:
    """The runs of a sweep that other folders hold, by the part that will hold them here.

    Args:
        folders: in order; a run is taken from the first that has it.
        held: runs that need not be looked for.
        path: of the folder that they are for.

    Raises:
        Refusal: a folder is damaged, in use, measured otherwise, or has none of the runs.
    """
    taken: dict[str, Taken] = {}
    if not folders:
        return taken
    columns = Columns.of(sweep, Plan(swept_columns(sweep), table, []))
    wanted = set(table.frame["run"]) - held
    for place in folders:
        source = Folder(place)
        if place.resolve() == path.resolve():
            raise Refusal(f"--reuse {place}: is the folder of this sweep; allowed: another one")
        for part, runs in _there(source, sweep, table).items():
            mine = tuple(run for run in runs if run in wanted)
            if not mine:
                continue
            wanted -= set(mine)
            each = Taken(str(place), part, mine)
            if lacking := incomplete(source, each, columns, sweep.measure.weights != "none"):
                raise Refusal(
                    f"--reuse {place}: {lacking} is not there, so its runs cannot be taken whole;"
                    " allowed: a folder with all of its tables"
                )
            taken[f"taken-{len(taken):05d}"] = each
    return taken


def _there(source: Folder, sweep: Sweep, table: RunTable) -> Parts:
    """The published parts of a folder with runs of the sweep."""
    where = f"--reuse {source.path}"
    found = read_manifest(source) if source.path.is_dir() else None
    if found is None:
        raise no_results(where)
    then, now = identity(found.sweep), identity(resolved(sweep))
    check_same_tables(then, now, where)
    check_same_code(found, sweep, table, where)
    check_same_numerics(found, where)
    check_unused(source)
    ours, parts = set(table.frame["run"]), source.published()
    if not any(run in ours for runs in parts.values() for run in runs):
        changed = [each for each in differences(then, now) if not each.startswith(WHICH)]
        raise Refusal(
            f"{where}: holds none of this sweep's runs"
            f" ({'; '.join(changed[:3]) or 'other axes or seeds'}{_about_steps(then, now)});"
            " allowed: a folder with runs of the same settings"
        )
    return parts


def check_unused(source: Folder) -> None:
    """Refuse a folder that another process works on.

    Raises:
        Locked: it says which.
    """
    try:
        with source.lock(whoami()):
            pass
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise  # a folder that one may only read is nobody's to write
