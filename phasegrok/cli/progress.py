"""How far training is: a live bar on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from phasegrok.cli.streams import wants_drawing
from phasegrok.cli.text import duration, plan_text
from phasegrok.errors import counted
from phasegrok.stopping import STATE

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from phasegrok.running import Prepared

__all__ = ["Progress"]

LINE_EVERY: Final = 15.0  # seconds between lines where there is no terminal to draw on


class Progress:
    """The runner's :class:`~phasegrok.running.Reporter`: a bar on a terminal, else lines.

    What is left is told from this session's own training and waiting; until there is any, from what
    was expected.
    """

    def __init__(self, prepared: Prepared) -> None:
        from phasegrok.running import estimated_time, job_work

        jobs = prepared.plan.jobs
        self.total = sum(job_work(job) * len(job.runs) for job in jobs)
        self.total = self.total or 1.0  # where all runs are published, no job is left
        self.runs = len(prepared.manifest.held())  # those that refinement left out are not
        self.done = 0.0
        self.skipped = 0.0  # done by an earlier session: no part of this one's rate
        self.finished = 0
        self.programs = self.program = 0  # how many this session compiles, and the newest of them
        self.cluster = ""  # who trains, where that is not this process
        self.rate = 0.0  # runs a second, while there was training
        self.waited = 0.0  # seconds that nothing trained, as its program was compiled
        self.waits_since: float | None = None
        self.expected = estimated_time(prepared)
        self.started = self.last_line = time.monotonic()
        self.live = wants_drawing()
        self.bar: Bar | None = None
        self.ends = self.started + self.expected.seconds  # when, by what is known now
        print(plan_text(prepared), flush=True)

    def __enter__(self) -> Progress:
        if self.live:
            from rich.progress import BarColumn, ProgressColumn
            from rich.progress import Progress as Bar
            from rich.table import Column
            from rich.text import Text

            class Said(ProgressColumn):
                """A text that is true at the moment when it is drawn."""

                def __init__(self, say: Any) -> None:
                    super().__init__(table_column=Column(no_wrap=True))
                    self.say = say

                def render(self, task: Any) -> Text:
                    return Text(self.say())

            self.bar = Bar(
                Said(self._where), BarColumn(bar_width=None), Said(self._when), expand=True
            )
            self.bar.start()
            self.task = self.bar.add_task("", total=self.total)
            self.bar.update(self.task, completed=self.done)
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

    def compiling(self, number: int, of: int) -> None:
        """Nothing trains until a program is compiled."""
        self.program, self.programs = number, of
        self.waits_since = time.monotonic()
        self._update(0.0, 0)

    def compiled(self) -> None:
        """Training goes on."""
        if self.waits_since is not None:
            self.waited += time.monotonic() - self.waits_since
            self.waits_since = None

    def delivered(self, workers: int, chunks: int) -> None:
        """A cluster trains."""
        self.cluster = f"{counted(workers, 'worker')}, {counted(chunks, 'chunk')} in flight"

    def _update(self, work: float, runs: int) -> None:
        self.done += work
        self.finished += runs
        self.ends = time.monotonic() + self._left()
        new, spent = self._trained()
        if work and new > 0 and spent > 0:
            self.rate = new / self.total * self.runs / spent
        if self.bar:
            self.bar.update(self.task, completed=self.done)
        elif not self.live and time.monotonic() - self.last_line >= LINE_EVERY:
            self.last_line = time.monotonic()
            print(f"{self._where()}  {self._when()}", flush=True)

    def _trained(self) -> tuple[float, float]:
        """Work that this session did, and the seconds that it trained."""
        spent = time.monotonic() - self.started - self.waited
        if self.waits_since is not None:
            spent -= time.monotonic() - self.waits_since
        return self.done - self.skipped, spent

    def _left(self) -> float:
        """Seconds until all is done."""
        new, spent = self._trained()
        left = self.total - self.done
        expected = self.expected
        if new > 0 and spent > 0:
            training = left * spent / new
        else:
            training = left * expected.training / max(self.total - self.skipped, left, 1e-9)
        begun = self.program - (self.waits_since is not None)  # programs that are compiled
        each = self.waited / begun if begun else expected.compiling / max(self.programs, 1)
        return training + each * max(self.programs - begun, not self.programs)

    def _where(self) -> str:
        """How many runs are done, and what is being done where that is not training."""
        done = f"{self.finished}/{self.runs} runs"
        if STATE.caught:
            return f"{done}  saving"
        if self.waits_since is not None:
            return f"{done}  compiling {self.program} of {self.programs}"
        return f"{done}  {self.cluster}" if self.cluster else done

    def _when(self) -> str:
        """The share that is done, the rate, and how long the rest will take."""
        parts = [f"{self.done / self.total:5.1%}"]
        if self.rate:
            parts.append(f"{self.rate * 60:.1f} runs/min")
        if self.done < self.total:
            parts.append("ETA " + duration(max(1.0, self.ends - time.monotonic())))
        return "  ".join(parts)
