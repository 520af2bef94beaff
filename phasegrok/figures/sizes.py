"""Pictures against the size of the training set (efficiency study, Figures 4, 6 and 9)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasegrok.analysis.critical import crossings, estimate
from phasegrok.analysis.settled import settled
from phasegrok.figures import canvas
from phasegrok.figures.context import Context
from phasegrok.figures.grid import grid
from phasegrok.figures.layout import groups
from phasegrok.figures.legends import line_legend
from phasegrok.figures.palette import LINES, line_styles
from phasegrok.figures.registry import picture

__all__ = ["critical_size", "data_efficiency", "distribution", "model_efficiency", "size_axis"]

MANY_SEEDS: Final = 8  # from so many on, their distribution is worth a picture
# What networks of labels that are all true, or all drawn anew, are called in the study.
LABELLED: Final = {
    "corruption fraction 0": "C_gen: true labels (ξ = 0)",
    "corruption fraction 1": "C_mem: random labels (ξ = 1)",
}
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
    """Figure of the best test accuracy reached: a line a variant, a panel for all else."""
    runs = context.tables["runs"]
    panels = list(groups(runs, _without(context, "variant", "data_fraction")))
    sheet = grid(1, len(panels), width=4.2 if len(panels) == 1 else 2.3, height=2.6)
    legend: dict[str, Any] = {}
    for axes, (name, group) in zip(sheet.rows[0], panels, strict=True):
        for look, variant in zip(line_styles(), dict.fromkeys(runs["variant"]), strict=False):
            mine = group[group["variant"] == variant].groupby("data_fraction")["peak_test_accuracy"]
            if len(mine):
                mean = mine.mean()
                ends = np.stack([mean - mine.min(), mine.max() - mean])
                style = {**look, "linewidth": 1.2, "elinewidth": 0.6}
                legend[str(variant)] = canvas.error_bars(axes, mean, ends, style)
        axes.set_ylim(-0.03, 1.03)
        if name:
            canvas.title(axes, (name,))
    sheet.name_x("data fraction α")
    sheet.name_y("best test accuracy")
    seeds = int(runs["seed"].nunique())
    note = f"lines: mean, bars: lowest to highest of {seeds} seeds" if seeds > 1 else ""
    line_legend(sheet.figure, legend, note=note)
    return sheet.figure


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
    interval = ""
    if found.seeds > 1:
        panel.axvspan(found.low, found.high, color="#999999", alpha=0.3, linewidth=0)
        legend["half of the accuracy: D_crit"] = panel.axvline(
            found.mean, color="#666666", linewidth=0.8, linestyle="--"
        )
        interval = "band: 95 % interval of D_crit"
    panel.set_ylim(-0.03, 1.03)
    _name_size(panel)
    panel.set_ylabel("test accuracy at the end", fontsize=canvas.LABEL_POINTS)
    line_legend(figure, legend, note=interval)
    return figure


def _draw_seeds(panel: Axes, runs: pd.DataFrame, size: str) -> Any:
    """A short line a seed at its test accuracy, at the size that was run: spread sideways, seeds
    would look like a rising curve."""
    (marks,) = panel.plot(
        runs[size],
        runs["test_accuracy"].fillna(0),
        "_",
        markersize=11,
        color=LINES[0],
        alpha=0.7,
        markeredgewidth=1.2,
    )
    return marks


@picture("model_efficiency", applies=lambda context: _is_sized(context, "train_logit"))
def model_efficiency(context: Context) -> Figure:
    """Figure of the norm of all weights and of the mean correct logit at the end of training."""
    runs, size = _at_the_end(context, *EFFICIENCY), str(size_axis(context))
    figure, (panels,) = canvas.panels(1, len(EFFICIENCY), width=3.0, height=2.4)
    legend: dict[str, Any] = {}
    for panel, (column, name) in zip(panels, EFFICIENCY.items(), strict=True):
        lines = groups(runs, _without(context, size))
        for style, (label, group) in zip(line_styles(), lines, strict=False):
            line = _mean_line(panel, group, size, column, style)
            legend[LABELLED.get(label, label) or "mean"] = line
        panel.set_ylim(bottom=0)
        _name_size(panel)
        panel.set_ylabel(name, fontsize=canvas.LABEL_POINTS)
    several = runs["seed"].nunique() > 1
    band = "lines: mean, bands: standard deviation, dots: seeds" if several else ""
    line_legend(figure, legend, note=band)
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
    for look, (label, group) in zip(line_styles(), lines, strict=False):
        decays = group.groupby("weight_decay")
        found = pd.DataFrame(
            [estimate(crossings(one, "event_value")) for _, one in decays], list(decays.groups)
        )
        ends = found["mean"] - found["low"], found["high"] - found["mean"]
        style = {"linewidth": 1, "elinewidth": 0.7, **look}
        legend[label or "critical size"] = canvas.error_bars(
            panel, found["mean"], np.nan_to_num(np.array(ends)), style
        )
    if runs["weight_decay"].min() > 0:
        canvas.log_ticks(panel)
    panel.set_ylim(bottom=0)
    panel.set_xlabel("weight decay", fontsize=canvas.LABEL_POINTS)
    panel.set_ylabel("critical data fraction α", fontsize=canvas.LABEL_POINTS)
    canvas.title(panel, ("at half of the test accuracy", "bars: 95 % intervals"))
    line_legend(figure, legend)
    return figure


def _mean_line(panel: Axes, runs: pd.DataFrame, x: str, y: str, style: dict[str, Any]) -> Any:
    """Mean over seeds with its standard deviation as a band, and every seed as a dot."""
    grouped = runs.groupby(x)[y]
    mean, deviation = grouped.mean(), grouped.std().fillna(0)
    dots: dict[str, Any] = {"markersize": 2, "alpha": 0.5, "markeredgewidth": 0}
    panel.plot(runs[x], runs[y], style["marker"], color=style["color"], **dots)
    canvas.band(panel, mean - deviation, mean + deviation, style["color"])
    (line,) = panel.plot(mean.index, mean, linewidth=1.2, **style)
    return line


def _name_size(panel: Axes) -> None:
    panel.set_xlabel("data fraction α", fontsize=canvas.LABEL_POINTS)
