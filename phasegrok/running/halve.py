"""Chunks that turn out not to fit a device's memory are cut in two, and the folder remembers it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import jax

from phasegrok.errors import Refusal
from phasegrok.plan.layout import Job, Machine
from phasegrok.running.follow import Chunk, next_number
from phasegrok.running.manifest import JobRecord
from phasegrok.running.prepared import Prepared
from phasegrok.train.engine import Engine
from phasegrok.train.memory import peak_bytes

__all__ = ["OutOfMemory", "check_report", "half", "halved", "is_out_of_memory"]

SAYS: Final = "RESOURCE_EXHAUSTED"  # how XLA begins what it says of memory


class OutOfMemory(RuntimeError):
    """A chunk does not fit, by the compiler's own report."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that a device's memory did not suffice."""
    if isinstance(error, OutOfMemory):
        return True
    return isinstance(error, jax.errors.JaxRuntimeError) and SAYS in str(error)


def check_report(engine: Engine, here: Machine) -> None:
    """Ask the compiled program itself, before anything is allocated. On a CPU the planner's bound
    is close, and what does not fit is swapped or killed, not refused.

    Raises:
        OutOfMemory: it needs more than the device has.
    """
    if here.platform != "cpu" and peak_bytes(engine) > here.memory:
        raise OutOfMemory


def half(prepared: Prepared, job: Job) -> int:
    """Half as many runs as a job's chunks have, for all its devices.

    Raises:
        Refusal: there is a single run a device in a chunk.
    """
    layout = job.layout
    size = -(-layout.chunk // 2 // layout.devices) * layout.devices
    if not 0 < size < layout.chunk:
        raise Refusal(
            f"{prepared.folder.path}: {layout.chunk} runs of {job.program.rows} rows do not fit"
            " this device's memory, and fewer cannot train; allowed: a device with more, or a"
            " smaller model.width, model.depth or task.modulus"
        )
    return size


def halved(prepared: Prepared, chunk: Chunk) -> Prepared:
    """The sweep with what is left of a chunk's job in chunks of half as many runs.

    They have a new job's ids, so that nothing that is published or named before changes.

    Raises:
        Refusal: there is a single run a device in the chunk.
    """
    manifest, folder = prepared.manifest, prepared.folder
    layout = chunk.job.layout
    size = half(prepared, chunk.job)
    at = next(i for i, job in enumerate(manifest.jobs) if chunk.id in job.chunks)
    record = manifest.jobs[at]
    published = folder.published()
    kept = {name: runs for name, runs in record.chunks.items() if name in published}
    left = [run for name, runs in record.chunks.items() if name not in kept for run in runs]
    number = next_number(manifest, published)
    smaller = JobRecord(
        record.program,
        replace(record.layout, chunk=size, devices=layout.devices),
        {
            f"{number:03d}-{i // size:05d}": tuple(left[i : i + size])
            for i in range(0, len(left), size)
        },
    )
    jobs = list(manifest.jobs)
    jobs[at : at + 1] = [replace(record, chunks=kept)] if kept else []
    return prepared.following(replace(manifest, jobs=(*jobs, smaller)))
