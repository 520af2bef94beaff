"""Train what is missing of a sweep, chunk by chunk, into its folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final
from weakref import WeakSet

from phasegrok.config.identity import identity
from phasegrok.errors import Damaged, Refusal
from phasegrok.files.lock import CLAIM
from phasegrok.files.members import remove_all
from phasegrok.results.compact import remove_leftovers
from phasegrok.results.folder import BOUNDARIES, Folder
from phasegrok.running.account import keeping
from phasegrok.running.adopt import take, with_columns
from phasegrok.running.ahead import Ahead, begins_early
from phasegrok.running.chunk import Reporter, train_chunk, whole_engine
from phasegrok.running.finished import note_finished
from phasegrok.running.follow import Chunk
from phasegrok.running.halve import halved, is_out_of_memory
from phasegrok.running.keeping import kept
from phasegrok.running.manifest import Manifest, read_manifest
from phasegrok.running.prepared import Prepared, expected
from phasegrok.running.rates import Rates, mark, work_of
from phasegrok.running.recover import SWEEP_FILE, copy_of_sweep
from phasegrok.running.refine import next_round
from phasegrok.running.session import Interrupted, Session, interruptible, whoami
from phasegrok.running.verify import verify
from phasegrok.sweep.load import dump
from phasegrok.train.engine import Engine

# Whose compiling was timed; a later sweep of this process has them too.
_COUNTED: Final[WeakSet[Engine]] = WeakSet()
# Of more cells the lines between phases are found when they are asked for.
MOST_CELLS = 10_000


# What has chunks trained; it may give the sweep in smaller chunks.
Deliver = Callable[[Prepared, list[Chunk], Session, Reporter], Prepared | None]


def run(
    prepared: Prepared,
    reporter: Reporter,
    fresh: bool = False,
    deliver: Deliver | None = None,
) -> bool:
    """Train what is missing, publish it, and label the cells.

    Args:
        prepared: the sweep.
        reporter: told how it goes.
        fresh: whether what is there is moved aside.
        deliver: has chunks trained and published; by default this process does, one by one.

    Returns:
        Whether any table is another one than before.

    Raises:
        Interrupted: a signal asked for it; the sweep can be resumed.
        Locked: another process works on the folder.
        Refusal: another process worked on it since it was prepared; or chunks were skipped.
    """
    session = Session()
    store, _ = kept(prepared.sweep.engine)
    session.rates = Rates(prepared.machine)
    with interruptible(session.signals):
        try:
            return _run(prepared, session, reporter, fresh, deliver or _train_chunks)
        finally:
            if store and session.rates.seen:
                session.rates.keep(store)


def begin(prepared: Prepared, reporter: Reporter, alone: bool = True) -> Prepared:
    """Bring a folder that this process holds into the state from which chunks are trained.

    Args:
        prepared: what is to be trained.
        reporter: told what is set aside.
        alone: whether nobody else works on the folder. What is half written there may be
            somebody's, and what was damaged may be mended by now.

    Returns:
        The sweep with the columns that its tables have.
    """
    folder = prepared.folder
    if alone:
        folder.clean(unfinished={chunk.id for chunk in prepared.missing()})
        remove_leftovers(folder)
        _closeup(folder, reporter)
        if prepared.found:
            prepared.found.set_aside(folder)
        if prepared.rebuilt and folder.manifest_path.exists():
            folder.set_file_aside(folder.manifest_path)
    # Parts are adapted before the new manifest, so that whichever is there can read them.
    prepared = with_columns(prepared)
    if prepared.begun != prepared.manifest:
        folder.write_manifest(prepared.manifest.to_json())
    if not _is_of(prepared):  # also where a crash came between the two
        folder.write_text(SWEEP_FILE, dump(prepared.sweep))
    return prepared


def finish(prepared: Prepared, session: Session, trained: bool) -> bool:
    """Label what was trained, and say whether any table is another one than before."""
    folder = prepared.folder
    changed = folder.write_labels() or trained
    _boundaries(folder, session, changed)
    session.heed()
    return changed


def _run(
    prepared: Prepared, session: Session, reporter: Reporter, fresh: bool, deliver: Deliver
) -> bool:
    folder = prepared.folder
    if fresh and folder.path.exists():
        with folder.lock(whoami()):
            aside = folder.set_aside()
            (aside / CLAIM).unlink(missing_ok=True)  # it went along
        reporter.note(f"moved the old results to {aside}")
    folder.path.mkdir(parents=True, exist_ok=True)
    with folder.lock(whoami()):
        if present_manifest(folder) != prepared.begun:
            raise Refusal(f"{folder.path}: another process worked here just now; run this again")
        remove_all(folder.path)
        prepared = begin(prepared, reporter)
        with keeping(folder, session):
            try:
                trained = _train(prepared, session, reporter, deliver)
            except Interrupted:
                if not prepared.unpublished():  # nobody may start the sweep again for its cells
                    folder.cells()
                raise
            if session.chunks:
                check_whole(trained, session.failed)
            changed = finish(prepared, session, bool(session.chunks))
            if session.failed:
                raise Refusal(about_skipped(trained, session.failed))
            note_finished(folder, prepared.sweep, expected(trained))
            return changed


def _boundaries(folder: Folder, session: Session, changed: bool) -> None:
    """Write the lines between phases, where they are not those of the cells."""
    if session.signals or not (changed or not _is_whole(folder, BOUNDARIES)):
        return
    if len(folder.read_file(folder.cells_path.name)) <= MOST_CELLS:
        folder.write_table(BOUNDARIES, folder.boundaries())


def _is_whole(folder: Folder, name: str) -> bool:
    try:
        folder.read_file(name)
    except (Damaged, FileNotFoundError):
        return False
    return True


def about_skipped(prepared: Prepared, why: Mapping[str, str]) -> str:
    """The line about chunks that were given up."""
    runs = sum(len(chunk.runs) for chunk in prepared.chunks if chunk.id in why)
    names = "; ".join(f"{chunk}: {reason}" for chunk, reason in list(why.items())[:3])
    more = f"; and {len(why) - 3} more" if len(why) > 3 else ""
    return (
        f"{prepared.folder.path}: {runs} runs are not trained, of chunks that were skipped"
        f" ({names}{more}); everything else is done; allowed: the sweep's own command, in one"
        " process, which tries them once more"
    )


def check_whole(prepared: Prepared, skipped: Collection[str] = ()) -> None:
    """After the last chunk: every table has its part of each, and each run is there once.

    Args:
        prepared: the sweep.
        skipped: chunks that are not trained.

    Raises:
        Refusal: somebody changed the folder meanwhile, or the disk does not keep what it is given.
    """
    found = verify(prepared.folder, expected(prepared))
    missing = set(prepared.manifest.held()) - {r for runs in found.parts.values() for r in runs}
    ids = prepared.plan.table.frame["run"].to_numpy()
    for chunk in prepared.chunks:
        if chunk.id in skipped:
            missing -= set(ids[chunk.runs])
    if found.damage or missing:
        first = next((f"{each.path}: {each.reason}" for each in found.damage), "a part is gone")
        raise Refusal(
            f"{first}: that was written by this very process, so something else changes this"
            " folder, or the disk does not keep what it is given; allowed: the same command again,"
            f" which trains the {len(missing)} runs that are lost"
        )


def _closeup(folder: Folder, reporter: Reporter) -> None:
    """Set aside what is no choice of cells: it would keep pictures from being drawn at the end."""
    try:
        folder.closeup()
    except Damaged as damage:
        aside = folder.set_file_aside(damage.path)
        reporter.note(f"note: {damage.path}: {damage.reason}; it is set aside as {aside}")


def present_manifest(folder: Folder) -> Manifest | None:
    """The manifest that is there now, if it can be read."""
    try:
        return read_manifest(folder)
    except Damaged:
        return None


def _is_of(prepared: Prepared) -> bool:
    """Whether the folder's copy of the sweep is that of its manifest."""
    copy, ours = copy_of_sweep(prepared.folder), prepared.manifest.sweep
    if copy is None or identity(copy) != identity(ours):
        return False
    return bool(copy.get("refine") == ours.get("refine"))


def _train(prepared: Prepared, session: Session, reporter: Reporter, deliver: Deliver) -> Prepared:
    """Train all chunks that are missing, round by round.

    Returns:
        The sweep with all rounds of its refinement.
    """
    manifest = prepared.manifest
    published = prepared.found.parts if prepared.found else {}
    for name, taken in manifest.taken.items():
        if name not in published:
            take(prepared, name, taken)
        reporter.skip(0.0, len(taken.runs))
    work, missing = work_of(), prepared.missing()
    ids = {chunk.id for chunk in missing}
    reporter.skip(0.0, sum(len(runs) for runs in manifest.kept.values()))
    for chunk in prepared.chunks:
        if chunk.id not in ids:
            reporter.skip(work(chunk), len(chunk.runs))
    prepared = deliver(prepared, missing, session, reporter) or prepared
    # A round is planned: that may compile, and writes nothing.
    while not session.failed:  # a round follows from all cells of those before it
        if (grown := session.compiled(next_round, prepared)) is None:
            break
        prepared = grown
        prepared.folder.write_manifest(prepared.manifest.to_json())
        missing = prepared.unpublished()
        reporter.more(sum(map(work, missing)), sum(len(chunk.runs) for chunk in missing))
        prepared = deliver(prepared, missing, session, reporter) or prepared
    return prepared


def _train_chunks(
    prepared: Prepared,
    chunks: list[Chunk],
    session: Session,
    reporter: Reporter,
) -> Prepared:
    """Train chunks one after the other; the next program is compiled meanwhile.

    Returns:
        The sweep, with smaller chunks where some did not fit the device's memory.
    """
    left, programs = list(chunks), _programs(prepared, chunks)
    while left:
        chunk = left[0]
        if not programs.ready(chunk.job):
            reporter.compiling(programs.number(chunk.job), len(programs))
        if _fits(prepared, chunk, session, reporter, programs):
            _learn(prepared, session, programs, chunk)
            del left[0]
            continue
        prepared, left = _smaller(prepared, left, reporter)
        programs = _programs(prepared, left)
    return prepared


def _programs(prepared: Prepared, chunks: list[Chunk]) -> Ahead:
    ahead = int(begins_early(prepared.machine))
    return Ahead([chunk.job for chunk in chunks], whole_engine, ahead)


def _fits(
    prepared: Prepared, chunk: Chunk, session: Session, reporter: Reporter, programs: Ahead
) -> bool:
    """Train one chunk; False where it does not fit the device's memory."""
    try:
        train_chunk(prepared, chunk, session, reporter, programs.engine)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return False  # only then the error, and with it what it keeps alive, is gone
    return True


def _smaller(
    prepared: Prepared, left: list[Chunk], reporter: Reporter
) -> tuple[Prepared, list[Chunk]]:
    """The sweep with the first chunk's job cut in two, and what is left to train of it."""
    before, names = left[0].job.layout.chunk, {chunk.id for chunk in prepared.chunks}
    prepared = halved(prepared, left[0])
    prepared.folder.write_manifest(prepared.manifest.to_json())
    smaller = [chunk for chunk in prepared.chunks if chunk.id not in names]
    now = {chunk.id: chunk for chunk in prepared.chunks}
    size = smaller[0].job.layout.chunk
    reporter.note(f"note: {before} runs do not fit the device's memory: goes on with {size}")
    return prepared, smaller + [now[chunk.id] for chunk in left if chunk.id in now]


def _learn(prepared: Prepared, session: Session, programs: Ahead, chunk: Chunk) -> None:
    """For later estimates: how long a program took to compile, and that it is kept."""
    engine, job = programs.engine(chunk.job), chunk.job
    if session.rates and not engine.loaded and engine not in _COUNTED:
        _COUNTED.add(engine)
        session.rates.saw(job, compile_seconds=programs.seconds(job))
    store, _ = kept(prepared.sweep.engine)
    if store and not store.has(mark(job)):
        store.put(mark(job), b"")
