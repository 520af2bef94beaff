"""A claim, and the tables that it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from phasegrok.results.folder import Folder

__all__ = ["Claim", "Results"]


@dataclass(frozen=True)
class Claim:
    """One claim of a paper, and what the tables say about it."""

    source: str  # section or figure
    text: str  # what is claimed, in our words
    measured: str  # numbers
    held: bool | None  # None: in part, the numbers say how

    @property
    def verdict(self) -> str:
        """``yes``, ``no`` or ``in part``."""
        return "in part" if self.held is None else ("yes" if self.held else "no")


class Results(dict[str, pd.DataFrame]):
    """The tables of one result folder by name, each read when first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = Folder(folder)

    def __missing__(self, table: str) -> pd.DataFrame:
        self[table] = self.folder.read(table)
        return self[table]
