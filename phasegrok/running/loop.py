"""Train what is missing of a sweep, chunk by chunk, into its folder."""

from __future__ import annotations

from dataclasses import replace

from phasegrok.config.identity import identity
from phasegrok.errors import Damaged, Refusal
from phasegrok.files.lock import CLAIM
from phasegrok.results.folder import BOUNDARIES, Folder
from phasegrok.running.adopt import adapt, take
from phasegrok.running.chunk import Reporter, train_chunk
from phasegrok.running.estimate import job_work
from phasegrok.running.follow import Chunk
from phasegrok.running.halve import halved, is_out_of_memory
from phasegrok.running.manifest import Manifest, read_manifest
from phasegrok.running.prepared import Prepared
from phasegrok.running.recover import SWEEP_FILE, copy_of_sweep, expected
from phasegrok.running.refine import next_round
from phasegrok.running.session import Interrupted, Session, interruptible, whoami
from phasegrok.running.verify import verify
from phasegrok.sweep.load import dump

# Of more cells the lines between phases are found when they are asked for.
MOST_CELLS = 10_000


def run(prepared: Prepared, reporter: Reporter, fresh: bool = False) -> bool:
    """Train what is missing, publish it, and label the cells.

    Returns:
        Whether any table is another one than before.

    Raises:
        Interrupted: a signal asked for it; the sweep can be resumed.
        Locked: another process works on the folder.
        Refusal: another process worked on it since it was prepared.
    """
    session = Session()
    with interruptible(session.signals):
        return _run(prepared, session, reporter, fresh)


def _run(prepared: Prepared, session: Session, reporter: Reporter, fresh: bool) -> bool:
    folder = prepared.folder
    if fresh and folder.path.exists():
        with folder.lock(whoami()):
            aside = folder.set_aside()
            (aside / CLAIM).unlink(missing_ok=True)  # it went along
        reporter.note(f"moved the old results to {aside}")
    folder.path.mkdir(parents=True, exist_ok=True)
    with folder.lock(whoami()):
        if _manifest(folder) != prepared.begun:
            raise Refusal(f"{folder.path}: another process worked here just now; run this again")
        folder.clean(unfinished={chunk.id for chunk in prepared.missing()})
        _closeup(folder, reporter)
        if prepared.found:
            prepared.found.set_aside(folder)
        if prepared.rebuilt and folder.manifest_path.exists():
            folder.set_file_aside(folder.manifest_path)
        if prepared.extends:
            # Before the manifest, so that whichever manifest is there, it can read the parts.
            adapt(folder, prepared.plan, prepared.columns)
        if prepared.begun != prepared.manifest:
            folder.write_manifest(prepared.manifest.to_json())
        if not _is_of(prepared):  # also where a crash came between the two
            folder.write_text(SWEEP_FILE, dump(prepared.sweep))
        try:
            trained = _train(prepared, session, reporter)
        except Interrupted:
            if not prepared.unpublished():  # nobody may start the sweep again to have its cells
                folder.cells()
            raise
        if session.chunks:
            check_whole(trained)
        changed = folder.write_labels() or bool(session.chunks)
        _boundaries(folder, session, changed)
        if session.signals:
            raise Interrupted
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


def check_whole(prepared: Prepared) -> None:
    """After the last chunk: every table has its part of each, and each run is there once.

    Raises:
        Refusal: somebody changed the folder meanwhile, or the disk does not keep what it is given.
    """
    found = verify(prepared.folder, expected(prepared))
    missing = set(prepared.manifest.held()) - {r for runs in found.parts.values() for r in runs}
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


def _manifest(folder: Folder) -> Manifest | None:
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


def _train(prepared: Prepared, session: Session, reporter: Reporter) -> Prepared:
    """Train all chunks that are missing; the manifest counts each as soon as it is done.

    Returns:
        The sweep with all rounds of its refinement.
    """
    manifest = prepared.manifest
    published = prepared.found.parts if prepared.found else {}
    for name, taken in manifest.taken.items():
        if name not in published:
            take(prepared.folder, name, taken, prepared.plan, prepared.columns)
        reporter.skip(0.0, len(taken.runs))
    missing = prepared.missing()
    ids = {chunk.id for chunk in missing}
    reporter.skip(0.0, sum(len(runs) for runs in manifest.kept.values()))
    for chunk in prepared.chunks:
        if chunk.id not in ids:
            reporter.skip(job_work(chunk.job) * len(chunk.runs), len(chunk.runs))
    prepared = _train_chunks(prepared, missing, session, reporter)
    # A round is planned: that may compile, and writes nothing.
    while (grown := session.compiled(next_round, prepared)) is not None:
        prepared = grown
        prepared.folder.write_manifest(_with(session, prepared).to_json())
        missing = prepared.unpublished()
        work = sum(job_work(chunk.job) * len(chunk.runs) for chunk in missing)
        reporter.more(work, sum(len(chunk.runs) for chunk in missing))
        prepared = _train_chunks(prepared, missing, session, reporter)
    return prepared


def _train_chunks(
    prepared: Prepared,
    chunks: list[Chunk],
    session: Session,
    reporter: Reporter,
) -> Prepared:
    """Train chunks one after the other.

    Returns:
        The sweep, with smaller chunks where some did not fit the device's memory.
    """
    left = list(chunks)
    while left:
        if _trained(prepared, left[0], session, reporter):
            del left[0]
            continue
        before = left[0].job.layout.chunk
        names = {chunk.id for chunk in prepared.chunks}
        prepared = halved(prepared, left[0])
        prepared.folder.write_manifest(_with(session, prepared).to_json())
        smaller = [chunk for chunk in prepared.chunks if chunk.id not in names]
        now = {chunk.id: chunk for chunk in prepared.chunks}
        left = smaller + [now[chunk.id] for chunk in left if chunk.id in now]
        size = smaller[0].job.layout.chunk
        reporter.note(f"note: {before} runs do not fit the device's memory: goes on with {size}")
    return prepared


def _trained(prepared: Prepared, chunk: Chunk, session: Session, reporter: Reporter) -> bool:
    """Train one chunk; False where it does not fit the device's memory."""
    try:
        train_chunk(prepared, chunk, session, reporter)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return False  # only then the error, and with it what it keeps alive, is gone
    finally:
        prepared.folder.write_manifest(_with(session, prepared).to_json())
    return True


def _with(session: Session, prepared: Prepared) -> Manifest:
    """The manifest with this session as of now."""
    before = prepared.manifest.sessions
    return replace(prepared.manifest, sessions=(*before, session.to_json()))
