"""What of a result folder is whole, file by file; nothing is written.

A chunk is done when every table has its part, every network that it saves is there, and each of
these files holds what was written. Whatever is missing or damaged of a chunk, the whole chunk is
trained again: its numbers come out the same, and no file of it has to be trusted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from phasegrok.errors import Damaged
from phasegrok.files.seal import read_object
from phasegrok.results.folder import CHUNK, JOINED, Folder
from phasegrok.results.parts import odd_parts, read_schema, run_ids

WEIGHTS = "weights"

Parts = Mapping[str, tuple[str, ...]]  # ids of runs, by part


@dataclass(frozen=True)
class Expected:
    """What a folder should hold.

    Attributes:
        parts: the runs of every part, done or not.
        tables: names of all tables.
        networks: steps at which a run's network is saved, by part; no entry where it is not known.
        lacking: parts that a table does not have, by table, and that are done all the same.
        columns: type of every column, by table, where the manifest says it.
    """

    parts: Parts
    tables: Sequence[str]
    networks: Mapping[str, Sequence[int]]
    lacking: Mapping[str, Sequence[str]] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def runs(self) -> set[str]:
        return {run for runs in self.parts.values() for run in runs}


@dataclass
class Found:
    """What a folder does hold.

    Attributes:
        parts: the parts of ``runs`` that are done, whole, and their runs.
        damage: files that are damaged or missing.
        undone: chunks of which one is, or whose runs are elsewhere; all of their parts go.
        lacking: as in :class:`Expected`, with the tables that were removed since.
        odd: parts with other columns than their table has, and why.
        files, size: how many files were verified, and their bytes.
    """

    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    damage: list[Damaged] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    lacking: dict[str, tuple[str, ...]] = field(default_factory=dict)
    odd: dict[Path, Damaged] = field(default_factory=dict)
    files: int = 0
    size: int = 0

    def set_aside(self, folder: Folder) -> None:
        """Move damaged files out of the way, and what else there is of their chunks: the same rows
        may come back under another name."""
        for name in self.undone:
            # Its part of runs first: from then on the chunk is not done.
            paths = set(folder.path.glob(f"*/{name}.parquet"))
            for path in sorted(paths, key=lambda path: (path.parent.name != "runs", path)):
                folder.set_file_aside(path)
        for each in self.damage:
            if each.path.exists():
                folder.set_file_aside(each.path)

    def notes(self) -> Iterator[str]:
        """What is about to happen, in a few lines."""
        for each in self.damage[:5]:
            there = "it is set aside, and " if each.path.exists() else ""
            yield f"note: {each.path}: {each.reason}; {there}what is lost of it is made again"
        if len(self.damage) > 5:
            yield f"note: and {len(self.damage) - 5} more files"


Look = Callable[[Folder, Expected], Found]


def readable(folder: Folder) -> dict[str, tuple[str, ...]]:
    """The parts of ``runs`` that can be read, and their runs."""
    found = {}
    for path in folder.parts("runs"):
        try:
            found[path.stem] = run_ids(path)
        except Damaged:
            continue
    return found


def listed(folder: Folder, expected: Expected) -> Found:
    """What a folder holds by the names of its files, which are believed: other processes work on
    it, and whoever was first has looked at every file. Parts under other names are read."""
    found = Found(lacking={table: tuple(names) for table, names in expected.lacking.items()})
    for path in folder.parts("runs"):
        runs = expected.parts.get(path.stem)
        found.parts[path.stem] = run_ids(path) if runs is None else tuple(runs)
    return found


def verify(folder: Folder, expected: Expected) -> Found:
    """Read every file of results, and say which chunks are done."""
    found = Found(lacking={table: tuple(names) for table, names in expected.lacking.items()})
    for table, columns in expected.columns.items():
        found.odd |= {each.path: each for each in odd_parts(_schemas(folder, table), columns)}
    _runs(folder, expected, found)
    for table in expected.tables:
        if table != "runs":
            _table(folder, table, expected, found)
    _networks(folder, expected, found)
    return found


def _schemas(folder: Folder, table: str) -> dict[Path, pa.Schema]:
    """The columns of the parts of a table that can be read."""
    found = {}
    for path in folder.parts(table):
        with suppress(Damaged):
            found[path] = read_schema(path)
    return found


def _runs(folder: Folder, expected: Expected, found: Found) -> None:
    """The parts of ``runs``; each run may be in one of them."""
    ours, seen = expected.runs, set[str]()
    # Parts under their own names first: what else holds their runs is a copy.
    paths = sorted(folder.parts("runs"), key=lambda path: path.stem not in expected.parts)
    for path in paths:
        try:
            runs = _read(path, found)
            if path.stem in expected.parts and runs != expected.parts[path.stem]:
                raise Damaged(path, f"holds other runs than those of chunk {path.stem}")
            if odd := set(runs) - ours:
                raise Damaged(path, f"holds a run that this sweep does not have ({min(odd)})")
            if twice := (seen & set(runs)) or len(set(runs)) < len(runs):
                name = min(twice) if isinstance(twice, set) else runs[0]
                raise Damaged(path, f"holds a run for the second time ({name})")
        except Damaged as damage:
            found.damage.append(damage)
            if path.stem in expected.parts or JOINED in path.stem:
                found.undone.append(path.stem)
            continue
        seen |= set(runs)
        found.parts[path.stem] = runs


def _table(folder: Folder, table: str, expected: Expected, found: Found) -> None:
    """The parts of another table. What is missing or damaged takes its chunk with it."""
    home = folder.path / table
    # Parts that were merged by hand have names of their own in every table.
    done = [
        name
        for name in found.parts
        if CHUNK.match(name) and (name in expected.parts or JOINED in name)
    ]
    if not home.is_dir():
        # Nobody loses a whole folder by a fault: it was removed, to have less on disk.
        if done:
            found.lacking[table] = tuple(done)
        return
    left_out = set(found.lacking.get(table, ()))
    for name in done:
        if name not in left_out:
            try:
                _part(home / f"{name}.parquet", table, found.parts[name], found)
            except Damaged as damage:
                _undo(name, damage, found)
    _others(folder, table, expected, found)


def _others(folder: Folder, table: str, expected: Expected, found: Found) -> None:
    """Parts of a table under names that no chunk of this sweep has.

    They may be what is left of merged ``runs``. But the rows of a run that is not done, left by a
    crash between two renames, would come twice once it is trained under another name.
    """
    ours, done = expected.runs, {run for runs in found.parts.values() for run in runs}
    # Of parts with names of chunks every table has one under that name.
    seen = {run for name, runs in found.parts.items() if CHUNK.match(name) for run in runs}
    for path in folder.parts(table):
        if path.stem in expected.parts or (JOINED in path.stem and path.stem in found.parts):
            continue
        try:
            runs = set(_read(path, found))
            if odd := runs - ours:
                raise Damaged(path, f"holds a run that this sweep does not have ({min(odd)})")
            if CHUNK.match(path.stem) and (runs - done or runs & seen):
                raise Damaged(path, "belongs to no chunk of this sweep")
        except Damaged as damage:
            found.damage.append(damage)


def _part(path: Path, table: str, runs: Iterable[str], found: Found) -> None:
    """A chunk's part of a table: its own runs, and of curves each with as many points.

    Other tables may have no row of a run: without corrupted examples there are no logits.
    """
    rows = Counter(_read(path, found))
    if odd := set(rows) - set(runs):
        raise Damaged(path, f"holds a run of another chunk ({min(odd)})")
    # Merged parts may be of several programs, with more or fewer points.
    uneven = len(set(rows.values())) > 1 and JOINED not in path.stem
    if table == "curves" and (set(rows) != set(runs) or uneven):
        raise Damaged(path, "does not hold all points of its runs")


def _networks(folder: Folder, expected: Expected, found: Found) -> None:
    """Saved networks, and the records beside them."""
    home = folder.path / WEIGHTS
    networks = _networks_of(expected, found)
    saving = [name for name in found.parts if networks.get(name)]
    if not home.is_dir():
        if saving:
            found.lacking[WEIGHTS] = tuple(saving)
        return
    left_out = set(found.lacking.get(WEIGHTS, ()))
    for name, runs in list(found.parts.items()):
        saved = {} if name in left_out else networks.get(name, {})
        try:
            for run in runs:
                there, steps = folder.saved_steps(run), saved.get(run, ())
                for step in sorted({*steps, *there}):
                    _network(folder, run, step, found)
                if steps or there:
                    _record(folder.run_record_path(run), run, found)
        except Damaged as damage:
            _undo(name, damage, found)


def _networks_of(expected: Expected, found: Found) -> dict[str, dict[str, Sequence[int]]]:
    """Steps at which networks are saved, by part and run; also of parts that were merged."""
    saves = {name: steps for name, steps in expected.networks.items() if steps}
    known = {
        name: dict.fromkeys(runs, saves[name])
        for name, runs in found.parts.items()
        if name in saves
    }
    merged = [name for name in found.parts if JOINED in name]
    if merged and saves:
        by_run = {run: steps for name, steps in saves.items() for run in expected.parts[name]}
        for name in merged:
            known[name] = {run: by_run[run] for run in found.parts[name] if run in by_run}
    return known


def _network(folder: Folder, run: str, step: int, found: Found) -> None:
    _count(folder.weights_path(run, step), found)
    folder.load_weights(run, step)


def _record(path: Path, run: str, found: Found) -> None:
    _count(path, found)
    if read_object(path).get("run") != run:
        raise Damaged(path, f"is no record of run {run}")


def _undo(name: str, damage: Damaged, found: Found) -> None:
    """A chunk that is not whole is not done."""
    found.damage.append(damage)
    if found.parts.pop(name, None) is not None:
        found.undone.append(name)


def _read(path: Path, found: Found) -> tuple[str, ...]:
    _count(path, found)
    if path in found.odd:
        raise found.odd[path]
    return run_ids(path)


def _count(path: Path, found: Found) -> None:
    """Count a file that is verified."""
    if not path.exists():
        raise Damaged(path, "is missing")
    found.files += 1
    found.size += path.stat().st_size
