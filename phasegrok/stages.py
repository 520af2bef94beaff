"""The two stages of training under regularization, read off the curves.

"First, the network undergoes grokking dynamics reaching high train and test accuracy; second, it
unlearns the memorizing representations, where the train accuracy suddenly jumps from 100 % to
100 (1 - xi) %" (Doshi et al., abstract).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from phasegrok.phases import CORRUPTED_FITTED, GENERALIZES

__all__ = ["stages"]

# Half of the corrupted labels that were memorized are given up: the middle of the fall.
UNLEARNED: Final = 0.5


def stages(curves: pd.DataFrame) -> pd.DataFrame:
    """When every run memorized, grokked, and unlearned its corrupted labels.

    Args:
        curves: the ``curves`` table: ``run``, ``step``, ``test_accuracy``, ``corrupted_accuracy``.

    Returns:
        One row a run, indexed by ``run``, nullable integers counting optimizer steps, null where it
        never happened: ``memorization_step``, the first logged step at which 90 % of the corrupted
        labels are answered as given; ``grokking_step``, the first with test accuracy of at least
        90 %; ``unlearning_step``, the first after memorization at which the corrupted labels
        answered as given have fallen to half of their greatest share, and stay below it.
    """
    found = [_stages(run, group) for run, group in curves.groupby("run", sort=False)]
    frame = pd.DataFrame(found).set_index("run")
    return frame.astype(dict.fromkeys(frame.columns, "Int64"))


def _stages(run: object, curve: pd.DataFrame) -> dict[str, object]:
    curve = curve.sort_values("step")
    step = curve["step"].to_numpy()
    test = curve["test_accuracy"].to_numpy()
    fitted = curve["corrupted_accuracy"].to_numpy(dtype=np.float64, na_value=np.nan)
    memorized = _first(fitted >= CORRUPTED_FITTED)
    unlearned = None
    if memorized is not None:
        above = np.flatnonzero(fitted > UNLEARNED * np.nanmax(fitted))
        unlearned = int(above[-1]) + 1 if above[-1] + 1 < len(step) else None
    grokked = _first(test >= GENERALIZES)
    return {
        "run": run,
        "memorization_step": None if memorized is None else step[memorized],
        "grokking_step": None if grokked is None else step[grokked],
        "unlearning_step": None if unlearned is None else step[unlearned],
    }


def _first(reached: np.ndarray) -> int | None:
    return int(reached.argmax()) if reached.any() else None
