"""What a worker is told, and what it answers. Both are small, unless no file system is shared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

import phasegrok
from phasegrok.plan.layout import Layout
from phasegrok.running.follow import Chunk
from phasegrok.running.manifest import Shape
from phasegrok.running.prepared import Prepared

__all__ = ["Order", "Outcome", "order"]


@dataclass(frozen=True)
class Order:
    """A chunk to train.

    Attributes:
        chunk: its id.
        sweep: the resolved sweep, as a sweep file's text.
        shape, layout: of the chunk's program, as the manifest has them.
        runs: int32, positions in the sweep's table of runs.
        first: id of the first of them: a worker that makes another table finds that out.
        folder: of results, where it is shared; empty where tables travel back.
        holder: token of the process that holds it.
        devices: CPU devices to show to JAX.
        kind: of device that may train it; empty for any.
        home: the kind of the folder's own device.
        columns: type by column, by table, as the manifest has them.
        plugins: modules that the sweep needs.
        version: of phasegrok.
    """

    chunk: str
    sweep: str
    shape: Mapping[str, Any]
    layout: Layout
    runs: np.ndarray
    first: str
    folder: str
    holder: str
    devices: int
    kind: str
    home: str
    columns: Mapping[str, Mapping[str, str]]
    plugins: tuple[str, ...]
    version: str = phasegrok.__version__


@dataclass(frozen=True)
class Outcome:
    """What became of it.

    Attributes:
        chunk, runs, diverged: what was trained; no runs where the worker was told to stop.
        compile_seconds, device_seconds: that it took.
        mixed: whether it was trained on another kind of device than the folder's.
        refused: why this worker may not train it; empty if it may.
        tables: Arrow tables by name, where no file system is shared.
        files: networks and their records, by path below the folder, likewise.
    """

    chunk: str
    runs: int = 0
    diverged: int = 0
    compile_seconds: float = 0.0
    device_seconds: float = 0.0
    mixed: bool = False
    refused: str = ""
    tables: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


def order(prepared: Prepared, chunk: Chunk, sweep: str, **more: Any) -> Order:
    """The order to train a chunk of a sweep; ``more`` are the rest of its values."""
    ids = prepared.plan.table.frame["run"].to_numpy()
    return Order(
        chunk=chunk.id,
        sweep=sweep,
        shape=asdict(Shape.of(chunk.job.program)),
        layout=chunk.job.layout,
        runs=np.asarray(chunk.runs, np.int32),
        first=str(ids[chunk.runs[0]]),
        **more,
    )
