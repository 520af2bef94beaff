"""What pruning curves say: neurons needed, and what is left at an IPR threshold.

Tables only. A count of removed neurons is ``pruned``, from 0 to all of them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

__all__ = ["RETAINED", "at_threshold", "last_step", "needed", "prunable"]

# Generalization counts as retained while test accuracy is at least this (appendix Q states none).
RETAINED: Final = 0.95


def last_step(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a snapshot's table that were taken at the end of training."""
    return table[table["step"] == table.groupby("run")["step"].transform("max")]


def needed(pruning: pd.DataFrame, order: str = "lowest", retained: float = RETAINED) -> pd.Series:
    """Fewest neurons with which a network still generalizes, pruned in an order (Figure 32a).

    Pruned from the lowest IPR, test accuracy often rises first, as memorizing neurons go, and then
    falls: the last count above the threshold decides, not the first one below it.

    Args:
        pruning: the ``pruning`` table.
        order: whose curve to follow.
        retained: test accuracy that the neurons left must reach.

    Returns:
        Neurons left, by run; NaN where no count reaches ``retained``.
    """
    curves = last_step(pruning)
    curves = curves[curves["order"] == order]
    neurons = curves.groupby("run", sort=False)["pruned"].max()
    good = curves[curves["test_accuracy"] >= retained]
    most = good.groupby("run", sort=False)["pruned"].max().reindex(neurons.index)
    return (neurons - most).astype(np.float64).rename("needed")


def prunable(pruning: pd.DataFrame, runs: pd.DataFrame, retained: float) -> pd.DataFrame:
    """How many neurons every run needs, and how many it can do without (Figure 32).

    Args:
        pruning: the ``pruning`` table, with order ``lowest``.
        runs: one row a run with ``run`` and ``width``.
        retained: test accuracy that the neurons left must reach.

    Returns:
        By run: ``width``, ``needed``, and ``prunable``, the other neurons in percent of all.
    """
    found = runs.set_index("run")["width"].to_frame().join(needed(pruning, "lowest", retained))
    return found.assign(prunable=100 * (1 - found["needed"] / found["width"]))


def at_threshold(pruning: pd.DataFrame, neurons: pd.DataFrame, ipr: float) -> pd.DataFrame:
    """Every run after all neurons of an IPR below a threshold, dead ones among them, are removed.

    Args:
        pruning: the ``pruning`` table, with order ``lowest``.
        neurons: the ``neurons`` table of the same runs.
        ipr: the threshold.

    Returns:
        Rows of ``pruning``, one a run, with ``share``: the part of its neurons that was removed.
    """
    pruning, neurons = last_step(pruning), last_step(neurons)
    # The pruned layer is the last one, see measure/pruning.py.
    neurons = neurons[neurons["layer"] == neurons["layer"].iloc[-1]]
    low = (neurons["ipr"] < ipr) | neurons["dead"]
    count = low.groupby(neurons["run"]).sum()
    curves = pruning[pruning["order"] == "lowest"]
    rows = curves[curves["pruned"] == curves["run"].map(count)].copy()
    rows["share"] = rows["run"].map(low.groupby(neurons["run"]).mean())
    return rows
