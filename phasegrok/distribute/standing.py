"""How far a sweep is, from the files of its folder alone, on any machine. Loads without JAX.

Parts are counted by their names, so it costs little however many there are; nothing is written.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from phasegrok.distribute.losses import failed
from phasegrok.errors import Damaged, no_results
from phasegrok.files.claim import CLAIM, EXPIRY, is_living, modified, read_claim, who
from phasegrok.files.members import members, pieces
from phasegrok.results.folder import Folder
from phasegrok.results.head import Head, SessionHead, checked
from phasegrok.results.sessions import read_sessions

__all__ = ["Standing", "Worker", "standing"]

MOST_FILES: Final = 200_000  # that are looked at to say how much is on disk


@dataclass(frozen=True)
class Worker:
    """A process that works on a folder, or did.

    Attributes:
        name: what it says of itself.
        chunk: that it has; empty if none.
        silent: seconds since it was last heard of.
        lives: whether it was heard of lately, and is not known to have ended.
        rate: runs a second, since it began; None where it does not say.
    """

    name: str
    chunk: str
    silent: float
    lives: bool
    rate: float | None = None


@dataclass
class Standing:
    """How far a sweep is.

    Attributes:
        head: of its manifest.
        sessions: every start of the sweep.
        asked: runs that the folder names by now; a refined sweep may ask for more.
        done: runs that are published.
        parts: of the table of runs.
        diverged: runs whose loss was not finite, as far as sessions counted them.
        workers: living ones first.
        failed: chunks that are skipped, and which processes died at each.
        mixed: chunks that were trained on another kind of device than the folder's.
        size: bytes on disk; None where there are too many files to look at.
        free: bytes that the disk has left.
    """

    head: Head
    sessions: list[SessionHead]
    asked: int = 0
    done: int = 0
    parts: int = 0
    diverged: int = 0
    workers: list[Worker] = field(default_factory=list)
    failed: dict[str, list[str]] = field(default_factory=dict)
    mixed: list[str] = field(default_factory=list)
    size: int | None = None
    free: int = 0

    @property
    def rate(self) -> float:
        """Runs a second, of all processes that work on it."""
        return sum(each.rate or 0.0 for each in self.workers if each.lives)

    @property
    def left(self) -> float | None:
        """Seconds until the runs that are asked for are done; None where nobody trains."""
        return (self.asked - self.done) / self.rate if self.rate else None


def standing(folder: Folder) -> Standing:
    """Look at a folder.

    Raises:
        Damaged: its manifest cannot be read.
        Refusal: it holds no results.
    """
    values = folder.manifest() if folder.path.is_dir() else None
    if values is None:
        raise no_results(folder.path)
    head = checked(Head, values, folder.manifest_path)
    sessions = read_sessions(folder.path, head.sessions)
    found = Standing(head, sessions)
    _count(folder, _sizes(values, folder.manifest_path), found)
    found.diverged = sum(each.diverged for each in sessions)
    found.workers = _workers(folder.path, sessions)
    found.failed = failed(folder)
    found.mixed = [chunk for each in sessions for chunk in each.mixed]
    found.size, found.free = _size(folder.path), shutil.disk_usage(folder.path).free
    return found


def _sizes(values: Mapping[str, Any], path: Path) -> dict[str, int]:
    """How many runs each part has, by its name."""
    try:
        groups = [job["chunks"] for job in values.get("jobs", []) if "chunks" in job]
        sizes = {name: len(ids) for chunks in groups for name, ids in chunks.items()}
        sizes |= {name: len(ids) for name, ids in values.get("kept", {}).items()}
        return sizes | {name: len(each["runs"]) for name, each in values.get("taken", {}).items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise Damaged(path, f"names no runs ({error})") from None


def _count(folder: Folder, sizes: Mapping[str, int], found: Standing) -> None:
    for path in folder.parts("runs"):
        found.parts += 1
        size = sizes.get(path.stem)
        # Merged parts, and those of old folders, have names that the manifest does not know.
        found.done += _rows(path) if size is None else size
    found.asked = max(found.done, sum(sizes.values()) or found.head.runs)


def _rows(path: Path) -> int:
    with suppress(Exception):  # whatever pyarrow says of bytes that are no table
        return int(pq.read_metadata(path).num_rows)
    raise Damaged(path, "is no table")


def _workers(folder: Path, sessions: list[SessionHead]) -> list[Worker]:
    """The processes that have the folder, or share it; of others, those with a chunk."""
    now = time.time()
    has: dict[str, str] = {}
    for chunk, claim in pieces(folder).items():
        has.setdefault(str(claim.get("token")), chunk)
    found = []
    for path, claim in members(folder).items():
        token = str(claim.get("token"))
        if (each := _worker(path, claim, has.pop(token, ""), sessions, now)) is not None:
            found.append(each)
    for token, chunk in has.items():  # whose file was removed
        found += [
            Worker(who(claim), chunk, 0.0, False)
            for claim in pieces(folder).values()
            if claim.get("token") == token
        ][:1]
    holder = read_claim(folder / CLAIM)
    alone = bool(holder) and not holder.get("brief")
    if alone and (each := _worker(folder / CLAIM, holder, "", sessions, now)) is not None:
        found.append(each)
    return sorted(found, key=lambda each: (not each.lives, each.name))


def _worker(
    path: Path, claim: dict[str, Any], chunk: str, sessions: list[SessionHead], now: float
) -> Worker | None:
    try:
        silent = max(0.0, now - modified(path))
    except OSError:
        return None
    lives = is_living(claim) is not False and silent < EXPIRY
    own = [each for each in sessions if each.pid == claim.get("pid") and not each.over]
    own = [each for each in own if f" on {each.host} " in f" {who(claim)} "]
    rate = own[-1].runs / own[-1].seconds if own and own[-1].seconds else None
    return Worker(who(claim), chunk or (own[-1].chunk if own else ""), silent, lives, rate)


def _size(folder: Path) -> int | None:
    """Bytes of all files below a folder."""
    total, left, folders = 0, MOST_FILES, [os.fspath(folder)]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                left -= 1
                if left < 0:
                    return None
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    with suppress(OSError):
                        total += entry.stat(follow_symlinks=False).st_size
    return total
