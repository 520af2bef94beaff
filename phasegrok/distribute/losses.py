"""Chunks at which processes die: noted on disk, and skipped once they have ended several.

A process that is killed leaves its claim, and whoever takes the chunk over notes that. Clusters
kill processes for reasons of their own; so deaths count as long as the chunk came no further
between them. What came further has a newer checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from phasegrok.files.atomic import write_whole
from phasegrok.files.claim import read_claim, who
from phasegrok.files.members import WORKERS
from phasegrok.results.folder import Folder

__all__ = ["MOST_DEATHS", "deaths", "failed", "note_death"]

LOST: Final = "lost"
MOST_DEATHS: Final = 3  # at one place of a chunk; then it is skipped


def note_death(folder: Folder, chunk: str, claim: Mapping[str, Any]) -> int:
    """Note that the process of a claim died while it trained a chunk; once, however often told.

    Returns:
        How many did at this very place of it.
    """
    path = _path(folder, chunk)
    path.parent.mkdir(parents=True, exist_ok=True)
    reached = _reached(folder, chunk)
    before = read_claim(path)
    known = before.get("died", {}) if before.get("reached") == reached else {}
    died = {**known, str(claim.get("token")): who(dict(claim))}
    write_whole(path, json.dumps({"reached": reached, "died": died}).encode())
    return len(died)


def deaths(folder: Folder, chunk: str) -> list[str]:
    """Which processes died at a chunk, at the place that it has reached by now."""
    found = read_claim(_path(folder, chunk))
    died = found.get("died", {}).values()
    return [str(each) for each in died] if found.get("reached") == _reached(folder, chunk) else []


def failed(folder: Folder) -> dict[str, list[str]]:
    """The chunks that are skipped, and the processes that died at each."""
    paths = sorted((folder.path / WORKERS / LOST).glob("[!.]*.json"))
    found = {path.stem: deaths(folder, path.stem) for path in paths}
    return {chunk: died for chunk, died in found.items() if len(died) >= MOST_DEATHS}


def _path(folder: Folder, chunk: str) -> Path:
    return folder.path / WORKERS / LOST / f"{chunk}.json"


def _reached(folder: Folder, chunk: str) -> float | None:
    """When the chunk's newest checkpoint was written; None where it has none."""
    with suppress(OSError):
        return max((path.stat().st_mtime for path in folder.checkpoints(chunk)), default=None)
    return None
