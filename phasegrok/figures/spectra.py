"""Histograms of IPR and periodic weight rows (Doshi et al., Figures 2b, 2c and 4)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasegrok.analysis.pruned import last_step
from phasegrok.analysis.trends import normalization_correlation
from phasegrok.figures import canvas
from phasegrok.figures.cells import title_lines
from phasegrok.figures.context import Context
from phasegrok.figures.curves import matrix_name
from phasegrok.figures.grid import grid
from phasegrok.figures.legends import hatched, line_legend
from phasegrok.figures.palette import INK, PALETTE
from phasegrok.figures.registry import picture

__all__ = ["histograms", "normalization_weights", "weight_rows"]

BINS: Final = np.linspace(0, 1, 41).tolist()
DEAD_AT: Final = (-0.1, -0.03)  # where the bar of neurons without an IPR stands
DEAD: Final[dict[str, Any]] = {"hatch": "////", "edgecolor": "#888888", "linewidth": 0.5}
TEXT_ROOM: Final = 1.25  # above the highest bar, for the words of a panel


@picture("ipr_histograms", applies=lambda context: bool(context.having("neurons")))
def histograms(context: Context) -> Figure:
    """Figure of the distribution of per-neuron IPR: cells across; steps and layers down.

    Neurons without weights have no IPR. They are a hatched bar of their own, left of 0.
    """
    neurons, cells = context.tables["neurons"], context.having("neurons")
    kinds = neurons[["layer", "step"]].drop_duplicates().to_numpy().tolist()
    last = max(step for _, step in kinds)
    sheet = grid(
        len(kinds), len(cells), height=1.3, together=True, title_lines=title_lines(cells) + 1
    )
    dead = bool(neurons["dead"].any())
    for row, (layer, step) in zip(sheet, kinds, strict=True):
        there = neurons[(neurons["layer"] == layer) & (neurons["step"] == step)]
        for axes, cell in zip(row, cells, strict=True):
            lines = () if len(kinds) == 1 else (f"{layer}, step {step}",)
            canvas.title(axes, (*cell.titles_at(step == last), *lines))
            axes.set_xlim(DEAD_AT[0] - 0.02 if dead else 0, 1)
            axes.set_xticks(np.linspace(0, 1, 6))
            _histogram(axes, cell.of(there), PALETTE[cell.phase].colour)
        top = max(axes.get_ylim()[1] for axes in row)
        for axes in row:
            axes.set_ylim(0, top * TEXT_ROOM)
    sheet.name_x("IPR of a neuron")
    sheet.name_y("neurons (%)")
    line_legend(sheet.figure, {"dead neurons: no weights, so no IPR": hatched()} if dead else {})
    return sheet.figure


def _histogram(axes: Axes, table: pd.DataFrame, colour: str) -> None:
    if table.empty:
        return
    alive = table.loc[~table["dead"], "ipr"].dropna()
    share = np.full(len(alive), 100 / len(table))
    axes.hist(alive, BINS, weights=share, color=colour, edgecolor=INK, linewidth=0.3)
    dead = float(table["dead"].mean())
    if dead:
        left, right = DEAD_AT
        axes.fill_between([left, right], 0, 100 * dead, facecolor="#ffffff", **DEAD)
    seeds = table["seed"].nunique()
    lines = [f"mean {alive.mean():.2f}"] if len(alive) else []
    lines += [f"{dead:.0%} dead"] if dead else []
    lines += [f"{seeds} seeds"] if seeds > 1 else []
    axes.text(
        0.5,
        0.98,
        "\n".join(lines),
        transform=axes.transAxes,
        ha="center",
        va="top",
        fontsize=canvas.TICK_POINTS,
    )


def _has_normalization_weights(context: Context) -> bool:
    return bool(context.having("neurons")) and context.has("neurons", "normalization_weight")


@picture("normalization_weights", applies=_has_normalization_weights)
def normalization_weights(context: Context) -> Figure:
    """Figure of every neuron's normalization weight against its IPR (Figure 5, right).

    With the rank correlation, at the end of training: cells across, layers down.
    """
    last = last_step(context.tables["neurons"]).dropna(subset=["normalization_weight", "ipr"])
    cells = [cell for cell in context.single if not cell.of(last).empty]
    layers = last["layer"].unique().tolist()
    sheet = grid(len(layers), len(cells), together=True, title_lines=title_lines(cells) + 1)
    for line, layer in zip(sheet, layers, strict=True):
        for axes, cell in zip(line, cells, strict=True):
            mine = cell.of(last[last["layer"] == layer])
            axes.plot(
                mine["ipr"],
                mine["normalization_weight"].abs(),
                ".",
                color=INK,
                markersize=2,
                alpha=0.5,
            )
            rank = normalization_correlation(mine)
            canvas.title(axes, (*cell.titles, f"{layer}: rank correlation {rank:.2f}"))
            axes.set_xlim(0, 1)
    sheet.name_x("IPR of a neuron")
    sheet.name_y("|normalization weight|")
    return sheet.figure


@picture("weight_rows", applies=lambda context: bool(context.having("rows")))
def weight_rows(context: Context) -> Figure:
    """Figure of one neuron's input weights over the tokens: cells down, steps across.

    The neuron is the saved one of the highest final IPR, of the first seed. Where spectra were not
    measured it is the first one.
    """
    rows, cells = context.tables["rows"], context.having("rows")
    steps = sorted(rows["step"].unique())
    sheet = grid(len(cells), len(steps), width=3.0, height=1.3, title_lines=title_lines(cells) + 1)
    for line, cell in zip(sheet, cells, strict=True):
        mine = cell.of(rows)
        matrix = mine["matrix"].iloc[0]  # another model has another one
        mine = mine[(mine["seed"] == mine["seed"].min()) & (mine["matrix"] == matrix)]
        several = mine["layer"].nunique() > 1
        layer, best = _most_periodic(mine, context.tables.get("neurons"))
        mine = mine[(mine["layer"] == layer) & (mine["neuron"] == best)]
        for axes, step in zip(line, steps, strict=True):
            weights = mine[mine["step"] == step]
            axes.plot(
                weights["token"],
                weights["weight"],
                color=INK,
                linewidth=0.8,
                marker=".",
                markersize=2.5,
            )
            name = f"{layer} neuron {best}" if several else f"neuron {best}"
            title = cell.titles_at(step == steps[-1])
            canvas.title(axes, (*title, f"{name}, step {step}"))
        line[0].set_ylabel(f"{matrix_name(matrix)} weight", fontsize=canvas.LABEL_POINTS)
    sheet.name_x(f"token i (seed {rows['seed'].min()})")
    return sheet.figure


def _most_periodic(rows: pd.DataFrame, neurons: pd.DataFrame | None) -> tuple[str, int]:
    """Layer and number of the neuron to show: every layer counts its neurons from 0."""
    saved = rows[["layer", "neuron"]].drop_duplicates()
    if neurons is not None:
        mine = last_step(neurons[neurons["run"] == rows["run"].iloc[0]]).merge(saved)
        if mine["ipr"].notna().any():
            best = mine.iloc[int(np.nanargmax(mine["ipr"]))]
            return str(best["layer"]), int(best["neuron"])
    return str(saved["layer"].iloc[0]), int(saved["neuron"].iloc[0])
