"""What a run shows: the plan, a live bar, and the finished diagram; plain lines in a log."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

import pandas as pd

from phasegrok.analysis.phases import shown
from phasegrok.cli import diagram as terminal
from phasegrok.results.folder import Folder

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from phasegrok.run import Prepared

LINE_EVERY = 15.0  # seconds between lines where there is no terminal to draw on


def duration(seconds: float) -> str:
    """Seconds as 42 s, 3 min 20 s or 2 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def plan_text(prepared: Prepared, seconds: float | None = None) -> str:
    """The plan in a few lines; with ``seconds``, in full and with an estimate."""
    from phasegrok import models
    from phasegrok.train.memory import measured_bytes

    plan, jobs = prepared.plan, prepared.plan.jobs
    count = {axis: plan.runs[axis].nunique() for axis in plan.axes}
    several = {"variant": "variants"} if count.get("variant", 1) > 1 else {}
    axes = " x ".join(f"{n} {several.get(a, a)}" for a, n in count.items()) or "one cell"
    seeds = plan.runs["seed"].nunique()
    chunks = len(prepared.chunks)
    done = chunks - len(prepared.missing())
    here = prepared.machine
    mapping = "/".join(sorted({job.layout.mapping for job in jobs})) or "none"
    lines = [
        f"{prepared.sweep.name}: {len(plan.runs)} runs = {axes}"
        f" x {seeds} seed{'s' if seeds > 1 else ''}",
        f"{len(jobs)} program{'s' if len(jobs) > 1 else ''},"
        f" {chunks} chunk{'s' if chunks > 1 else ''}, mapping"
        f" {mapping} on {here.devices} {here.platform} device"
        f"{'s' if here.devices > 1 else ''}, padding waste {plan.waste():.1%}",
    ]
    if prepared.resumes:
        lines.append(f"resumes {prepared.folder.path}: {done} of {chunks} chunks are done")
    if kept := sum(map(len, prepared.manifest.kept.values())):
        lines.append(f"{kept} runs of other chunks are done and stay as they are")
    if seconds is not None:
        lines.append("")
        head = "program  rows  runs  chunks x cells  steps  parameters  non-embedding  memory"
        lines.append(f"{head:<82}variants" if "variant" in plan.axes else head)
        for j, job in enumerate(jobs):
            model = models.of(job.program.experiment)
            memory = f"{measured_bytes(job, job.layout.chunk) / 2**20:.0f} MiB"
            there = plan.runs.iloc[job.runs]
            variants: list[str] = list(there["variant"].unique()) if "variant" in there else []
            lines.append(
                f"{j:7d}  {job.program.rows:4d}  {len(job.runs):4d}"
                f"  {len(job.chunks()):6d} x {job.layout.chunk:<5d}  {job.program.steps:5d}"
                f"  {models.parameters(model):10d}"
                f"  {models.parameters(model, embeddings=False):13d}"
                f"  {memory:<12}{', '.join(variants)}".rstrip()
            )
        lines.append("")
        lines.append(f"estimated time on this machine: {duration(seconds)}")
    return "\n".join(lines)


class Progress:
    """The runner's :class:`~phasegrok.run.Reporter`: a bar on a terminal, else lines."""

    def __init__(self, prepared: Prepared) -> None:
        from phasegrok.run import job_work

        self.total = sum(job_work(job) * len(job.runs) for job in prepared.plan.jobs)
        self.total = self.total or 1.0  # of published runs that no job trains, nothing is left
        self.runs = len(prepared.plan.runs)
        self.work = self.done = 0.0
        self.skipped = 0.0  # done by an earlier session: no part of this one's rate
        self.finished = 0
        self.started = self.last_line = time.monotonic()
        self.live = sys.stdout.isatty()
        self.bar: Bar | None = None
        print(plan_text(prepared), flush=True)

    def __enter__(self) -> Progress:
        if self.live:
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Bar

            self.bar = Bar(
                TextColumn("{task.fields[runs]}"),
                BarColumn(bar_width=None),
                TextColumn("{task.percentage:5.1f} %  {task.fields[rate]}  {task.fields[eta]}"),
                expand=True,
            )
            self.bar.start()
            self.task = self.bar.add_task("", total=self.total, runs="starting", rate="", eta="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bar:
            self.bar.stop()
        if kind is None:
            spent = duration(time.monotonic() - self.started)
            print(f"{self.finished}/{self.runs} runs done in {spent}", flush=True)

    def note(self, line: str) -> None:
        print(line, flush=True)

    def skip(self, work: float, runs: int) -> None:
        """Work that an earlier session did."""
        self.skipped += work
        self._update(work, runs)

    def advanced(self, work: float, runs: int) -> None:
        """Work done just now."""
        self._update(work, runs)

    def _update(self, work: float, runs: int) -> None:
        self.done += work
        self.finished += runs
        spent = time.monotonic() - self.started
        new = self.done - self.skipped
        eta, rate = "", ""
        if new > 0 and spent > 0:
            eta = "ETA " + duration((self.total - self.done) * spent / new)
            rate = f"{new / self.total * self.runs / spent * 60:.1f} runs/min"
        counted = f"{self.finished}/{self.runs} runs"
        if self.bar:
            self.bar.update(self.task, advance=work, runs=counted, rate=rate, eta=eta)
        elif not self.live and time.monotonic() - self.last_line >= LINE_EVERY:
            self.last_line = time.monotonic()
            share = self.done / self.total
            print(f"{counted}  {share:.1%}  {rate}  {eta}", flush=True)


def status_text(folder: Folder) -> str:
    """How far a sweep has come, in two lines.

    Raises:
        Refusal: the folder holds no results.
    """
    manifest = folder.require_manifest("name", "runs", "sessions", "device")
    runs = sum(len(ids) for ids in folder.published().values())
    sessions = manifest["sessions"]
    spent = duration(sum(s["seconds"] for s in sessions))
    return (
        f"{manifest['name']}: {runs}/{manifest['runs']} runs are done"
        f" ({spent} in {len(sessions)} session{'s' if len(sessions) != 1 else ''},"
        f" on {manifest['device']})"
    )


def diagram(results: Folder, cells: pd.DataFrame) -> str:
    """The phase diagram in characters, as wide as the terminal, coloured where it is one."""
    manifest = results.require_manifest()
    cells = shown(cells, manifest["sweep"])
    width = shutil.get_terminal_size((100, 40)).columns
    return terminal.diagram(cells, manifest["axes"], width=width, colour=sys.stdout.isatty())
