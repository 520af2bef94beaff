"""Thin lines at steps at which something happens, with names that stay inside the panel."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from phasegrok.analysis.phases import GENERALIZES
from phasegrok.analysis.stages import UNLEARNED, first_step, stages
from phasegrok.config import SOLVED
from phasegrok.figures import canvas
from phasegrok.figures.cells import OneCell
from phasegrok.figures.context import Context

__all__ = ["SOLVED_WORDS", "STAGE_WORDS", "mark_event", "mark_solved", "mark_stages", "step_label"]

POINTS: Final = canvas.TICK_POINTS - 1
CHARACTER_INCHES: Final = POINTS * 0.6 / 72
# A panel of curves without its tick labels; in a narrower one the sides are chosen too early.
PANEL_INCHES: Final = 1.8
# Every name has a height of its own, so that two never meet, wherever their steps are.
STAGES: Final = {
    "grokking_step": ("grokking", "right", 0.64),
    "unlearning_step": ("unlearning", "left", 0.54),
}
SOLVED_AT: Final = (
    ("train_accuracy", "memorization", "right", 0.17),
    ("test_accuracy", "generalization", "left", 0.07),
)
EVENT_HEIGHT: Final = 0.27
# What the lines say, for the legend.
STAGE_WORDS: Final = (
    f"dashed: median step of grokking (test accuracy reaches {GENERALIZES:g}) and of unlearning"
    f" (corrupted accuracy falls below {UNLEARNED:g} of its peak)"
)
SOLVED_WORDS: Final = (
    f"dashed: median step of memorization (train accuracy above {SOLVED:g}) and of generalization"
    f" (test accuracy above {SOLVED:g})"
)


def mark_stages(axes: Axes, table: pd.DataFrame) -> None:
    """The median steps at which the runs of a cell grok and unlearn.

    Args:
        table: the cell's curves, step 0 among them: what holds from the start did not happen.
    """
    known = np.isfinite(table[["train_accuracy", "test_accuracy"]].to_numpy(np.float64)).all(axis=1)
    if not known.any():  # it diverged before the first measurement, or there is no other
        return
    found = stages(table[known])
    for column, (name, side, height) in STAGES.items():
        _mark(axes, found[column], name, side, height)


def mark_solved(axes: Axes, table: pd.DataFrame) -> None:
    """The median steps at which training set and test set are first solved."""
    for column, name, side, height in SOLVED_AT:
        _mark(axes, first_step(table, column, SOLVED, by="seed"), name, side, height)


def mark_event(axes: Axes, context: Context, cell: OneCell, table: pd.DataFrame) -> None:
    """The step at which the sweep's event came: at the first logged one at or after the step it
    waits for, or once the training set was memorized."""
    event = dict(context.sweep.get("event") or {})
    event |= {
        leaf: cell.values[f"event_{leaf}"] for leaf in event if f"event_{leaf}" in cell.values
    }
    kind = cell.values.get("event", event.get("kind"))
    if kind == "memorized":
        steps = first_step(table, "train_accuracy", SOLVED, by="run")
    elif kind == "at_step":
        late = table[table["step"] >= float(event.get("at_step", 0))]
        steps = late.groupby("run")["step"].min()
    else:
        return
    _mark(axes, steps, "event", "left", EVENT_HEIGHT)


def step_label(axes: Axes, text: str, step: float, height: float, above: bool) -> None:
    """A number beside a mark in a panel, above or below it."""
    axes.annotate(
        text,
        (step, height),
        xytext=(0, 5 if above else -5),
        textcoords="offset points",
        ha="center",
        va="bottom" if above else "top",
        fontsize=POINTS,
    )


def _mark(axes: Axes, steps: pd.Series[Any], name: str, side: str, height: float) -> None:
    """A thin line at the median of steps, its name on the side that has room for it.

    At the first step of the axis it happened at that step or before.
    """
    steps = steps.dropna()
    if steps.empty:
        return
    step = float(steps.median())
    if step <= 0:  # it was so before any training; a logarithm has no place for it
        return
    known = _steps(axes)
    axes.axvline(step, color="#666666", linewidth=0.6, linestyle=(0, (2, 2)))
    text = f"{name} {'by ' if known.size and step <= known.min() else ''}{step:.0f}"
    need = len(text) * CHARACTER_INCHES / PANEL_INCHES + 0.03
    place = _place(axes, step)
    if side == "right" and place < need <= 1 - place:
        side = "left"
    elif side == "left" and 1 - place < need <= place:
        side = "right"
    axes.annotate(
        text,
        (step, height),
        xycoords=("data", "axes fraction"),
        xytext=(-3 if side == "right" else 3, 0),
        textcoords="offset points",
        ha=side,
        va="center",
        color="#444444",
        fontsize=POINTS,
        bbox={"boxstyle": "square,pad=0.1", "facecolor": "#ffffff", "alpha": 0.75, "linewidth": 0},
    )


def _steps(axes: Axes) -> NDArray[np.float64]:
    """The steps that the first line of a panel is drawn at."""
    return np.asarray(axes.lines[0].get_xdata() if axes.lines else [], np.float64)


def _place(axes: Axes, step: float) -> float:
    """Where a step stands across the panel, 0..1."""
    low, high = axes.get_xlim()
    if axes.get_xscale() == "log":
        low, high, step = np.log(low), np.log(high), np.log(step)
    return float((step - low) / (high - low))
