"""What was measured inside the networks of a cell: histograms of IPRs, and pruning curves."""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phasegrok.explore.blob import Blob, quantized
from phasegrok.explore.folder import Shown

__all__ = ["BINS", "pack_histograms", "pack_pruning"]

BINS: Final = 40  # of the IPR, from 0 to 1
SHARES: Final = 51  # points of a pruning curve: as many shares of the neurons, from 0 to 1
ACCURACIES: Final = (
    "train_accuracy",
    "test_accuracy",
    "corrupted_accuracy",
    "restored_accuracy",
    "clean_accuracy",
    "true_accuracy",
)


def pack_histograms(shown: Shown, blob: Blob) -> dict[str, Any] | None:
    """How many living neurons of all seeds have which IPR at the last measured step.

    Returns:
        The layers; None where no spectra were measured.
    """
    if not shown.context.has("neurons", "run", "step", "ipr", "dead"):
        return None
    table = _last(shown.context.tables["neurons"])
    cell = shown.cell_of(table)
    table, cell = table[cell >= 0], cell[cell >= 0]
    layer = table["layer"] if "layer" in table else pd.Series("hidden", table.index)
    layers = list(dict.fromkeys(layer))
    shape = (len(shown.cells), len(layers))
    counts, dead = np.zeros((*shape, BINS), "<u4"), np.zeros(shape, "<u4")
    which = layer.map({name: i for i, name in enumerate(layers)}).to_numpy(np.int64)
    ipr = table["ipr"].to_numpy(np.float64, na_value=np.nan)
    gone = table["dead"].to_numpy(bool) | np.isnan(ipr)
    np.add.at(dead, (cell[gone], which[gone]), 1)
    bins = np.clip((ipr[~gone] * BINS).astype(np.int64), 0, BINS - 1)
    np.add.at(counts, (cell[~gone], which[~gone], bins), 1)
    blob.add("ipr", counts)
    blob.add("dead", dead)
    return {"layers": [str(name) for name in layers], "bins": BINS}


def pack_pruning(shown: Shown, blob: Blob) -> dict[str, Any] | None:
    """Accuracies with a share of the neurons pruned, as means over seeds, at the last step.

    Returns:
        The orders and the accuracies; None where nothing was pruned.
    """
    if not shown.context.has("pruning", "run", "step", "order", "pruned"):
        return None
    table = _last(shown.context.tables["pruning"])
    cell = shown.cell_of(table)
    table = table.assign(cell=cell)[cell >= 0]
    orders = list(dict.fromkeys(table["order"]))
    names = [name for name in ACCURACIES if name in table and table[name].notna().any()]
    found = np.full((len(shown.cells), len(orders), len(names), SHARES), np.nan)
    means = table.groupby(["cell", "order", "pruned"], sort=True)[names].mean()
    for key, curve in means.groupby(level=["cell", "order"], sort=False):
        number, order = cast("tuple[int, str]", key)
        found[number, orders.index(order)] = _at_shares(curve.to_numpy(np.float64)).T
    blob.add("pruning", quantized(found, 0.0, 1.0), delta=True)
    return {"orders": [str(name) for name in orders], "columns": names, "points": SHARES}


def _last(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of every run's last measured step."""
    return table[table["step"] == table.groupby("run")["step"].transform("max")]


def _at_shares(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """Those of the rows for 0, 1, ... N pruned neurons that are nearest to even shares of N."""
    rows = np.rint(np.linspace(0, len(curve) - 1, SHARES)).astype(np.int64)
    return curve[rows]
