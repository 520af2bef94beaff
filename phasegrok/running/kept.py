"""The state of a finished chunk, which more steps go on from (``engine.keep_state``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from phasegrok.errors import Damaged
from phasegrok.files.atomic import copy_whole
from phasegrok.results.folder import Folder
from phasegrok.results.states import load_state
from phasegrok.running.manifest import Taken

if TYPE_CHECKING:
    from phasegrok.running.chunk import ChunkProgress

__all__ = ["earlier_state"]

Saved = tuple[dict[str, Any], dict[str, np.ndarray]]


def earlier_state(progress: ChunkProgress, earlier: Taken) -> Saved:
    """The state of a chunk's runs after fewer steps, with everything measured until then.

    Networks that were saved on the way are copied: they are this folder's from now on.

    Args:
        progress: of the chunk that goes on.
        earlier: where its runs were trained for fewer steps, and their ids there, in order.

    Raises:
        Damaged: the state is gone, or is not what was kept, or what was measured or saved on the
            way is not there.
    """
    source = Folder(Path(earlier.folder))
    path = source.state_path(earlier.part)
    there = {"part": earlier.part, "runs": list(earlier.runs)}
    saved = load_state(path, progress.header | there)
    if saved is None:
        raise Damaged(path, "is gone, or of other runs")
    header, arrays = _without_last_look(*saved, progress)
    progress.check_state(path, header, arrays)
    program, done = progress.engine.program, header["intervals"]
    looks = program.snapshot_points if progress.takes_snapshots else ()
    if lacking := {point for point in looks if point <= done} - {*header["looks"]}:
        raise Damaged(path, f"does not hold what was measured at point {min(lacking)}")
    for point in program.weight_saves:
        if point <= done:
            _copy_networks(progress, source, earlier, point * program.log_every)
    return header, arrays


def _without_last_look(
    header: dict[str, Any], arrays: dict[str, np.ndarray], progress: ChunkProgress
) -> Saved:
    """A state without the measurements at the end of the shorter training, which is no end here."""
    points = progress.engine.program.snapshot_points
    looks = header.get("looks")
    kept = [point for point in looks if point in points] if isinstance(looks, list) else looks
    return {**header, "looks": kept}, arrays


def _copy_networks(progress: ChunkProgress, source: Folder, earlier: Taken, step: int) -> None:
    for i, (old, new) in enumerate(zip(earlier.runs, progress.rows["run"], strict=True)):
        source.load_weights(old, step)  # raises where it is damaged
        progress.save_record(i)
        copy_whole(source.weights_path(old, step), progress.folder.weights_path(new, step))
