"""A chunk that does not fit the device of one process of several.

The manifest says which runs are a chunk, and all processes follow it: none may cut it there. So the
process trains such a chunk piece by piece, and publishes it as a whole.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from phasegrok.errors import Refusal
from phasegrok.plan.layout import Job
from phasegrok.plan.program import Program
from phasegrok.results.folder import PIECE
from phasegrok.running.chunk import Reporter, publish, trained
from phasegrok.running.follow import Chunk
from phasegrok.running.halve import half, is_out_of_memory
from phasegrok.running.prepared import Prepared
from phasegrok.running.session import Session

__all__ = ["train_fitting"]

# How many runs of a program fit this process's device, where a chunk has more.
_FITS: dict[tuple[Program, int], int] = {}


def train_fitting(prepared: Prepared, chunk: Chunk, session: Session, reporter: Reporter) -> None:
    """Train a chunk and publish it, in pieces of half as many runs as often as it does not fit.

    A piece has a checkpoint as a chunk has, and keeps it until the chunk is published.

    Args:
        prepared: the sweep.
        chunk: of it.
        session: counts, and is told of signals.
        reporter: watches.

    Raises:
        Interrupted: a signal asked to stop.
        Refusal: a run a device does not fit, or the chunk's state is to be kept or gone on from,
            which is that of all its runs together.
    """
    known = chunk.job.program, chunk.job.layout.chunk
    job = _smaller(chunk.job, _FITS.get(known, chunk.job.layout.chunk))
    while True:
        try:
            tables = _in_pieces(prepared, chunk, job, session, reporter)
            break
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        # Only here the error, and with it what it keeps alive, is gone.
        _check(prepared, chunk)
        before, size = job.layout.chunk, half(prepared, job)
        job = _smaller(job, size)
        _FITS[known] = size
        reporter.note(f"note: {before} runs do not fit the device's memory: goes on with {size}")
    publish(prepared, chunk, tables, session)
    if job.layout != chunk.job.layout:
        for path in prepared.folder.checkpoints(chunk.id):
            path.unlink(missing_ok=True)


def _smaller(job: Job, size: int) -> Job:
    return replace(job, layout=replace(job.layout, chunk=size))


def _in_pieces(
    prepared: Prepared, chunk: Chunk, job: Job, session: Session, reporter: Reporter
) -> dict[str, pa.Table]:
    """The tables of a chunk, trained as so many runs at a time as the job's chunks have."""
    size = job.layout.chunk
    if size >= chunk.job.layout.chunk:
        return trained(prepared, chunk, session, reporter)
    found = []
    for start in range(0, len(chunk.runs), size):
        name = f"{chunk.id}{PIECE}{size}-{start // size}"
        piece = Chunk(name, job, chunk.runs[start : start + size])
        found.append(trained(prepared, piece, session, reporter, is_piece=True))
    return {name: pa.concat_tables([each[name] for each in found]) for name in found[0]}


def _check(prepared: Prepared, chunk: Chunk) -> None:
    """Refuse pieces where the state of a whole chunk matters."""
    if prepared.sweep.engine.keep_state or chunk.id in prepared.manifest.goes_on:
        raise Refusal(
            f"{prepared.folder.path}: chunk {chunk.id} does not fit this device's memory, and its"
            " state is kept as a whole; allowed: a device with more, or a new folder with a"
            " smaller engine.chunk"
        )
