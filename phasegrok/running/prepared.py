"""A sweep that is ready to run in a folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import Plan
from phasegrok.results.folder import Folder
from phasegrok.running.columns import Columns, tables_of
from phasegrok.running.follow import Chunk, Parts, follow, missing_chunks
from phasegrok.running.manifest import Manifest
from phasegrok.running.verify import Expected, Found, listed
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
    found: Found | None = None  # what the folder holds; None of a new start
    rebuilt: bool = False  # the manifest that was there cannot be read, or is gone

    @property
    def resumes(self) -> bool:
        """Whether the folder holds an earlier start of this sweep, or of a part of it."""
        return self.found is not None

    @property
    def extends(self) -> int:
        """How many runs are new to the folder."""
        return self.manifest.runs - self.begun.runs if self.begun else 0

    @cached_property
    def columns(self) -> Columns:
        """What its tables have; found when something is first written to them."""
        return Columns.of(self.sweep, self.plan)

    def with_manifest(self, manifest: Manifest) -> Prepared:
        """The same with another manifest."""
        return self._with(manifest=manifest)

    def following(self, manifest: Manifest) -> Prepared:
        """The same with the jobs and chunks that another manifest names."""
        table, devices = self.plan.table, self.machine.devices
        planned, chunks = follow(self.sweep, table, manifest, devices, self.folder.path)
        return self._with(manifest=manifest, plan=planned, chunks=chunks)

    def _with(self, **changes: Any) -> Prepared:
        """What its tables have hangs on the sweep alone, and is not found again."""
        changed = replace(self, **changes)
        if "columns" in self.__dict__:
            changed.__dict__["columns"] = self.columns
        return changed

    def missing(self) -> list[Chunk]:
        """The chunks that the folder lacked when it was looked at; of a new start, all."""
        return self._without(self.found.parts) if self.found else self.chunks

    def unpublished(self) -> list[Chunk]:
        """The chunks that the folder lacks now."""
        return self._without(listed(self.folder, expected(self)).parts)

    def _without(self, parts: Parts) -> list[Chunk]:
        return missing_chunks(self.chunks, self.plan.table, parts, self.folder.path)


def expected(prepared: Prepared) -> Expected:
    """What the folder of a sweep should hold."""
    ids = prepared.plan.table.frame["run"].to_numpy()
    networks = {
        chunk.id: [point * chunk.job.program.log_every for point in chunk.job.program.weight_saves]
        for chunk in prepared.chunks
    }
    manifest = prepared.manifest
    parts = {chunk.id: tuple(map(str, ids[chunk.runs])) for chunk in prepared.chunks}
    parts |= manifest.kept
    parts |= {name: taken.runs for name, taken in manifest.taken.items()}
    tables = tables_of(prepared.columns)
    return Expected(parts, tables, networks, manifest.lacking, manifest.columns)
