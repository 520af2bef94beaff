"""From a manifest to the chunks that it names, without planning them again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from phasegrok.errors import Refusal, counted
from phasegrok.machine import cores
from phasegrok.plan.layout import Job, Machine, size_chunks
from phasegrok.plan.plan import Plan, jobs_of, program_of, swept_columns
from phasegrok.plan.runs import RunTable
from phasegrok.running.manifest import SAFE, JobRecord, Manifest, as_begun
from phasegrok.sweep.load import Sweep
from phasegrok.train.memory import least_bytes, measured_bytes

AT_ONCE: Final = 8  # programs that are compiled side by side, each in up to a gigabyte
Parts = Mapping[str, tuple[str, ...]]  # ids of published runs, by part


@dataclass(frozen=True)
class Chunk:
    """Runs of a job that are trained in one call, and saved together."""

    id: str
    job: Job
    runs: np.ndarray  # positions in the table of runs


def follow(
    sweep: Sweep, table: RunTable, manifest: Manifest, devices: int, path: Path
) -> tuple[Plan, list[Chunk]]:
    """The jobs and chunks that a manifest names, on so many devices.

    Args:
        path: of the folder, for refusals.

    Raises:
        Refusal: its runs are not those of the sweep.
    """
    _check_same_runs(table, manifest, path, refined=bool(sweep.refine.levels))
    position = {run: i for i, run in enumerate(table.frame["run"])}
    jobs, chunks = [], []
    for number, record in enumerate(manifest.jobs):
        found = {name: np.array([position[i] for i in ids]) for name, ids in record.chunks.items()}
        runs = np.concatenate(list(found.values()))
        rows = table.frame["n_train"].to_numpy()[runs].max()
        if len(set(table.static[runs])) > 1 or rows > record.program.rows:
            raise Refusal(f"{path}: job {number} of the manifest does not fit its runs; {SAFE}")
        program = program_of(sweep, table.experiment_of(runs[0]), **asdict(record.program))
        jobs.append(Job(program, runs, record.layout.on(devices)))
        chunks += [Chunk(name, jobs[-1], members) for name, members in found.items()]
    return Plan(swept_columns(sweep), table, jobs), chunks


def _check_same_runs(table: RunTable, manifest: Manifest, path: Path, refined: bool) -> None:
    """Refuse a manifest with other runs than the sweep's, or with one of them twice."""
    named = manifest.held()
    held, ours = set(named), set(table.frame["run"])
    if len(named) != len(held):
        raise Refusal(f"{path}: the manifest or the tables name a run more than once; {SAFE}")
    begun = f"the phasegrok that began it ({manifest.versions.get('phasegrok', 'unknown')})"
    left_out = set() if refined else ours - held
    for more, words in (
        (held - ours, "the manifest names {} that this sweep does not have"),
        (left_out, "this sweep has {} that the manifest does not name (--extend trains them)"),
    ):
        if more:
            count = counted(len(more), "run")
            raise Refusal(
                f"{path}: {words.format(count)} ({min(more)}), so this version cannot follow it;"
                f" the tables are safe; allowed: {begun}, --fresh, or another --output"
            )


def sized(sweep: Sweep, jobs: Iterable[Job], here: Machine) -> list[Job]:
    """Jobs with chunks that fit this machine.

    Raises:
        Refusal: a run does not fit.
    """
    jobs = list(jobs)
    for job in jobs:
        # From shapes first: to compile what cannot fit may itself exhaust the machine.
        size_chunks(sweep, job, here, least_bytes)
    # An accelerator's programs are compiled for it, each in seconds: side by side.
    with ThreadPoolExecutor(min(cores(), AT_ONCE)) as pool:
        return list(pool.map(lambda job: size_chunks(sweep, job, here, measured_bytes), jobs))


def upgraded(
    sweep: Sweep, table: RunTable, old: Manifest, published: Parts, here: Machine
) -> Manifest:
    """An old manifest with the runs of its chunks, which it did not name.

    Today's plan is theirs if it explains every part that is published. Otherwise the parts are
    kept, and the runs that are missing are planned anew.

    Args:
        published: the parts of the folder.
        here: where runs are planned anew for.
    """
    begun = as_begun(sweep, old)
    records = _same_plan(begun, table, old, published)
    if records is not None:
        return replace(old, jobs=records, layouts=())
    done = [run for ids in published.values() for run in ids]
    missing = np.flatnonzero(~table.frame["run"].isin(done).to_numpy())
    first = max(len(old.layouts), first_number(published))
    records = planned_anew(begun, table, missing, here, first)
    return replace(old, jobs=records, kept=dict(published), layouts=())


def first_number(parts: Iterable[str]) -> int:
    """The first number of a job that none of the parts has."""
    return max(
        (int(name[: name.index("-")]) + 1 for name in parts if re.match(r"\d+-", name)), default=0
    )


def next_number(manifest: Manifest, parts: Iterable[str]) -> int:
    """The first number of a job that neither a part nor a chunk of the manifest has."""
    chunks = (name for job in manifest.jobs for name in job.chunks)
    return first_number([*parts, *chunks, *manifest.kept])


def planned_anew(
    sweep: Sweep, table: RunTable, positions: np.ndarray, here: Machine, first: int
) -> tuple[JobRecord, ...]:
    """Jobs for the runs at some positions, numbered from ``first`` on."""
    jobs = sized(sweep, jobs_of(sweep, table, positions, here), here)
    return tuple(JobRecord.of(first + j, job, table) for j, job in enumerate(jobs))


def _same_plan(
    sweep: Sweep, table: RunTable, old: Manifest, published: Parts
) -> tuple[JobRecord, ...] | None:
    """Today's plan with an old manifest's layouts, if its chunks are those that are published."""
    jobs = jobs_of(sweep, table, table.positions, old.machine)
    if len(jobs) != len(old.layouts):
        return None
    jobs = [replace(job, layout=it) for job, it in zip(jobs, old.layouts, strict=True)]
    if any(job.program.intervals % job.layout.intervals for job in jobs):
        return None
    records = tuple(JobRecord.of(j, job, table) for j, job in enumerate(jobs))
    chunks = {name: ids for record in records for name, ids in record.chunks.items()}
    same = all(chunks.get(name) == ids for name, ids in published.items())
    return records if same else None


def missing_chunks(
    chunks: Iterable[Chunk], table: RunTable, parts: Parts, path: Path
) -> list[Chunk]:
    """The chunks whose runs are not published yet.

    Raises:
        Refusal: some runs of one are, or its part holds others: to publish it would repeat or
            replace rows.
    """
    done = {run for ids in parts.values() for run in ids}
    ids = table.frame["run"].to_numpy()
    missing = []
    for chunk in chunks:
        mine = set(ids[chunk.runs])
        if mine <= done:
            continue
        if mine & done or chunk.id in parts:
            raise Refusal(
                f"{path}: {len(mine & done)} of the {len(mine)} runs of chunk {chunk.id} are"
                f" published, or runs/{chunk.id}.parquet holds others; the tables are safe;"
                " allowed: parts as they were written"
            )
        missing.append(chunk)
    return missing
