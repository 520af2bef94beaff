"""Several processes on one folder, without any service: ``--shard I/N``.

Each process trains its own share of the chunks, then what others have not begun, then what they
left behind; and waits for the rest of a level of refinement before it goes on to the next. All
that they know of each other is on disk (:mod:`phasegrok.files.members`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Any, Final

from phasegrok.distribute.kinds import check_kind, is_other_kind
from phasegrok.distribute.losses import MOST_DEATHS, deaths, failed, note_death
from phasegrok.distribute.pieces import train_fitting
from phasegrok.distribute.split import Shard, in_order
from phasegrok.errors import Displaced, Refusal
from phasegrok.files.atomic import write_whole
from phasegrok.files.claim import is_living, read_claim
from phasegrok.files.members import WORKERS, Member, Piece, join, living, remove_ended
from phasegrok.results.folder import Folder
from phasegrok.running.account import keeping
from phasegrok.running.adopt import take
from phasegrok.running.chunk import Reporter
from phasegrok.running.finished import note_finished
from phasegrok.running.follow import Chunk
from phasegrok.running.loop import about_skipped, begin, finish, present_manifest
from phasegrok.running.manifest import Manifest
from phasegrok.running.prepared import Prepared, expected
from phasegrok.running.rates import work_of
from phasegrok.running.refine import next_round
from phasegrok.running.session import Session, interruptible, whoami
from phasegrok.running.verify import verify

__all__ = ["Shared", "run_shard"]

LOOK_EVERY: Final = 10.0  # seconds between two looks at what others have published
WAIT: Final = 1.0  # seconds between two tries, where others have all that is left
MEND: Final = 3  # times that files which do not hold what was written are trained again
FINISHED: Final = "finished"


@dataclass
class Shared:
    """A process's work on a folder that it shares.

    Attributes:
        prepared: the sweep, with all rounds of its refinement so far.
        published: names of the parts of ``runs`` that this process knows of.
        lost: chunks that are skipped, since processes died at them.
    """

    prepared: Prepared
    shard: Shard
    session: Session
    reporter: Reporter
    member: Member
    published: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    compiled: set[int] = field(default_factory=set)
    looked: float = 0.0
    work: Callable[[Chunk], float] = field(default_factory=work_of)

    @property
    def folder(self) -> Folder:
        return self.prepared.folder

    def wait(self) -> None:
        """Give others time."""
        until = time.monotonic() + WAIT
        while time.monotonic() < until:
            self.session.heed()
            time.sleep(0.05)

    def unpublished(self) -> list[Chunk]:
        """What the folder lacks now; whatever the names of its parts."""
        left = self.prepared.unpublished()
        self.published = {chunk.id for chunk in self.prepared.chunks} - {c.id for c in left}
        return left

    def look(self) -> None:
        """Find out what others have published meanwhile."""
        names = {path.stem for path in self.folder.parts("runs")} - self.published
        self.skip([chunk for chunk in self.prepared.chunks if chunk.id in names])
        self.published |= names
        self.looked = time.monotonic()

    def skip(self, chunks: Iterable[Chunk]) -> None:
        """Tell of what need not be done here."""
        chunks = list(chunks)
        if chunks:
            runs = sum(len(chunk.runs) for chunk in chunks)
            self.reporter.skip(sum(map(self.work, chunks)), runs)


def run_shard(
    prepared: Prepared,
    shard: Shard,
    reporter: Reporter,
    again: Callable[[], Prepared],
    mixed: bool = False,
) -> bool:
    """Train a share of a sweep, and what others do not; label it when all is done.

    Args:
        prepared: the sweep.
        shard: which share.
        reporter: told of what this process trains, and of what others have.
        again: prepares the sweep anew, where another process was faster in the same folder.
        mixed: whether this process may compute on another kind of device than the folder's.

    Returns:
        Whether this process wrote the labels. Of all that finish one does.

    Raises:
        Interrupted: a signal asked for it; what was trained is saved.
        Locked: a process has the folder for itself.
        Refusal: chunks were skipped at which processes died, or the device is of another kind.
    """
    session = Session(share=str(shard))
    folder = prepared.folder

    with interruptible(session.signals), ExitStack() as stack:
        folder.path.mkdir(parents=True, exist_ok=True)
        while True:
            with folder.lock_briefly(whoami(), session.heed):
                now = _as_begun(prepared)
                if now is not None:
                    check_kind(now.manifest, f"{folder.path}: --shard {shard}", mixed)
                    now = _begin(now, reporter)
                    member = stack.enter_context(join(folder.path, f"shard {shard}, {whoami()}"))
                    break
            prepared = session.compiled(again)
        stack.enter_context(keeping(folder, session))
        shared = Shared(now, shard, session, reporter, member)
        return _run(shared)


def _as_begun(prepared: Prepared) -> Prepared | None:
    """The sweep, if its folder is as it was when it was prepared, or was begun in the same way by
    another process; None where it has to be prepared anew."""
    there = present_manifest(prepared.folder)
    if there == prepared.begun:
        return prepared
    if prepared.begun is None and there is not None and _same_plan(there, prepared.manifest):
        return replace(prepared, manifest=there, begun=there)
    return None


def _same_plan(one: Manifest, other: Manifest) -> bool:
    parts = ("axes", "runs", "sweep", "data", "jobs", "kept", "taken")
    return all(getattr(one, name) == getattr(other, name) for name in parts)


def _begin(prepared: Prepared, reporter: Reporter) -> Prepared:
    """Bring the folder into the state from which chunks are trained."""
    path = prepared.folder.path
    others = living(path)
    if others and (prepared.extends or prepared.rebuilt):
        raise Refusal(
            f"{path}: {len(others)} other processes work on this folder, which is to get other runs"
            " or another manifest; allowed: the same once they have ended"
        )
    begun = begin(prepared, reporter, alone=not others)
    if not others:
        remove_ended(path)
    return begun


def _run(shared: Shared) -> bool:
    """Level by level, until every chunk is published or skipped."""
    mended, changed = 0, False
    shared.unpublished()
    shared.skip(chunk for chunk in shared.prepared.chunks if chunk.id in shared.published)
    shared.reporter.skip(0.0, sum(map(len, shared.prepared.manifest.kept.values())))
    _take(shared)
    while True:
        _level(shared)
        with shared.folder.lock_briefly(whoami(), shared.session.heed):
            grown = _next(shared)
            if grown is None:
                if _is_finished(shared.folder):
                    break
                if mended < MEND and (lost := _damaged(shared)):
                    mended += 1
                    shared.reporter.note(
                        f"note: {lost} files are damaged; what they held is lost, and trained again"
                    )
                    shared.unpublished()
                    continue
                changed = finish(shared.prepared, shared.session, bool(shared.session.chunks))
                _write_finished(shared.folder)
                if not shared.lost:
                    now = shared.prepared
                    note_finished(shared.folder, now.sweep, expected(now))
                break
        _asked_for(shared, grown)
    if shared.lost:
        died = failed(shared.folder)
        why = {chunk: f"died: {', '.join(died.get(chunk, []))}" for chunk in sorted(shared.lost)}
        raise Refusal(about_skipped(shared.prepared, why))
    return changed


def _asked_for(shared: Shared, grown: Prepared) -> None:
    """Go on with a round of refinement."""
    known = {chunk.id for chunk in shared.prepared.chunks}
    shared.prepared = grown
    new = [chunk for chunk in grown.chunks if chunk.id not in known]
    shared.reporter.more(sum(map(shared.work, new)), sum(len(chunk.runs) for chunk in new))
    shared.look()


def _next(shared: Shared) -> Prepared | None:
    """The sweep with one more round of its refinement, planned here or by another process."""
    prepared = shared.prepared
    there = present_manifest(shared.folder)
    if there is not None and there.jobs != prepared.manifest.jobs:
        return prepared.following(there)
    if shared.lost:
        return None  # a round follows from all cells of those before it
    grown = shared.session.compiled(next_round, prepared)
    if grown is not None:
        shared.folder.write_manifest(grown.manifest.to_json())
    return grown


def _take(shared: Shared) -> None:
    """Publish what is taken from other folders."""
    prepared = shared.prepared
    for name, taken in prepared.manifest.taken.items():
        piece = None if name in shared.published else shared.member.claim(name)
        if piece is not None:
            with shared.folder.writing_for(piece):
                take(prepared, name, taken)
            piece.release()
            shared.published.add(name)
            shared.reporter.skip(0.0, len(taken.runs))


def _level(shared: Shared) -> None:
    """Train chunks until all that are planned are published or skipped, here or elsewhere."""
    while True:
        chunks = in_order(shared.prepared.chunks, shared.shard, shared.work, shared.compiled)
        gone = shared.published | shared.lost
        left = [chunk for chunk in chunks if chunk.id not in gone]
        if not left:
            return
        trained = _some_of(shared, left)
        shared.look()
        if not trained:
            shared.wait()


def _some_of(shared: Shared, chunks: Iterable[Chunk]) -> bool:
    """Train what can be had of some chunks, until it is time to look again. Whether any was."""
    trained = False
    for chunk in chunks:
        shared.session.heed()
        if time.monotonic() - shared.looked > LOOK_EVERY:
            return True
        piece = shared.member.claim(chunk.id, lost=partial(_note_lost, shared.folder, chunk.id))
        if piece is None:
            continue
        try:
            trained |= _one(shared, chunk, piece)
        finally:
            piece.release()
    return trained


def _note_lost(folder: Folder, chunk: str, claim: Mapping[str, Any]) -> None:
    """Note whose claim on a chunk is taken over, unless it lives and was only silent."""
    if not is_living(dict(claim)):
        note_death(folder, chunk, claim)


def _one(shared: Shared, chunk: Chunk, piece: Piece) -> bool:
    """Train a chunk that this process has claimed. Whether it did."""
    folder = shared.folder
    if folder.part_path("runs", chunk.id).exists():
        return False
    if len(deaths(folder, chunk.id)) >= MOST_DEATHS:
        shared.lost.add(chunk.id)
        shared.reporter.note(
            f"note: chunk {chunk.id} is skipped: {MOST_DEATHS} processes died at it"
        )
        return False
    try:
        with folder.writing_for(piece):
            train_fitting(shared.prepared, chunk, shared.session, shared.reporter)
    except Displaced as displaced:
        shared.reporter.note(f"note: chunk {displaced}")
        return False
    shared.published.add(chunk.id)
    shared.compiled.add(id(chunk.job))
    if is_other_kind(shared.prepared.manifest):
        shared.session.mixed.append(chunk.id)
    return True


def _damaged(shared: Shared) -> int:
    """Set aside what does not hold what was written; how many files that are."""
    found = verify(shared.folder, expected(shared.prepared))
    if found.damage:
        found.set_aside(shared.folder)
    held = {run for runs in found.parts.values() for run in runs}
    ids = shared.prepared.plan.table.frame["run"].to_numpy()
    chunks = (chunk for chunk in shared.prepared.chunks if chunk.id in shared.published)
    return len(found.damage) or sum(ids[chunk.runs[0]] not in held for chunk in chunks)


def _state(folder: Folder) -> dict[str, str]:
    """Tells these parts from others."""
    names = "\n".join(sorted(path.stem for path in folder.parts("runs")))
    return {"parts": sha256(names.encode()).hexdigest()}


def _is_finished(folder: Folder) -> bool:
    """Whether another process has labelled these very parts."""
    return read_claim(folder.path / WORKERS / FINISHED) == _state(folder)


def _write_finished(folder: Folder) -> None:
    remove_ended(folder.path)
    write_whole(folder.path / WORKERS / FINISHED, json.dumps(_state(folder)).encode())
