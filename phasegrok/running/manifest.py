"""The manifest of a result folder: what it was begun with, and which runs each chunk trains.

A resume follows it and plans nothing again, so other numbers in the planner, or another machine,
cannot change what a chunk is.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from phasegrok import plugins
from phasegrok.config.identity import NUMERICS, NUMERICS_CHANGES
from phasegrok.errors import Damaged, Refusal
from phasegrok.plan.layout import Job, Layout, Machine
from phasegrok.plan.plan import Plan
from phasegrok.plan.program import Program
from phasegrok.plan.runs import RunTable, data_of
from phasegrok.results.folder import Folder
from phasegrok.results.head import checked
from phasegrok.sweep.load import Sweep
from phasegrok.train.memory import planned_kinds

FORMAT = 2
LIBRARIES = ("phasegrok", "jax", "jaxlib", "flax", "optax", "numpy", "pandas", "pyarrow")
SAFE = (
    "the tables beside it are safe; allowed: --fresh, which moves them aside, or another --output"
)


@dataclass(frozen=True)
class Shape:
    """What the planner chose of a program; the rest of it is the sweep's."""

    rows: int
    tile: int
    orders: int
    steps: int
    log_every: int
    use_dropout: bool
    noises: tuple[str, ...]
    kernel: Literal["plain", "fused"] = "plain"

    @classmethod
    def of(cls, program: Program) -> Shape:
        return cls(
            rows=program.rows,
            tile=program.tile,
            orders=program.orders,
            steps=program.steps,
            log_every=program.log_every,
            use_dropout=program.use_dropout,
            noises=program.noises,
            kernel=program.kernel,
        )


@dataclass(frozen=True)
class JobRecord:
    """A job as the manifest has it."""

    program: Shape
    layout: Layout
    chunks: dict[str, tuple[str, ...]]  # ids of its runs, by the chunk's own

    @classmethod
    def of(cls, number: int, job: Job, table: RunTable) -> JobRecord:
        """The record of a sized job; the job's number is part of its chunks' ids."""
        ids = table.frame["run"].to_numpy()
        chunks = {
            f"{number:03d}-{c:05d}": tuple(map(str, ids[runs]))
            for c, runs in enumerate(job.chunks())
        }
        return cls(Shape.of(job.program), job.layout, chunks)


@dataclass(frozen=True)
class Taken:
    """Runs whose rows another folder holds."""

    folder: str
    part: str  # there
    runs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a folder was begun with. An old one has ``layouts`` and no ``jobs``."""

    name: str
    axes: list[str]
    runs: int
    sweep: dict[str, Any]  # resolved
    data: list[str] = field(default_factory=list)  # hashes of what the sweep names
    plugins: dict[str, str] = field(default_factory=dict)  # hash of their code by module
    numerics: int = 1  # phasegrok.config.identity.NUMERICS; folders from before it have the first
    versions: dict[str, str]
    git_revision: str | None = None
    device: str
    processor: str = ""  # unknown of folders that an earlier version began
    machine: Machine
    jobs: tuple[JobRecord, ...]
    kept: dict[str, tuple[str, ...]] = field(default_factory=dict)  # parts that no job trains
    taken: dict[str, Taken] = field(default_factory=dict)  # parts from other folders
    goes_on: dict[str, Taken] = field(default_factory=dict)  # chunks with a state elsewhere
    lacking: dict[str, tuple[str, ...]] = field(default_factory=dict)  # as in results.head.Head
    columns: dict[str, dict[str, str]] = field(default_factory=dict)  # as in results.head.Head
    layouts: tuple[Layout, ...] = ()  # of an old manifest's jobs, whose chunks it does not name
    sessions: tuple[dict[str, Any], ...]

    @property
    def platform(self) -> str:
        """The kind of device that it was begun on."""
        return self.machine.platform

    def held(self) -> list[str]:
        """Ids of the runs that it names; of an old one, none."""
        groups = [*(job.chunks for job in self.jobs), self.kept]
        named = [run for chunks in groups for ids in chunks.values() for run in ids]
        return named + [run for each in self.taken.values() for run in each.runs]

    @property
    def old(self) -> bool:
        """Whether it was written before manifests named the runs of their chunks."""
        return bool(self.layouts)

    def to_json(self) -> dict[str, Any]:
        """What :func:`read_manifest` reads back."""
        assert not self.old, "an old manifest is upgraded before it is written"
        values = asdict(self)
        del values["layouts"]
        for name in ("kept", "taken", "goes_on", "lacking", "columns", "plugins"):
            if not values[name]:
                del values[name]
        return {"format": FORMAT} | values


def new_manifest(
    sweep: Sweep,
    resolved: dict[str, Any],
    planned: Plan,
    here: Machine,
    taken: Mapping[str, Taken] = MappingProxyType({}),
) -> Manifest:
    """The manifest of a sweep that begins here and now."""
    device, processor = planned_kinds()
    return Manifest(
        name=sweep.name,
        axes=planned.axes,
        runs=len(planned.runs),
        sweep=resolved,
        data=fingerprints(planned.table),
        plugins=plugins.used(planned.table.experiments, sweep.measure),
        numerics=NUMERICS,
        versions={"python": platform.python_version()} | {n: version(n) for n in LIBRARIES},
        git_revision=git_revision(),
        device=device,
        processor=processor,
        machine=here,
        jobs=tuple(JobRecord.of(j, job, planned.table) for j, job in enumerate(planned.jobs)),
        taken=dict(taken),
        sessions=(),
    )


def read_manifest(folder: Folder) -> Manifest | None:
    """The manifest of a folder, if it has one.

    Raises:
        Damaged: it cannot be read.
        Refusal: a newer version wrote it.
    """
    values = folder.manifest()
    return None if values is None else from_json(values, folder.manifest_path)


def from_json(values: Mapping[str, Any], path: Path) -> Manifest:
    """A manifest from its JSON values.

    Raises:
        Damaged: something is missing or wrong.
        Refusal: a newer version wrote it.
    """
    written = values.get("format", 1)
    if not isinstance(written, int) or not 1 <= written <= FORMAT:
        raise Refusal(
            f"{path}: format: found {written!r}, which this version does not know; the tables"
            f" beside it are safe; allowed: at most {FORMAT}, or a newer phasegrok"
        )
    known = {k: v for k, v in values.items() if k != "layouts"}
    if written == 1:
        known = _from_first_format(known)
    manifest = checked(Manifest, known, path)
    _check(manifest, path)
    return manifest


def _from_first_format(values: dict[str, Any]) -> dict[str, Any]:
    """Old jobs were layouts alone, whose mapping was called their kind."""
    if not isinstance(jobs := values.get("jobs"), list):
        return values
    layouts = [
        {"mapping" if key == "kind" else key: value for key, value in job.items()}
        if isinstance(job, dict)
        else job
        for job in jobs
    ]
    return values | {"jobs": [], "layouts": layouts}


def _check(manifest: Manifest, path: Path) -> None:
    """What has the right types and still cannot be followed is damaged."""
    for key in ("axes", "seeds", "engine"):
        if key not in manifest.sweep:
            raise Damaged(path, f"sweep.{key}: missing")
    for i, layout in enumerate((*manifest.layouts, *(job.layout for job in manifest.jobs))):
        if min(layout.chunk, layout.devices, layout.batch, layout.intervals) < 1:
            raise Damaged(path, f"jobs.{i}: found a layout with a 0 in it")
    for i, job in enumerate(manifest.jobs):
        sizes = {len(runs) for runs in job.chunks.values()} or {0}
        if min(sizes) < 1 or max(sizes) > job.layout.chunk:
            raise Damaged(
                path,
                f"jobs.{i}.chunks: found one of no runs, or of more than the {job.layout.chunk} of"
                " its layout",
            )


def as_begun(sweep: Sweep, manifest: Manifest) -> Sweep:
    """The sweep, laid out as a folder was begun."""
    engine = manifest.sweep["engine"]
    begun = {key: engine[key] for key in ("mapping", "chunk")}
    # Before there was a choice, an accelerator's data fractions were one group.
    vmapped = engine["mapping"] == "vmap" or manifest.platform != "cpu"
    begun["groups"] = engine.get("groups", "one" if vmapped else "auto")
    begun["kernel"] = engine.get("kernel", "plain")
    return replace(sweep, engine=sweep.engine.model_copy(update=begun))


def fingerprints(table: RunTable) -> list[str]:
    """Hashes of the data and networks that a sweep names but does not hold."""
    return sorted({each for experiment in table.experiments for each in data_of(experiment)})


def check_same_code(manifest: Manifest, sweep: Sweep, table: RunTable, where: str) -> None:
    """Refuse results that other code of a plugin computed, or measured.

    Args:
        manifest: of the results.
        sweep, table: that is to go on with them.
        where: they are.

    Raises:
        Refusal: it names the plugin.
    """
    now = plugins.used(table.experiments, sweep.measure)
    for module in sorted({*now} & {*manifest.plugins}):
        if now[module] != manifest.plugins[module]:
            raise Refusal(
                f"{where}: the code of plugin {module} is another one than when this folder was"
                f" begun (hash {manifest.plugins[module]}, now {now[module]}), so its runs are"
                " others too; allowed: the plugin as it was, --fresh, or another --output"
            )
    plugins.check_loaded(manifest.plugins, where)


def numerics_text(manifest: Manifest) -> str | None:
    """What this version computes otherwise than the one that began a folder; None if nothing."""
    begun = manifest.numerics
    if begun == NUMERICS:
        return None
    since = "; ".join(what for n, what in NUMERICS_CHANGES.items() if n > begun)
    version = manifest.versions.get("phasegrok", "that")
    return (
        f"this phasegrok computes runs otherwise than {version}, which began this folder"
        f" (numerics {begun}, now {NUMERICS}: {since or 'an older version'})"
    )


def check_same_numerics(manifest: Manifest, where: str) -> None:
    """Refuse to mix rows that two versions compute differently."""
    if text := numerics_text(manifest):
        raise Refusal(
            f"{where}: {text}; the tables are safe; allowed: that version, --fresh, or another"
            " --output"
        )


def git_revision() -> str | None:
    """Revision of the source tree that phasegrok is imported from, if it is one.

    A repository that merely has site-packages somewhere inside says nothing of phasegrok: the
    package itself has to be among its files.
    """
    # Git tells the programs that it starts of the repository that it was called in.
    here = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    git = partial(
        subprocess.run,
        cwd=Path(__file__).parent,
        env=here,
        capture_output=True,
        text=True,
        timeout=5,
        check=True,
    )
    try:
        git(["git", "ls-files", "--error-unmatch", Path(__file__).name])
        return git(["git", "describe", "--always", "--dirty", "--abbrev=12"]).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
