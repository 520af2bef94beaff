"""A result folder as the data of a page, with less in it where all of it would be too much."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from phasegrok.analysis.inferred import INFERRED
from phasegrok.analysis.phases import DIVERGED, LABELS
from phasegrok.errors import counted
from phasegrok.explore.axes import Spread
from phasegrok.explore.blob import Blob, exact
from phasegrok.explore.command import command
from phasegrok.explore.curves import ACCURACIES, Curves, codes
from phasegrok.explore.folder import FIRST, Shown
from phasegrok.explore.inside import pack_histograms, pack_pruning

__all__ = ["Packed", "pack_folder"]

ALL: Final = 1 << 30  # points
MOST_FILE: Final = 100_000  # characters of a sweep file; longer ones list thousands of values
MOST_IDS: Final = 20_000  # runs whose ids are worth their bytes


@dataclass(frozen=True)
class _Level:
    """How much of a folder is packed, and what a reader is told of the rest."""

    curves: tuple[str, ...] | None = None  # which; all where it is None
    points: int = ALL
    seeds: bool = True
    runs: bool = True
    inside: bool = True
    numbers: tuple[str, ...] | None = None
    note: str = ""


# From everything to labels alone. A page takes the first that fits.
LEVELS: Final = (
    _Level(),
    _Level(curves=FIRST, note="only accuracies, losses, the weight norm and the mean IPR"),
    _Level(FIRST, 51, note="at most 51 points a curve"),
    _Level(FIRST, 51, seeds=False, note="at most 51 points a curve, means and spread of the seeds"),
    _Level(
        ACCURACIES, 26, seeds=False, note="only accuracies over time: 26 points, means and spread"
    ),
    _Level(ACCURACIES, 26, False, runs=False, note="26 points of the accuracies, no single seeds"),
    _Level((), 26, False, False, False, note="no curves, seeds, IPRs or pruning"),
    _Level((), 2, False, False, False, ("train_accuracy", "test_accuracy"), "two accuracies"),
    _Level((), 2, False, False, False, (), "labels alone"),
)


@dataclass
class Packed:
    """The data of one folder.

    Attributes:
        about: JSON values that say what there is.
        text: the arrays.
    """

    about: dict[str, Any] = field(default_factory=dict)
    text: str = ""

    @property
    def size(self) -> int:
        """Characters that it takes in a page."""
        return len(self.text) + len(json.dumps(self.about))


def pack_folder(shown: Shown, spread: Spread, most: int) -> Packed:
    """The data of a folder in at most so many bytes, as far as that can be done.

    Args:
        shown: the folder.
        spread: the axes of the page.
        most: characters, see :attr:`Packed.size`.
    """
    curves = Curves(shown)
    pieces = _Pieces(shown)
    tried: list[_Level] = []
    packed = Packed()
    for level in LEVELS:
        if tried and not _differs(level, tried[-1], curves):
            continue
        tried.append(level)
        packed = _pack(shown, spread, curves, pieces, level)
        packed.about |= _about(shown)
        packed.about["notes"] = [*_notes(shown), *_left_out(level, curves)]
        if packed.size <= most:
            break
    return packed


def _differs(level: _Level, before: _Level, curves: Curves) -> bool:
    """Whether less is packed than at the level before: it cannot be of what is not there."""
    if curves.groups:
        return True
    return (level.runs, level.inside, level.numbers) != (before.runs, before.inside, before.numbers)


class _Pieces:
    """What is packed whole or not at all, once for all levels: arrays, and what is said of them."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown

    @cached_property
    def runs(self) -> tuple[Blob, dict[str, Any] | None]:
        blob = Blob()
        return blob, _pack_runs(self._shown, blob)

    @cached_property
    def histograms(self) -> tuple[Blob, dict[str, Any] | None]:
        blob = Blob()
        return blob, pack_histograms(self._shown, blob)

    @cached_property
    def pruning(self) -> tuple[Blob, dict[str, Any] | None]:
        blob = Blob()
        return blob, pack_pruning(self._shown, blob)


def _pack(shown: Shown, spread: Spread, curves: Curves, pieces: _Pieces, level: _Level) -> Packed:
    cells, blob = shown.cells, Blob()
    blob.add("places", spread.places(cells))
    for name in LABELS:
        if name in cells:
            blob.add(f"label {name}", codes(cells[name]))
    if INFERRED in cells:
        blob.add("inferred", cells[INFERRED].fillna(False).to_numpy(bool).astype(np.uint8))
    about: dict[str, Any] = {
        "cells": len(cells),
        "columns": _pack_numbers(blob, "cell", cells, shown.numbers(cells), level.numbers),
    }
    for name, kept in (
        ("runs", level.runs),
        ("histograms", level.inside),
        ("pruning", level.inside),
    ):
        arrays, about[name] = getattr(pieces, name) if kept else (Blob(), None)
        blob.merge(arrays)
    columns = [n for n in curves.columns if level.curves is None or n in level.curves]
    more, over_time = curves.pack(columns, level.points, level.seeds and about["runs"] is not None)
    blob.merge(more)
    about["curves"] = over_time if curves.groups else None
    about["arrays"] = blob.arrays
    return Packed(about, blob.text())


def _pack_numbers(
    blob: Blob, of: str, table: pd.DataFrame, names: list[str], kept: tuple[str, ...] | None
) -> list[str]:
    """Columns as they are in the tables, and their names."""
    names = [name for name in names if kept is None or name in kept]
    for name in names:
        values = table[name].to_numpy(np.float64, na_value=np.nan)
        blob.add(f"{of} {name}", exact(np.asarray(values, np.float64)))
    counted = [name for name in ("seeds", "diverged") if of == "cell" and name in table]
    for name in counted:
        blob.add(f"{of} {name}", table[name].to_numpy(np.float64).astype("<u4"))
    return names


def _pack_runs(shown: Shown, blob: Blob) -> dict[str, Any] | None:
    """Every run's cell, seed, label and numbers."""
    runs = shown.runs
    if runs.empty or "seed" not in runs:
        return None
    blob.add("run cell", runs["cell"].to_numpy().astype("<u4"))
    blob.add("run seed", runs["seed"].to_numpy().astype("<f8"))
    labels = [name for name in LABELS if name in runs]
    for name in labels:
        blob.add(f"run label {name}", codes(runs[name]))
    names = _pack_numbers(blob, "run", runs, shown.numbers(runs), None)
    return {"count": len(runs), "columns": names, "ids": _ids(runs), "labels": labels}


def _ids(runs: pd.DataFrame) -> list[str] | None:
    """Ids of runs, where they are few enough to be worth their bytes."""
    return [str(each) for each in runs["run"]] if len(runs) <= MOST_IDS else None


def _about(shown: Shown) -> dict[str, Any]:
    name = shown.name
    there = shown.file is not None and shown.sweep
    return {
        "name": name,
        "folder": str(shown.path),
        "summary": list(_summary(shown)),
        "file": shown.file if shown.file and len(shown.file) <= MOST_FILE else None,
        "command": command(shown.path, name, shown.sweep) if there else None,
    }


def _summary(shown: Shown) -> Iterator[str]:
    """What was trained, in a few words each."""
    sweep = shown.sweep
    task, model = sweep.get("task", {}), sweep.get("model", {})
    optimizer, train = sweep.get("optimizer", {}), sweep.get("train", {})
    yield " ".join(str(task[k]) for k in ("kind", "operation") if task.get(k))
    if "modulus" in task:
        yield f"p = {task['modulus']}"
    yield str(model.get("kind", ""))
    if "width" in model:
        yield f"width {model['width']}"
    if "learning_rate" in optimizer:
        yield f"{optimizer.get('kind', '')} {optimizer['learning_rate']:g}"
    for name in ("steps", "epochs"):
        if train.get(name):
            yield f"{train[name]} {name}"
    if seeds := len(sweep.get("seeds", ())):
        yield counted(seeds, "seed")


def _notes(shown: Shown) -> Iterator[str]:
    """What a reader has to know of these cells."""
    done, cells = len(shown.runs), shown.cells
    if INFERRED in cells and (inferred := int(cells[INFERRED].sum())):
        yield (
            f"{inferred} of {len(cells)} cells were not trained: refinement inferred their label"
            " from their neighbours. They have no letter and no numbers."
        )
    elif done and done < shown.planned:
        yield f"Unfinished: {done} of {shown.planned} runs are done. Other cells are hatched."
    if "subphase" in cells and (gone := int((cells["subphase"] == DIVERGED).sum())):
        yield f"{counted(gone, 'cell')} diverged: a loss was not finite."
    if not shown.context.has("curves"):
        yield "These results hold no curves, so there is nothing to show over time."
    elif shown.labels is None:
        yield "The curves were shortened: accuracies are shown over time, labels are not."


def _left_out(level: _Level, curves: Curves) -> Iterator[str]:
    if not level.note:
        return
    most = f" (the tables have up to {curves.longest} points)" if curves.longest else ""
    yield f"Thinned to stay small: {level.note}{most}. The numbers shown are exact."
