"""Pictures against the size of the training set (efficiency study, Figures 4, 6 and 9)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasegrok.analysis.critical import crossings, estimate, settled
from phasegrok.figures import canvas
from phasegrok.figures.layout import format_values, words

__all__ = ["by_size", "size_axis"]

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
PANELS_ACROSS: Final = 3
MANY_SEEDS: Final = 8  # from so many on, their distribution is worth a picture
EFFICIENCY: Final = {"weight_norm": "parameter norm", "train_logit": "correct logit, training"}


def size_axis(sweep: Mapping[str, Any], axes: Sequence[str]) -> str | None:
    """The swept column that the training set is sized by: an event's value where it shrinks the
    set, else the data fraction."""
    if sweep.get("event", {}).get("set") == "data.data_fraction" and "event_value" in axes:
        return "event_value"
    return "data_fraction" if "data_fraction" in axes else None


def by_size(
    runs: pd.DataFrame,
    axes: Sequence[str],
    sweep: Mapping[str, Any],
    curves: pd.DataFrame | None = None,
) -> Iterator[tuple[str, Figure]]:
    """Every figure against the training set's size that a table of runs allows, by file name; with
    curves, of settled values where single points of a training tell little."""
    size = size_axis(sweep, axes)
    if size is None:
        return
    others = [name for name in axes if name != size]
    if "variant" in axes and size == "data_fraction":
        yield "data_efficiency", _data_efficiency(runs, size, others)
    if not others and runs["seed"].nunique() >= MANY_SEEDS:
        yield "distribution", _distribution(runs if curves is None else settled(runs, curves), size)
    if "train_logit" in runs:
        end = runs if curves is None else settled(runs, curves, tuple(EFFICIENCY))
        yield "model_efficiency", _model_efficiency(end, size, others)
    if size == "event_value" and "weight_decay" in axes:
        yield "critical_size", _critical(runs, size, others)


def _data_efficiency(runs: pd.DataFrame, size: str, others: Sequence[str]) -> Figure:
    """Best test accuracy reached, a panel a variant: mean, standard deviation, every seed."""
    variants = list(dict.fromkeys(runs["variant"]))
    rest = [name for name in others if name != "variant"]
    across = min(PANELS_ACROSS, len(variants))
    figure, sheet = canvas.panels(math.ceil(len(variants) / across), across)
    panels = [panel for row in sheet for panel in row]
    legend: dict[str, Any] = {}
    for number, panel in enumerate(panels):
        if number >= len(variants):
            panel.set_visible(False)
            continue
        table = runs[runs["variant"] == variants[number]]
        for colour, (name, group) in zip(_cycle(), _lines(table, rest), strict=False):
            line = _mean_line(panel, group, size, "peak_test_accuracy", colour)
            legend[name or "mean and standard deviation; dots: seeds"] = line
        canvas.title(panel, (variants[number],))
        panel.set_ylim(-0.03, 1.03)
        if number + across >= len(variants):
            _name_size(panel)
        if number % across == 0:
            panel.set_ylabel("best test accuracy", fontsize=canvas.LABEL_POINTS)
    canvas.line_legend(figure, legend)
    return figure


def _distribution(runs: pd.DataFrame, size: str) -> Figure:
    """Every seed's final test accuracy, and the size where a half of it is reached."""
    figure, ((panel,),) = canvas.panels(1, 1, width=4.2, height=2.6)
    values = np.sort(runs[size].unique())
    spacing = float(np.diff(values).min()) if len(values) > 1 else 0.1
    legend: dict[str, Any] = {}
    for value, group in runs.groupby(size):
        ordered = np.sort(group["test_accuracy"].fillna(0))
        # Side by side in order, so that none hides another and nothing is left to chance.
        beside = np.linspace(-0.3, 0.3, len(ordered)) * spacing
        (legend["a seed"],) = panel.plot(
            float(str(value)) + beside,
            ordered,
            "o",
            markersize=3,
            color=COLOURS[0],
            alpha=0.6,
            markeredgewidth=0,
        )
    mean = runs.groupby(size)["test_accuracy"].mean()
    (legend["mean"],) = panel.plot(mean.index, mean, color=COLOURS[1], linewidth=1)
    found = estimate(crossings(runs, size))
    if found.seeds > 1:
        panel.axvspan(found.low, found.high, color="#999999", alpha=0.3, linewidth=0)
        legend["D_crit, 95 % interval"] = panel.axvline(found.mean, color="#666666", linewidth=0.8)
    panel.set_ylim(-0.03, 1.03)
    _name_size(panel)
    panel.set_ylabel("test accuracy at the end", fontsize=canvas.LABEL_POINTS)
    canvas.line_legend(figure, legend)
    return figure


def _model_efficiency(runs: pd.DataFrame, size: str, others: Sequence[str]) -> Figure:
    """Norm of all weights and mean correct logit at the end of training."""
    figure, (panels,) = canvas.panels(1, len(EFFICIENCY), width=3.0, height=2.4)
    legend: dict[str, Any] = {}
    for panel, (column, name) in zip(panels, EFFICIENCY.items(), strict=True):
        for colour, (label, group) in zip(_cycle(), _lines(runs, others), strict=False):
            legend[label or "mean"] = _mean_line(panel, group, size, column, colour)
        panel.set_ylim(bottom=0)
        _name_size(panel)
        panel.set_ylabel(name, fontsize=canvas.LABEL_POINTS)
    canvas.line_legend(figure, legend)
    return figure


def _critical(runs: pd.DataFrame, size: str, others: Sequence[str]) -> Figure:
    """Size where half of the test accuracy is reached, against weight decay."""
    figure, ((panel,),) = canvas.panels(1, 1, width=4.2, height=2.6)
    rest = [name for name in others if name != "weight_decay"]
    legend: dict[str, Any] = {}
    for colour, (label, group) in zip(_cycle(), _lines(runs, rest), strict=False):
        found = {
            float(str(decay)): estimate(crossings(one, size))
            for decay, one in group.groupby("weight_decay")
        }
        mean = np.array([each.mean for each in found.values()])
        ends = np.array([[each.mean - each.low, each.high - each.mean] for each in found.values()])
        legend[label or "critical size"] = panel.errorbar(
            list(found),
            mean,
            yerr=np.nan_to_num(ends).T,
            color=colour,
            marker="o",
            markersize=3,
            linewidth=1,
            capsize=2,
            elinewidth=0.7,
        )
    if runs["weight_decay"].min() > 0:
        canvas.log_ticks(panel)
    panel.set_ylim(bottom=0)
    panel.set_xlabel("weight decay", fontsize=canvas.LABEL_POINTS)
    panel.set_ylabel("critical data fraction α", fontsize=canvas.LABEL_POINTS)
    canvas.title(panel, ("at half of the test accuracy", "with 95 % intervals"))
    canvas.line_legend(figure, legend)
    return figure


def _lines(runs: pd.DataFrame, by: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """The runs of every combination of some axes, with its name in words."""
    if not by:
        yield "", runs
        return
    for values, group in runs.groupby(list(by), sort=True):
        named = zip(by, values, strict=True)
        yield ", ".join(f"{words(axis)} {format_values([v])[0]}" for axis, v in named), group


def _mean_line(panel: Axes, runs: pd.DataFrame, x: str, y: str, colour: str) -> Any:
    """Mean over seeds with its standard deviation as a band, and every seed as a dot."""
    grouped = runs.groupby(x)[y]
    mean, deviation = grouped.mean(), grouped.std().fillna(0)
    panel.plot(runs[x], runs[y], "o", markersize=2, color=colour, alpha=0.5, markeredgewidth=0)
    panel.fill_between(
        mean.index,
        (mean - deviation).astype(float),
        (mean + deviation).astype(float),
        color=colour,
        alpha=0.18,
        linewidth=0,
    )
    (line,) = panel.plot(mean.index, mean, color=colour, linewidth=1.2)
    return line


def _name_size(panel: Axes) -> None:
    panel.set_xlabel("data fraction α", fontsize=canvas.LABEL_POINTS)


def _cycle() -> Iterator[str]:
    while True:
        yield from COLOURS
