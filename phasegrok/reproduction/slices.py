"""The labelled cells of one figure of Doshi et al., slice by slice."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from phasegrok.analysis.inferred import INFERRED
from phasegrok.reproduction.base import Results

__all__ = ["CELL", "DECAY", "DROPOUT", "REACHED", "Diagram"]

DECAY: Final = "weight_decay"
DROPOUT: Final = "dropout"
CELL: Final = ["data_fraction", "corruption_fraction"]
# The test accuracy that thresholds are asked of. A cell whose label refinement infers has that of
# the nearest trained cell of its slice with the same label; means are over trained cells alone.
REACHED: Final = "reached"
WORDS: Final = {DECAY: "weight decay", DROPOUT: "dropout"}


class Diagram:
    """The labelled cells of one figure: slices of one regularizer, data against corruption."""

    def __init__(self, results: Results) -> None:
        runs = results["runs"]
        self.name = DROPOUT if runs[DROPOUT].nunique() > 1 else DECAY
        self.words = WORDS[self.name]
        cells = results.cells([*CELL, self.name])
        self.cells = cells.assign(**{REACHED: _reached(cells, self.name)})
        values = np.sort(self.cells[self.name].unique())
        self.values = [float(value) for value in values]
        # The paper's last slice is where regularization breaks training.
        self.none, *self.moderate, self.extreme = self.values

    def at(self, value: float) -> pd.DataFrame:
        """The cells of one slice."""
        return self.cells[self.cells[self.name] == value]

    def generalizing(self, least: float) -> pd.DataFrame:
        """The cells with a test accuracy of at least ``least``; see :data:`REACHED`."""
        return self.cells[self.cells[REACHED] >= least]

    def counts(self, label: str, phase: str) -> pd.Series[int]:
        """Cells of a phase in every slice."""
        return (self.cells[label] == phase).groupby(self.cells[self.name]).sum().astype(int)

    def tolerated(self, least: float) -> pd.DataFrame:
        """The largest share of corrupted labels that generalizes: slices by data fraction, null
        where none does."""
        found = self.generalizing(least).groupby([self.name, "data_fraction"])
        return found["corruption_fraction"].max().unstack("data_fraction")

    def needed(self, least: float) -> pd.DataFrame:
        """The smallest data fraction that generalizes: slices by share of corrupted labels."""
        found = self.generalizing(least).groupby([self.name, "corruption_fraction"])
        return found["data_fraction"].min().unstack("corruption_fraction")


def _reached(cells: pd.DataFrame, name: str) -> pd.Series[float]:
    """:data:`REACHED` of every cell, in slices of ``name``."""
    found = cells["test_accuracy"].copy()
    for _, alike in cells.groupby([name, "subphase"], sort=False):
        trained, inferred = alike[~alike[INFERRED]], alike[alike[INFERRED]]
        if len(inferred):
            near = KDTree(trained[CELL].to_numpy()).query(inferred[CELL].to_numpy())[1]
            found[inferred.index] = trained["test_accuracy"].to_numpy()[near]
    return found
