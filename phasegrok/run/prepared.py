"""A sweep that is ready to run in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import Plan
from phasegrok.results.folder import Folder
from phasegrok.run.columns import Columns
from phasegrok.run.follow import Chunk, missing_chunks
from phasegrok.run.manifest import Manifest
from phasegrok.sweep.load import Sweep


@dataclass(frozen=True)
class Prepared:
    """A checked sweep, laid out for this machine and this folder; nothing has been written."""

    sweep: Sweep
    folder: Folder
    plan: Plan
    chunks: list[Chunk]
    machine: Machine
    manifest: Manifest  # as it will be written
    begun: Manifest | None  # as it was found

    @property
    def resumes(self) -> bool:
        """Whether the folder holds an earlier start of this sweep, or of a part of it."""
        return self.begun is not None

    @property
    def extends(self) -> int:
        """How many runs are new to the folder."""
        return self.manifest.runs - self.begun.runs if self.begun else 0

    @cached_property
    def columns(self) -> Columns:
        """What its tables have; found when something is first written to them."""
        return Columns.of(self.sweep, self.plan)

    def missing(self) -> list[Chunk]:
        """The chunks that are not published by now; of a new start, all."""
        return self.unpublished() if self.resumes else self.chunks

    def unpublished(self) -> list[Chunk]:
        """The chunks that the folder lacks."""
        folder = self.folder
        return missing_chunks(self.chunks, self.plan.table, folder.published(), folder.path)
