"""The two stages of training under regularization, read off the curves.

"First, the network undergoes grokking dynamics reaching high train and test accuracy; second, it
unlearns the memorizing representations, where the train accuracy suddenly jumps from 100 % to
100 (1 - xi) %" (Doshi et al., abstract).
"""

from __future__ import annotations

import itertools
from typing import Any, Final

import numpy as np
import pandas as pd

from phasegrok.analysis.phases import CORRUPTED_FITTED, GENERALIZES

__all__ = ["first_step", "knees", "slowest_seed", "stages"]

# Half of the corrupted labels that were memorized are given up: the middle of the fall.
UNLEARNED: Final = 0.5
# Points that a curve is fitted at: a knee is told to within a tenth of itself over three decades.
POINTS: Final = 61


def stages(curves: pd.DataFrame) -> pd.DataFrame:
    """When every run fitted its corrupted labels, grokked, and unlearned them.

    Args:
        curves: the ``curves`` table: ``run``, ``step``, ``test_accuracy``, ``corrupted_accuracy``.

    Returns:
        One row a run, indexed by ``run``, nullable integers counting optimizer steps, null where it
        never happened: ``fitting_step``, the first logged step at which 90 % of the corrupted
        labels are answered as given; ``grokking_step``, the first with test accuracy of at least
        90 %; ``unlearning_step``, the first after ``fitting_step`` at which the corrupted labels
        answered as given have fallen to half of their greatest share, and stay below it.

    ``fitting_step`` is not the column ``memorization_step`` of ``runs``, the first logged step with
    training accuracy above 99.9 %: that is of all training labels, be any corrupted or not.
    """
    found = [_stages(run, group) for run, group in curves.groupby("run", sort=False)]
    frame = pd.DataFrame(found).set_index("run")
    return frame.astype(dict.fromkeys(frame.columns, "Int64"))


def knees(curves: pd.DataFrame, column: str) -> pd.DataFrame:
    """The two steps at which every run's curve bends most: its inflections, as the thesis on
    sparse parity calls those of the spectral norm (section 2.2.3).

    They are the breaks of the line of three straight pieces that fits the column best against the
    logarithm of the step, at :data:`POINTS` points evenly spaced there.

    Args:
        curves: the ``curves`` table: ``run``, ``step``, and the column.

    Returns:
        One row a run, indexed by ``run``: ``first`` and ``second``, in optimizer steps; NaN where
        there are no finite values after step 0.
    """
    found = {run: _knees(group, column) for run, group in curves.groupby("run", sort=False)}
    frame = pd.DataFrame.from_dict(found, orient="index", columns=["first", "second"])
    return frame.rename_axis("run")


def slowest_seed(runs: pd.DataFrame) -> int:
    """Seed of the run with the most steps from memorization to generalization.

    The first seed where no run gets there.
    """
    runs = runs.sort_values("seed")
    gap = (runs["generalization_step"] - runs["memorization_step"]).astype("Float64").fillna(-1.0)
    return int(runs["seed"].to_numpy()[int(gap.to_numpy(np.float64).argmax())])


def first_step(curves: pd.DataFrame, column: str, level: float, by: str = "run") -> pd.Series[Any]:
    """First logged step at which every run's column is above a level; no row if never."""
    steps: pd.Series[Any] = curves[curves[column] > level].groupby(by)["step"].min()
    return steps


def _knees(curve: pd.DataFrame, column: str) -> tuple[float, float]:
    curve = curve[(curve["step"] > 0) & np.isfinite(curve[column])].sort_values("step")
    if len(curve) < 4:
        return float("nan"), float("nan")
    logarithms = np.log(curve["step"].to_numpy(np.float64))
    x = np.linspace(logarithms[0], logarithms[-1], POINTS)
    y = np.interp(x, logarithms, curve[column].to_numpy(np.float64))
    # A line and, for every candidate, a bend there; three pieces are the line and two of the bends.
    middle = x - x.mean()
    bends = np.maximum(x[:, None] - x[None, 1:-1], 0.0)
    basis = np.column_stack([np.ones_like(x), middle, bends])
    products, target = basis.T @ basis, basis.T @ y
    pairs = np.array(list(itertools.combinations(range(2, basis.shape[1]), 2)))
    chosen = np.column_stack([np.zeros(len(pairs), int), np.ones(len(pairs), int), pairs])
    normal = products[chosen[:, :, None], chosen[:, None, :]]
    explained = target[chosen]
    coefficients = np.linalg.solve(normal, explained[..., None])[..., 0]
    # Least squares: what is left is smallest where the explained part is largest.
    i, j = pairs[int((coefficients * explained).sum(axis=1).argmax())] - 1
    return float(np.exp(x[i])), float(np.exp(x[j]))


def _stages(run: object, curve: pd.DataFrame) -> dict[str, object]:
    curve = curve.sort_values("step")
    step = curve["step"].to_numpy()
    test = curve["test_accuracy"].to_numpy()
    fitted = curve["corrupted_accuracy"].to_numpy(dtype=np.float64, na_value=np.nan)
    memorized = _first_index(fitted >= CORRUPTED_FITTED)
    unlearned = None
    if memorized is not None:
        above = np.flatnonzero(fitted > UNLEARNED * np.nanmax(fitted))
        unlearned = int(above[-1]) + 1 if above[-1] + 1 < len(step) else None
    grokked = _first_index(test >= GENERALIZES)
    return {
        "run": run,
        "fitting_step": None if memorized is None else step[memorized],
        "grokking_step": None if grokked is None else step[grokked],
        "unlearning_step": None if unlearned is None else step[unlearned],
    }


def _first_index(reached: np.ndarray) -> int | None:
    return int(reached.argmax()) if reached.any() else None
