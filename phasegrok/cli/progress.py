"""How far training is: a live bar on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Final

from phasegrok.cli.streams import wants_drawing
from phasegrok.cli.text import duration, plan_text

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from phasegrok.running import Prepared

__all__ = ["Progress"]

LINE_EVERY: Final = 15.0  # seconds between lines where there is no terminal to draw on


class Progress:
    """The runner's :class:`~phasegrok.running.Reporter`: a bar on a terminal, else lines."""

    def __init__(self, prepared: Prepared) -> None:
        from phasegrok.running import job_work

        jobs = prepared.plan.jobs
        self.total = sum(job_work(job) * len(job.runs) for job in jobs)
        self.total = self.total or 1.0  # where all runs are published, no job is left
        self.runs = len(prepared.manifest.held())  # those that refinement left out are not
        self.done = 0.0
        self.skipped = 0.0  # done by an earlier session: no part of this one's rate
        self.finished = 0
        self.started = self.last_line = time.monotonic()
        self.live = wants_drawing()
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

    def more(self, work: float, runs: int) -> None:
        """Refinement asks for more."""
        self.total += work
        self.runs += runs
        if self.bar:
            self.bar.update(self.task, total=self.total)

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
