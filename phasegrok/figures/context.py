"""What pictures are drawn from: the tables of a result folder, each read when first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from phasegrok.analysis.phases import for_display
from phasegrok.figures.cells import MOST_CELLS, OneCell, closeup, one_by_one
from phasegrok.figures.layout import Layout, Scale, arrange, fold
from phasegrok.results.folder import CLOSEUP, Folder

__all__ = ["CLOSEUP", "Context", "Tables", "read_context"]


class Tables(Mapping[str, pd.DataFrame]):
    """The tables of parts in a result folder, by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = Folder(folder)
        self._names = sorted({part.parent.name for part in folder.glob("*/[!.]*.parquet")})
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._read:
            self._read[name] = self._folder.read(name)
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True)
class Context:
    """A sweep's results as pictures need them.

    Attributes:
        cells: table of labelled cells, as pictures show them.
        axes: the swept columns, in the sweep's order.
        sweep: the resolved sweep.
        tables: the other tables, by name; only those that there are.
        chosen: values of some axes; the cells there are drawn one by one. If it is None,
            all cells of a small sweep are, and no cell of a large one.
        scale: whether a diagram's values stand as categories, or to scale.
        step: at which the cells are shown; None for the end of the training.
        label: the one that was asked for, which ``cells`` have as ``subphase``; None for the usual.
    """

    cells: pd.DataFrame
    axes: Sequence[str]
    sweep: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    chosen: Mapping[str, Any] | None = None
    scale: Scale = "category"
    step: int | None = None
    label: str | None = None

    @cached_property
    def layout(self) -> Layout:
        """The cells as panels of a diagram."""
        return fold(arrange(self.cells, self.axes, self.scale))

    @cached_property
    def single(self) -> list[OneCell]:
        """The cells to look at one by one.

        Raises:
            Refusal: there is no cell at the chosen values, or there are too many.
        """
        if self.chosen is not None:
            return list(one_by_one(closeup(self.cells, self.axes, self.chosen), self.axes))
        return [] if len(self.cells) > MOST_CELLS else list(one_by_one(self.cells, self.axes))

    def having(self, table: str) -> list[OneCell]:
        """The single cells with rows in a table: only corrupted examples have logits."""
        if table not in self.tables:
            return []
        return [cell for cell in self.single if not cell.of(self.tables[table]).empty]

    def has(self, table: str, *columns: str) -> bool:
        """Whether there are rows of a table, with these columns."""
        if table not in self.tables:
            return False
        frame = self.tables[table]
        return not frame.empty and set(columns) <= set(frame.columns)


def read_context(
    folder: Path, scale: Scale = "category", write: bool = True, label: str | None = None
) -> Context:
    """What the pictures of a result folder are drawn from.

    ``cells.parquet`` is brought up to date with the runs, if it may be written.

    Raises:
        Refusal: the folder holds no results, or none yet, or there is no such label.
    """
    results = Folder(folder)
    head = results.head()
    cells = results.cells() if write else results.label()
    return Context(
        for_display(cells, head.sweep, label),
        head.crossed,
        head.sweep,
        Tables(folder),
        results.closeup(),
        scale,
        label=label,
    )
