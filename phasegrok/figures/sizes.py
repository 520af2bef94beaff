"""Pictures against the size of the training set (efficiency study, Figures 4, 6 and 9)."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasegrok.analysis.critical import crossings, estimate
from phasegrok.analysis.settled import settled
from phasegrok.figures import canvas
from phasegrok.figures.context import Context
from phasegrok.figures.layout import groups
from phasegrok.figures.palette import LINES, line_colours
from phasegrok.figures.registry import picture

__all__ = ["critical_size", "data_efficiency", "distribution", "model_efficiency", "size_axis"]

PANELS_ACROSS: Final = 3
MANY_SEEDS: Final = 8  # from so many on, their distribution is worth a picture
EFFICIENCY: Final = {"weight_norm": "parameter norm", "train_logit": "correct logit, training"}


def size_axis(context: Context) -> str | None:
    """The swept column that the training set is sized by.

    An event's value where it shrinks the set, else the data fraction.
    """
    shrinks = context.sweep.get("event", {}).get("set") == "data.data_fraction"
    if shrinks and "event_value" in context.axes:
        return "event_value"
    return "data_fraction" if "data_fraction" in context.axes else None


def _is_sized(context: Context, *columns: str) -> bool:
    return size_axis(context) is not None and context.has("runs", *columns)


def _without(context: Context, *axes: str | None) -> list[str]:
    """The axes that are not among these."""
    return [name for name in context.axes if name not in axes]


def _at_the_end(context: Context, *columns: str) -> pd.DataFrame:
    """The runs, with settled values of columns where there is something to take them from."""
    curves = context.tables["curves"] if context.has("curves") else None
    return settled(context.tables["runs"], curves, columns)


@picture(
    "data_efficiency",
    applies=lambda context: (
        _is_sized(context) and "variant" in context.axes and size_axis(context) == "data_fraction"
    ),
)
def data_efficiency(context: Context) -> Figure:
    """Figure of the best test accuracy reached, a panel a variant."""
    runs = context.tables["runs"]
    variants = list(dict.fromkeys(runs["variant"]))
    across = min(PANELS_ACROSS, len(variants))
    figure, sheet = canvas.panels(math.ceil(len(variants) / across), across)
    panels = [panel for row in sheet for panel in row]
    for unused in panels[len(variants) :]:
        unused.set_visible(False)
    legend: dict[str, Any] = {}
    lines_by = _without(context, "variant", "data_fraction")
    for number, (panel, variant) in enumerate(zip(panels, variants, strict=False)):
        lines = groups(runs[runs["variant"] == variant], lines_by)
        for colour, (name, group) in zip(line_colours(), lines, strict=False):
            line = _mean_line(panel, group, "data_fraction", "peak_test_accuracy", colour)
            legend[name or "mean and standard deviation; dots: seeds"] = line
        canvas.title(panel, (variant,))
        panel.set_ylim(-0.03, 1.03)
        if number + across >= len(variants):
            _name_size(panel)
        if number % across == 0:
            panel.set_ylabel("best test accuracy", fontsize=canvas.LABEL_POINTS)
    canvas.line_legend(figure, legend)
    return figure


def _has_many_seeds(context: Context) -> bool:
    return (
        _is_sized(context)
        and len(context.axes) == 1
        and context.tables["runs"]["seed"].nunique() >= MANY_SEEDS
    )


@picture("distribution", applies=_has_many_seeds)
def distribution(context: Context) -> Figure:
    """Figure of every seed's final test accuracy, and of the size where a half of it is reached."""
    runs, (size,) = _at_the_end(context, "test_accuracy"), context.axes
    figure, ((panel,),) = canvas.panels(1, 1, width=4.2, height=2.6)
    legend = {"a seed": _draw_seeds(panel, runs, size)}
    mean = runs.groupby(size)["test_accuracy"].mean()
    (legend["mean"],) = panel.plot(mean.index, mean, color=LINES[1], linewidth=1)
    found = estimate(crossings(runs, size))
    if found.seeds > 1:
        panel.axvspan(found.low, found.high, color="#999999", alpha=0.3, linewidth=0)
        legend["D_crit, 95 % interval"] = panel.axvline(found.mean, color="#666666", linewidth=0.8)
    panel.set_ylim(-0.03, 1.03)
    _name_size(panel)
    panel.set_ylabel("test accuracy at the end", fontsize=canvas.LABEL_POINTS)
    canvas.line_legend(figure, legend)
    return figure


def _draw_seeds(panel: Axes, runs: pd.DataFrame, size: str) -> Any:
    """A dot a seed at its test accuracy, those of one size side by side."""
    values = np.sort(runs[size].unique())
    spacing = float(np.diff(values).min()) if len(values) > 1 else 0.1
    for value, group in runs.groupby(size):
        ordered = np.sort(group["test_accuracy"].fillna(0))
        # Side by side in order, so that none hides another and nothing is left to chance.
        beside = np.linspace(-0.3, 0.3, len(ordered)) * spacing
        (dots,) = panel.plot(
            float(str(value)) + beside,
            ordered,
            "o",
            markersize=3,
            color=LINES[0],
            alpha=0.6,
            markeredgewidth=0,
        )
    return dots


@picture("model_efficiency", applies=lambda context: _is_sized(context, "train_logit"))
def model_efficiency(context: Context) -> Figure:
    """Figure of the norm of all weights and of the mean correct logit at the end of training."""
    runs, size = _at_the_end(context, *EFFICIENCY), str(size_axis(context))
    figure, (panels,) = canvas.panels(1, len(EFFICIENCY), width=3.0, height=2.4)
    legend: dict[str, Any] = {}
    for panel, (column, name) in zip(panels, EFFICIENCY.items(), strict=True):
        lines = groups(runs, _without(context, size))
        for colour, (label, group) in zip(line_colours(), lines, strict=False):
            legend[label or "mean"] = _mean_line(panel, group, size, column, colour)
        panel.set_ylim(bottom=0)
        _name_size(panel)
        panel.set_ylabel(name, fontsize=canvas.LABEL_POINTS)
    canvas.line_legend(figure, legend)
    return figure


@picture(
    "critical_size",
    applies=lambda context: (
        _is_sized(context)
        and size_axis(context) == "event_value"
        and "weight_decay" in context.axes
    ),
)
def critical_size(context: Context) -> Figure:
    """Figure of the size where half of the test accuracy is reached, against weight decay."""
    runs = context.tables["runs"]
    figure, ((panel,),) = canvas.panels(1, 1, width=4.2, height=2.6)
    legend: dict[str, Any] = {}
    lines = groups(runs, _without(context, "event_value", "weight_decay"))
    for colour, (label, group) in zip(line_colours(), lines, strict=False):
        decays = group.groupby("weight_decay")
        found = pd.DataFrame(
            [estimate(crossings(one, "event_value")) for _, one in decays], list(decays.groups)
        )
        ends = found["mean"] - found["low"], found["high"] - found["mean"]
        style = {"color": colour, "linewidth": 1, "elinewidth": 0.7}
        legend[label or "critical size"] = canvas.error_bars(
            panel, found["mean"], np.nan_to_num(np.array(ends)), style
        )
    if runs["weight_decay"].min() > 0:
        canvas.log_ticks(panel)
    panel.set_ylim(bottom=0)
    panel.set_xlabel("weight decay", fontsize=canvas.LABEL_POINTS)
    panel.set_ylabel("critical data fraction α", fontsize=canvas.LABEL_POINTS)
    canvas.title(panel, ("at half of the test accuracy", "with 95 % intervals"))
    canvas.line_legend(figure, legend)
    return figure


def _mean_line(panel: Axes, runs: pd.DataFrame, x: str, y: str, colour: str) -> Any:
    """Mean over seeds with its standard deviation as a band, and every seed as a dot."""
    grouped = runs.groupby(x)[y]
    mean, deviation = grouped.mean(), grouped.std().fillna(0)
    panel.plot(runs[x], runs[y], "o", markersize=2, color=colour, alpha=0.5, markeredgewidth=0)
    canvas.band(panel, mean - deviation, mean + deviation, colour)
    (line,) = panel.plot(mean.index, mean, color=colour, linewidth=1.2)
    return line


def _name_size(panel: Axes) -> None:
    panel.set_xlabel("data fraction α", fontsize=canvas.LABEL_POINTS)
