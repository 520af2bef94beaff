"""What a network's hidden layer holds while it learns: its activations and output weights.

Fuangkawinsombut's thesis, Figures 2.2, 2.3, A.3 and A.4.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from phasegrok.analysis.stages import slowest_seed
from phasegrok.figures import canvas
from phasegrok.figures.cells import OneCell, title_lines
from phasegrok.figures.context import Context
from phasegrok.figures.grid import grid
from phasegrok.figures.legends import line_legend
from phasegrok.figures.palette import GROUPS, MAIN, MARKERS
from phasegrok.figures.registry import picture

__all__ = ["activations", "output_weights"]

MOST_GROUPS: Final = len(GROUPS)  # more would share colours
KEYS: Final = ("example", "true_label", "shown_label", "neuron", "activation")
PERPLEXITY: Final = 30.0  # scikit-learn's default, where there are examples enough


def _shows(context: Context, table: str) -> bool:
    return context.has("runs") and bool(context.having(table))


MOST: Final = 1e15  # of larger numbers scikit-learn's squares overflow float32
LEAST_DIFFERENCE: Final = 1e-6  # of the largest activation


@picture("activations", applies=lambda context: _shows(context, "activations"))
def activations(context: Context) -> Figure:
    """Figure of t-SNE maps of the hidden activations on training examples: cells down, steps
    across.

    The run of a cell that takes longest from memorization to generalization is shown, as in the
    thesis. The inputs that decide the label give the colours where they take few values, as the
    signs of the first k bits do. Elsewhere the true label does.
    """
    table, cells = context.tables["activations"], context.having("activations")
    steps = sorted(table["step"].unique().tolist())
    sheet = grid(len(cells), len(steps), width=1.9, height=1.9, title_lines=title_lines(cells) + 1)
    legend: dict[str, Artist] = {}
    for line, cell in zip(sheet, cells, strict=True):
        seed, mine = _slowest(context, cell, "activations")
        for axes, step in zip(line, steps, strict=True):
            snapshot = mine[mine["step"] == step]
            matrix = snapshot.pivot(index="example", columns="neuron", values="activation")
            title = cell.titles_at(step == steps[-1])
            canvas.title(axes, (*title, f"seed {seed}, step {step}"))
            axes.set_xticks([])
            axes.set_yticks([])
            if reason := _unfit(matrix.to_numpy(np.float64), same=True):
                canvas.note(axes, reason)
                continue
            groups = _groups(snapshot.drop_duplicates("example").set_index("example"), table)
            places = _places(matrix)
            for number, group in enumerate(sorted(groups.unique())):
                inside = (groups.loc[matrix.index] == group).to_numpy()
                x, y = places[inside].T
                colour, mark = GROUPS[number % len(GROUPS)], MARKERS[number % len(MARKERS)]
                (legend[group],) = axes.plot(
                    x, y, mark, color=colour, alpha=0.8, markersize=2, markeredgewidth=0
                )
    line_legend(sheet.figure, legend)
    return sheet.figure


def _slowest(context: Context, cell: OneCell, table: str) -> tuple[int, pd.DataFrame]:
    """Seed of a cell's slowest run, and its rows of a table."""
    seed = slowest_seed(cell.of(context.tables["runs"]))
    rows = cell.of(context.tables[table])
    return seed, rows[rows["seed"] == seed]


def _unfit(values: NDArray[np.float64], same: bool) -> str:
    """Why scikit-learn cannot take these numbers, in words; it is nothing where it can.

    Args:
        values: of one network.
        same: whether rows that do not differ are unfit too. Networks that forgot everything answer
            every example alike, and t-SNE of equal rows ends the process.
    """
    if not values.size or not np.isfinite(values).all():
        return "no finite values"
    most = float(np.abs(values).max())
    if most >= MOST:
        return f"values up to {most:.0e}"
    if same and (len(values) < 3 or np.ptp(values, axis=0).max() <= most * LEAST_DIFFERENCE):
        return "all examples alike"
    return ""


def _places(matrix: pd.DataFrame) -> NDArray[np.float32]:
    """Where t-SNE puts every row on a plane."""
    # Imported late: scikit-learn takes a second, and few sweeps need it.
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(PERPLEXITY, (len(matrix) - 1) / 3)
    # One thread and one seed: the same tables give the same picture. Many threads of so small a
    # problem would also wait for each other: a hundred times as long on a busy machine.
    with threadpool_limits(1):
        found = TSNE(perplexity=perplexity, random_state=0).fit_transform(matrix.to_numpy())
    return np.asarray(found)


@picture("output_weights", applies=lambda context: _shows(context, "readout"))
def output_weights(context: Context) -> Figure:
    """Figure of the density of the output weights: cells down, steps across.

    The run shown is that of :func:`activations`.
    """
    table, cells = context.tables["readout"], context.having("readout")
    steps = sorted(table["step"].unique().tolist())
    sheet = grid(len(cells), len(steps), width=1.9, height=1.3, title_lines=title_lines(cells) + 1)
    for line, cell in zip(sheet, cells, strict=True):
        seed, mine = _slowest(context, cell, "readout")
        weight = mine["weight"].abs()
        reach = float(weight[weight < MOST].max()) or 1.0
        for axes, step in zip(line, steps, strict=True):
            weights = mine.loc[mine["step"] == step, "weight"].to_numpy(np.float64)
            title = cell.titles_at(step == steps[-1])
            canvas.title(axes, (*title, f"seed {seed}, step {step}"))
            if reason := _unfit(weights, same=False):
                canvas.note(axes, reason)
            else:
                _draw_density(axes, weights, reach)
    sheet.name_x("output weight w")
    sheet.name_y("density")
    return sheet.figure


def _draw_density(axes: Axes, weights: NDArray[np.float64], reach: float) -> None:
    """Density by a Gaussian kernel of Scott's width, from ``-reach`` to ``reach`` and a bit."""
    from sklearn.neighbors import KernelDensity

    width = max(weights.std() * len(weights) ** -0.2, reach * 1e-3)
    grid = np.linspace(-reach - 3 * width, reach + 3 * width, 401)
    density = KernelDensity(bandwidth=width).fit(weights[:, None])
    axes.fill_between(
        grid,
        np.exp(density.score_samples(grid[:, None])),
        color=MAIN,
        alpha=0.35,
        linewidth=0.8,
    )
    small = (np.abs(weights) < 0.01).mean()
    axes.text(
        0.97,
        0.95,
        f"{small:.0%} with\n|w| < 0.01",
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=canvas.TICK_POINTS,
    )
    axes.set_ylim(bottom=0)


def _groups(examples: pd.DataFrame, table: pd.DataFrame) -> pd.Series[str]:
    """The group of every example, as text; each has a colour."""
    after = list(table.columns).index("example") + 1
    inputs = [name for name in table.columns[after:] if name not in KEYS]
    if inputs and len(table[inputs].drop_duplicates()) <= MOST_GROUPS:
        parts = [f"{name} " + examples[name].map("{:+.0f}".format) for name in inputs]
        text: pd.Series[str] = parts[0]
        for part in parts[1:]:
            text = text + ", " + part
        return text
    return "label " + examples["true_label"].astype(str)
