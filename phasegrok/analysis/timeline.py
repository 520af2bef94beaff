"""Labels at every logged step, from the curves alone: Table 2 as if training had ended there.

Doshi et al. tell Forgetting from Confusion by the training curve (appendix C). At a step it is told
by the peak until then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from phasegrok.analysis.phases import GENERALIZES, LABELS, label_cells
from phasegrok.errors import Refusal

__all__ = ["at_step", "labels_by_step", "rows_by_step"]

# What labels at a step need of the curves.
MEASURED: Final = ("train_loss", "test_loss", "train_accuracy", "test_accuracy", "weight_norm")
# What a run is, and what is known of it at any step.
KEPT: Final = ("run", "seed", "data_fraction", "corruption_fraction")


def rows_by_step(runs: pd.DataFrame, curves: pd.DataFrame, axes: Sequence[str]) -> pd.DataFrame:
    """One row for every run and logged step, with the columns of ``runs`` that labels need.

    Args:
        runs: the ``runs`` table.
        curves: the ``curves`` table.
        axes: the swept columns.

    Returns:
        ``run``, ``step``, the swept columns, the curves' columns, and of the training until then
        ``status``, ``peak_test_accuracy`` and ``peak_weight_norm``. At a run's last step they equal
        those of ``runs``.

    Raises:
        Refusal: the curves were shortened, and lack a column that labels need.
    """
    if lacking := [name for name in MEASURED if name not in curves]:
        raise Refusal(
            f"curves: found no {' and no '.join(lacking)}, without which there are no labels over"
            " time; allowed: the table as a sweep wrote it"
        )
    settings = list(dict.fromkeys([*KEPT, *(name for name in axes if name in runs)]))
    settings = [name for name in settings if name in runs]
    measured = [name for name in curves if name not in settings or name == "run"]
    rows = curves[measured].sort_values(["run", "step"], kind="stable")
    rows = runs[settings].merge(rows, on="run", how="inner", validate="one_to_many")
    of_run = rows["run"]
    test, norm = rows["test_accuracy"], rows["weight_norm"]
    peak = test.groupby(of_run).cummax()
    highest = test.notna() & (peak != peak.groupby(of_run).shift())  # for the first time
    generalizes = (test >= GENERALIZES).fillna(False)
    # The norm where it last generalized until then, or at its peak.
    last, at_peak = (norm.where(at).groupby(of_run).ffill() for at in (generalizes, highest))
    losses = rows[["train_loss", "test_loss"]].to_numpy(np.float64, na_value=np.nan)
    lost = pd.Series(~np.isfinite(losses).all(axis=1), rows.index)
    return rows.assign(
        peak_test_accuracy=peak,
        peak_weight_norm=last.fillna(at_peak),
        status=np.where(lost.groupby(of_run).cummax(), "diverged", "ok"),
    )


def at_step(
    runs: pd.DataFrame, curves: pd.DataFrame, axes: Sequence[str], step: int
) -> pd.DataFrame:
    """The cells as they were at a step, labelled.

    Args:
        runs, curves, axes: see :func:`rows_by_step`.
        step: optimizer step; every run is seen at its last logged step up to it.

    Returns:
        What :func:`~phasegrok.analysis.phases.label_cells` gives.

    Raises:
        ValueError: the step is negative.
    """
    if step < 0:
        raise ValueError(f"step {step}: negative")
    rows = rows_by_step(runs, curves, axes)
    last = rows[rows["step"] <= step].groupby("run", sort=False).tail(1)
    return label_cells(last, list(axes))


def labels_by_step(runs: pd.DataFrame, curves: pd.DataFrame, axes: Sequence[str]) -> pd.DataFrame:
    """The labels of every cell at every logged step.

    Args:
        runs, curves, axes: see :func:`rows_by_step`.

    Returns:
        The swept columns, ``step``, ``phase``, ``subphase``, ``direct_phase`` and
        ``seed_agreement``; a row for every cell and step.
    """
    rows = rows_by_step(runs, curves, axes)
    cells = label_cells(rows, [*axes, "step"])
    found: pd.DataFrame = cells[[*axes, "step", *LABELS, "seed_agreement"]]
    return found
