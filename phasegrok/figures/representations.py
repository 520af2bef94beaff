"""What a network's hidden layer holds while it learns (Fuangkawinsombut's thesis, Figures 2.2, 2.3,
A.3 and A.4): activations by t-SNE, output weights by kernel density."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from phasegrok.figures import canvas
from phasegrok.figures.cells import OneCell

__all__ = ["activations", "output_weights"]

# Okabe and Ito's, for up to eight groups; more are numbered round.
COLOURS: Final = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#8c6d1f",
    "#26384a",
)
MOST_GROUPS: Final = 8
KEYS: Final = ("example", "true_label", "shown_label", "neuron", "activation")
PERPLEXITY: Final = 30.0  # scikit-learn's default, where there are examples enough


def activations(table: pd.DataFrame, runs: pd.DataFrame, cells: Sequence[OneCell]) -> Figure:
    """Figure of t-SNE maps of the hidden activations on training examples: cells down, looks
    across.

    Colours are of the inputs that decide the label where those take few values, as the signs of
    the first k bits do, else of the true label. Of every cell the run is shown that takes longest
    from memorization to generalization, as the thesis chooses it.
    """
    # Imported late: scikit-learn takes a second, and few sweeps need it.
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    steps = sorted(table["step"].unique().tolist())
    figure, sheet = canvas.panels(len(cells), len(steps), width=1.9, height=1.9)
    legend: dict[str, Artist] = {}
    for line, cell in zip(sheet, cells, strict=True):
        seed = slowest(cell.of(runs))
        mine = cell.of(table)
        mine = mine[mine["seed"] == seed]
        for axes, step in zip(line, steps, strict=True):
            look = mine[mine["step"] == step]
            matrix = look.pivot(index="example", columns="neuron", values="activation")
            groups = _groups(look.drop_duplicates("example").set_index("example"), table)
            perplexity = min(PERPLEXITY, (len(matrix) - 1) / 3)
            # One thread and one seed: the same tables give the same picture. Threads of so small
            # a problem would also wait for each other: a hundred times as long on a busy machine.
            with threadpool_limits(1):
                places = TSNE(perplexity=perplexity, random_state=0).fit_transform(
                    matrix.to_numpy()
                )
            for number, group in enumerate(sorted(groups.unique())):
                inside = (groups.loc[matrix.index] == group).to_numpy()
                (legend[group],) = axes.plot(
                    places[inside, 0],
                    places[inside, 1],
                    ".",
                    markersize=3,
                    color=COLOURS[number % len(COLOURS)],
                )
            canvas.title(axes, (*cell.titles, f"seed {seed}, step {step}"))
            axes.set_xticks([])
            axes.set_yticks([])
    canvas.line_legend(figure, legend)
    return figure


def output_weights(table: pd.DataFrame, runs: pd.DataFrame, cells: Sequence[OneCell]) -> Figure:
    """Figure of the density of the output weights (a Gaussian kernel, Scott's width): cells down,
    looks across. The run shown is that of :func:`activations`."""
    from sklearn.neighbors import KernelDensity

    steps = sorted(table["step"].unique().tolist())
    figure, sheet = canvas.panels(len(cells), len(steps), width=1.9, height=1.3)
    for line, cell in zip(sheet, cells, strict=True):
        seed = slowest(cell.of(runs))
        mine = cell.of(table)
        mine = mine[mine["seed"] == seed]
        reach = float(mine["weight"].abs().max()) or 1.0
        for axes, step in zip(line, steps, strict=True):
            weights = mine.loc[mine["step"] == step, "weight"].to_numpy(np.float64)
            width = max(weights.std() * len(weights) ** -0.2, reach * 1e-3)
            grid = np.linspace(-reach - 3 * width, reach + 3 * width, 401)
            density = KernelDensity(bandwidth=width).fit(weights[:, None])
            axes.fill_between(
                grid,
                np.exp(density.score_samples(grid[:, None])),
                color="#0072b2",
                alpha=0.35,
                linewidth=0.8,
            )
            small = (np.abs(weights) < 0.01).mean()
            canvas.title(axes, (*cell.titles, f"seed {seed}, step {step}"))
            axes.text(
                0.97,
                0.95,
                f"{small:.0%} below 0.01",
                transform=axes.transAxes,
                ha="right",
                va="top",
                fontsize=canvas.TICK_POINTS,
            )
            axes.set_ylim(bottom=0)
        line[0].set_ylabel("density", fontsize=canvas.LABEL_POINTS)
    for axes in sheet[-1]:
        axes.set_xlabel("output weight", fontsize=canvas.LABEL_POINTS)
    return figure


def slowest(runs: pd.DataFrame) -> int:
    """Seed of the run with the most steps from memorization to generalization; of runs that do
    not get there, the first."""
    runs = runs.sort_values("seed")
    gap = (runs["generalization_step"] - runs["memorization_step"]).astype("Float64").fillna(-1.0)
    return int(runs["seed"].to_numpy()[int(gap.to_numpy(np.float64).argmax())])


def _groups(examples: pd.DataFrame, table: pd.DataFrame) -> pd.Series[str]:
    """What every example is coloured by, as text."""
    after = list(table.columns).index("example") + 1
    inputs = [name for name in table.columns[after:] if name not in KEYS]
    if inputs and len(table[inputs].drop_duplicates()) <= MOST_GROUPS:
        parts = [f"{name} " + examples[name].map("{:+.0f}".format) for name in inputs]
        text: pd.Series[str] = parts[0]
        for part in parts[1:]:
            text = text + ", " + part
        return text
    return "label " + examples["true_label"].astype(str)
