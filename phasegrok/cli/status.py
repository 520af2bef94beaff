"""What ``phasegrok status`` says: how far a sweep is, who works on it, and the diagram so far."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import typer

from phasegrok.cli.diagram import folder_diagram
from phasegrok.cli.streams import wants_drawing
from phasegrok.cli.text import duration
from phasegrok.distribute.standing import Standing, Worker, standing
from phasegrok.errors import Damaged, counted, escaped
from phasegrok.results.folder import Folder

__all__ = ["show_status", "status_text", "watch_status"]

# Of more parts, all of which would have to be read, the diagram is drawn when it is asked for.
MOST_PARTS: Final = 1000
CLEAR: Final = "\x1b[H\x1b[2J"


def show_status(folder: Folder, diagram: bool | None = None) -> Standing:
    """Print how far a sweep is.

    Args:
        folder: of results.
        diagram: whether the diagram of what is there is drawn; None where that costs little.

    Raises:
        Refusal: the folder holds no results.
    """
    found = standing(folder)
    # Everything is read before the first line: what is damaged is refused, and not half told.
    drawn = _drawn(folder, found, diagram)
    for line in _lines(found):
        typer.echo(line)
    if drawn:
        typer.echo(drawn)
    return found


def watch_status(folder: Folder, every: float, diagram: bool | None = None) -> None:
    """Print it again and again, until the sweep is done."""
    while True:
        if wants_drawing():
            typer.echo(CLEAR, nl=False)
        found = show_status(folder, diagram)
        sys.stdout.flush()
        if found.done >= found.asked and not any(each.lives for each in found.workers):
            return
        time.sleep(every)


def status_text(folder: Folder) -> str:
    """How far a sweep has come, in a few lines.

    Raises:
        Refusal: the folder holds no results.
    """
    return "\n".join(_lines(standing(folder)))


def _drawn(folder: Folder, found: Standing, diagram: bool | None) -> str:
    """The diagram, or how to get it."""
    if not found.parts or diagram is False:
        return ""
    if diagram or found.parts <= MOST_PARTS:
        return folder_diagram(folder, folder.label())
    with suppress(Damaged, OSError):
        newest = (folder.path / "runs").stat().st_mtime
        if folder.cells_path.stat().st_mtime >= newest:
            return folder_diagram(folder, folder.read_file(folder.cells_path.name))
    return f"the diagram so far: phasegrok status --diagram {folder.path}"


def _lines(found: Standing) -> Iterator[str]:
    head, sessions = found.head, found.sessions
    spent = duration(sum(session.seconds for session in sessions))
    refined = head.sweep.get("refine")
    most = f" of at most {head.runs} (refined)" if refined else f"/{head.runs}"
    # A manifest from elsewhere may hold what a terminal takes for commands.
    yield escaped(
        f"{head.name}: {found.done}{most} runs are done"
        f" ({spent} in {counted(len(sessions), 'session')}, on {head.device})"
    )
    if found.diverged:
        yield f"{counted(found.diverged, 'run')} diverged"
    living = [each for each in found.workers if each.lives]
    if living:
        left = "" if found.left is None else f", ETA {duration(found.left)}"
        rate = f"{found.rate * 60:.1f} runs/min" if found.rate else "no rate yet"
        number = "1 process" if len(living) == 1 else f"{len(living)} processes"
        yield f"{number}: {rate}{left}"
    elif found.done < found.asked:
        yield "nobody works on it; the sweep's own command goes on"
    for each in found.workers:
        yield escaped(_about(each))
    for chunk, died in list(found.failed.items())[:5]:
        yield escaped(f"failed: chunk {chunk}, at which {len(died)} processes died")
    if len(found.failed) > 5:
        yield f"failed: and {len(found.failed) - 5} more chunks"
    if found.mixed:
        yield f"{counted(len(found.mixed), 'chunk')} trained on another kind of device"
    size = "more than can be counted here" if found.size is None else _bytes(found.size)
    yield f"disk: {size}, {_bytes(found.free)} free"


def _about(worker: Worker) -> str:
    chunk = f"chunk {worker.chunk}" if worker.chunk else "no chunk"
    if not worker.lives:
        return f"  stale: {worker.name}, {chunk}; not heard of for {duration(worker.silent)}"
    rate = f", {worker.rate * 60:.1f} runs/min" if worker.rate else ""
    return f"  {worker.name}: {chunk}{rate}"


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if size >= 10 or unit == "B" else f"{size:.1f} {unit}"
