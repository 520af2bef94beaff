"""Merge the parts of a folder's tables into few, without a moment in which a table is not whole.

New folders of all tables are built beside the old ones, with one part for many. Once all of them
are on disk, each takes the place of the old one by one exchange of names; where a file system has
none, by two renames. Whatever cuts that short, :func:`settle` goes on from there: nothing but
renames is left to do by then.

A merged part is named after its first and its last one, ``000-00000--000-00999``. So the rows of a
table stay in order, also once chunks that are missing today are published.
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from phasegrok.errors import no_runs
from phasegrok.files.atomic import sync_folder, write_whole
from phasegrok.files.claim import linked, read_claim
from phasegrok.results.folder import CHUNK, JOINED, Folder
from phasegrok.results.parts import merge_parts

__all__ = ["COMPACT", "Compacted", "compact", "is_cut_short", "remove_leftovers", "settle"]

COMPACT: Final = ".compact"
READY: Final = "ready.json"
LARGEST: Final = 256 << 20  # bytes of a merged part, before it is merged
EXCHANGE: Final = 2  # RENAME_EXCHANGE of renameat2
HERE: Final = -100  # AT_FDCWD


@dataclass(frozen=True)
class Compacted:
    """What a compaction did."""

    before: int  # files of all tables
    after: int


def compact(folder: Folder, largest: int = LARGEST) -> Compacted:
    """Merge the parts of all tables. Whoever calls holds the folder.

    Args:
        folder: of results; it may be unfinished.
        largest: bytes of the parts of one table that become one, at most.

    Raises:
        Damaged: a part does not hold what was written. Nothing is changed then.
        Refusal: the folder holds no tables.
    """
    settle(folder)
    remove_leftovers(folder)
    tables = sorted({path.parent.name for path in folder.path.glob("[!.]*/[!.]*.parquet")})
    if "runs" not in tables:
        raise no_runs(folder.path)
    before = {table: [path.stem for path in folder.parts(table)] for table in tables}
    groups = list(_groups(folder, before, largest))
    count = sum(map(len, before.values()))
    if all(len(group) == 1 for group in groups):
        return Compacted(count, count)
    home = folder.path / COMPACT
    mark = f".{secrets.token_hex(8)}.mark"
    for table in tables:
        _build(folder, table, before[table], groups, home / "new" / table)
        write_whole(home / "new" / table / mark, b"")
    write_whole(home / READY, json.dumps({"tables": tables, "mark": mark}).encode())
    settle(folder)
    return Compacted(count, sum(len(folder.parts(table)) for table in tables))


def is_cut_short(folder: Folder) -> bool:
    """Whether a compaction has begun to put its tables in place, and has not ended."""
    return (folder.path / COMPACT / READY).exists()


def settle(folder: Folder) -> None:
    """Go on with a compaction that was cut short while it put its tables in place. Whoever calls
    holds the folder."""
    home = folder.path / COMPACT
    ready = read_claim(home / READY)
    if not ready:
        return
    (home / "old").mkdir(exist_ok=True)
    for table in ready["tables"]:
        _put_in_place(home, folder.path / table, ready["mark"])
    sync_folder(folder.path)
    shutil.rmtree(home / "old", ignore_errors=True)
    for table in ready["tables"]:
        (folder.path / table / ready["mark"]).unlink(missing_ok=True)
    (home / READY).unlink()
    remove_leftovers(folder)


def remove_leftovers(folder: Folder) -> None:
    """Remove what a compaction built that never came to be. Whoever calls holds the folder."""
    if not is_cut_short(folder):
        shutil.rmtree(folder.path / COMPACT, ignore_errors=True)


def _groups(folder: Folder, before: dict[str, list[str]], largest: int) -> Iterator[list[str]]:
    """Names of parts that become one, in order: neighbours that all tables have, with no chunk
    between them that is still missing."""
    everywhere = set.intersection(*map(set, before.values()))
    names = sorted({*_expected(folder, before["runs"]), *before["runs"]})
    there = set(before["runs"])
    group: list[str] = []
    size = 0
    for name in names:
        alone = name not in there or name not in everywhere or not CHUNK.match(name)
        each = 0 if alone else max(_bytes(folder.part_path(table, name)) for table in before)
        if group and (alone or size + each > largest):
            yield group
            group, size = [], 0
        if name in there:
            group.append(name)
            size += each
        if alone and group:
            yield group
            group, size = [], 0
    if group:
        yield group


def _expected(folder: Folder, there: Iterable[str]) -> set[str]:
    """Names of the chunks that the folder will have, apart from those in merged parts."""
    jobs: list[dict[str, Any]] = (folder.manifest() or {}).get("jobs", [])
    names = {name for job in jobs for name in job.get("chunks", {})}
    ranges = [name.split(JOINED) for name in there if JOINED in name]
    for first, last in ranges:
        names -= {name for name in names if first <= name <= last}
    return names


def _bytes(path: Path) -> int:
    return path.stat().st_size


def _build(
    folder: Folder, table: str, names: Sequence[str], groups: Sequence[list[str]], home: Path
) -> None:
    """A table's new folder: merged parts, and the others as they are."""
    home.mkdir(parents=True)
    there, merged = set(names), set[str]()
    for group in groups:
        if len(group) > 1 and there.issuperset(group):
            first, last = group[0].split(JOINED)[0], group[-1].split(JOINED)[-1]
            paths = [folder.part_path(table, name) for name in group]
            merge_parts(paths, home / f"{first}{JOINED}{last}.parquet")
            merged.update(group)
    done = {path.stem for path in folder.parts("runs")}
    for name in names:
        # A chunk's part whose runs are not published is none: it will be made again.
        if name not in merged and (name in done or not CHUNK.match(name)):
            linked(folder.part_path(table, name), home / f"{name}.parquet")
    sync_folder(home)


def _put_in_place(home: Path, place: Path, mark: str) -> None:
    """Let a table's new folder take the place of the old one, which goes to ``old``."""
    new, old = home / "new" / place.name, home / "old" / place.name
    if not new.exists():
        return
    if (place / mark).exists():  # the names were exchanged before, so this is the old one
        new.rename(old)
        return
    if place.exists():
        if _exchanged(new, place):
            new.rename(old)
            return
        place.rename(old)
    new.rename(place)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names at once, where the system and the file system can."""
    with suppress(OSError, AttributeError):
        rename = ctypes.CDLL(None, use_errno=True).renameat2
        return bool(rename(HERE, os.fsencode(one), HERE, os.fsencode(other), EXCHANGE) == 0)
    return False
