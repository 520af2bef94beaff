"""What a page shows of one result folder, as tables in the order of its cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phasegrok.analysis.inferred import INFERRED
from phasegrok.analysis.phases import LABELS, for_display
from phasegrok.analysis.timeline import MEASURED, labels_by_step
from phasegrok.config import PATHS, column
from phasegrok.figures.context import Context, read_context
from phasegrok.results.folder import Folder

__all__ = ["FIRST", "Shown", "read"]

FIXED: Final = ("data_fraction", "corruption_fraction")  # tell cells apart without being swept
# Columns of tables that say what a row is of, and are no numbers to show.
NOT_SHOWN: Final = ("seeds", "diverged", "seed")

# What people look at first, in this order.
FIRST: Final = (
    "train_accuracy",
    "test_accuracy",
    "corrupted_accuracy",
    "restored_accuracy",
    "clean_accuracy",
    "train_loss",
    "test_loss",
    "weight_norm",
    "mean_ipr",
)


@dataclass(frozen=True)
class Shown:
    """One result folder.

    Attributes:
        path: of the folder, as it was given.
        name: of the sweep.
        context: its cells, as pictures show them, and its tables.
        planned: how many runs the sweep has.
        file: text of its ``sweep.yaml``, if there is one.
    """

    path: Path
    name: str
    context: Context
    planned: int
    file: str | None

    @property
    def cells(self) -> pd.DataFrame:
        return self.context.cells

    @property
    def axes(self) -> Sequence[str]:
        return self.context.axes

    @property
    def sweep(self) -> Mapping[str, Any]:
        return self.context.sweep

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The runs, ordered by cell and seed, with the number of their cell as ``cell``."""
        if not self.context.has("runs", "run", *self.axes):
            return pd.DataFrame({"run": pd.Series(dtype=str), "cell": pd.Series(dtype=np.int64)})
        runs = self.context.tables["runs"]
        runs = runs.assign(cell=self.cell_of(runs))
        by = ["cell", *(["seed"] if "seed" in runs else [])]
        return runs[runs["cell"] >= 0].sort_values(by, kind="stable", ignore_index=True)

    def cell_of(self, table: pd.DataFrame) -> NDArray[np.int64]:
        """The number of the cell that every row of a table belongs to; -1 where there is none."""
        keys = [*self.axes, *(n for n in FIXED if n not in self.axes and n in table)]
        keys = [name for name in keys if name in self.cells and name in table]
        if not keys:
            return np.zeros(len(table), np.int64)
        both = pd.concat([self.cells[keys], table[keys]], ignore_index=True)
        number = both.groupby(keys, sort=False, dropna=False).ngroup().to_numpy(np.int64)
        count = len(self.cells)
        known = np.full(int(number.max()) + 1 if len(number) else 0, -1, np.int64)
        known[number[:count]] = np.arange(count)
        return np.asarray(known[number[count:]], np.int64)

    @cached_property
    def labels(self) -> pd.DataFrame | None:
        """``cell``, ``step`` and labels at every logged step; None where the curves do not say."""
        tables = self.context.tables
        if not (self.context.has("curves", "step", *MEASURED) and len(self.runs)):
            return None
        found = labels_by_step(tables["runs"], tables["curves"], self.axes)
        found = for_display(found, self.sweep)
        return found.assign(cell=self.cell_of(found))[["cell", "step", *LABELS]]

    def numbers(self, table: pd.DataFrame) -> list[str]:
        """The columns of a table that hold measured numbers, the main ones first."""
        settings = {*self.axes, *FIXED, *NOT_SHOWN, "cell", "run", INFERRED, "n_train"}
        settings |= {"n_corrupted", *map(column, PATHS)}
        kind = pd.api.types
        found = [
            name
            for name in map(str, table)
            if name not in settings
            and kind.is_numeric_dtype(table[name])
            and not kind.is_bool_dtype(table[name])
        ]
        return [*(n for n in FIRST if n in found), *(n for n in found if n not in FIRST)]


def read(path: Path) -> Shown:
    """What a folder holds; nothing is written.

    Raises:
        Refusal: it holds no results, or none yet.
    """
    context = read_context(path, write=False)
    head = Folder(path).head()
    file = path / "sweep.yaml"
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None
    return Shown(path, head.name or path.resolve().name, context, head.runs, text)
