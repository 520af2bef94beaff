"""What all figures share: sheets of equal panels, labelled axes, the phase legend, safe files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray
from PIL import Image

from phasegrok.figures.layout import SYMBOLS, Axis, Layout
from phasegrok.figures.text import drawable, drawable_lines
from phasegrok.files.atomic import write_whole

__all__ = [
    "band",
    "cell_inches",
    "colour_bar",
    "draw_line",
    "error_bars",
    "heat",
    "label_axes",
    "log_steps",
    "log_ticks",
    "log_y",
    "note",
    "notice",
    "panels",
    "save",
    "sheet",
    "title",
]

TITLE_POINTS: Final = 9
DOTS_PER_INCH: Final = 150
LABEL_POINTS: Final = 9
TICK_POINTS: Final = 7
# Widest a DejaVu Sans digit gets at TICK_POINTS, and its line height, in inches.
TICK_CHARACTER: Final = TICK_POINTS * 0.65 / 72
TICK_LINE: Final = TICK_POINTS * 1.3 / 72

# A panel is about as wide as the paper's, whatever the number of cells; few cells get no smaller
# panel, or titles and legends would outgrow it, and very many get a larger one.
PANEL_INCHES: Final = 2.3
LEAST_CELL_INCHES: Final = 0.06
LEAST_PANEL_INCHES: Final = 0.7
MOST_PANEL_INCHES: Final = 6.0  # 900 dots; more cells than that share them
LONGEST_NAME_INCHES: Final = 1.4  # "corruption fraction" at LABEL_POINTS
TITLE_CHARACTER: Final = TITLE_POINTS * 0.6 / 72  # mean width in DejaVu Sans, and a little more
TITLE_GAP_INCHES: Final = 0.25
LEAST_TITLE_CHARACTERS: Final = 12
LEAST_SHEET_INCHES: Final = 3.6  # or legends and captions would be stacks of words
PANELS_ACROSS: Final = 5  # more of them get narrower ones
LEAST_PANEL_WIDTH: Final = 1.2


def sheet(layout: Layout, rows: int) -> tuple[Figure, list[list[Axes]]]:
    """Figure with ``rows`` x ``layout.columns`` panels, and the panels as ``[row][column]``.

    A panel is seen once :func:`label_axes` has framed it: not all of a sheet need be used.
    """
    width, height = _panel_inches(layout)
    # Room for labels, ticks and titles; constrained layout shares out what is really needed.
    figure = Figure(
        figsize=(
            max(layout.columns * (width + 0.25) + 0.7, LEAST_SHEET_INCHES),
            rows * (height + 0.35) + 1.1,
        ),
        layout="constrained",
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, layout.columns, squeeze=False)
    for panel in axes.flat:
        panel.set_visible(False)
    return figure, [list(row) for row in axes]


def panels(
    rows: int, columns: int, width: float = PANEL_INCHES, height: float = 1.7
) -> tuple[Figure, list[list[Axes]]]:
    """Figure with equal panels of so many inches for plots of lines, as ``[row][column]``."""
    figure = Figure(
        figsize=(
            max(columns * (width + 0.3) + 0.5, LEAST_SHEET_INCHES),
            rows * (height + 0.45) + 0.6,
        ),
        layout="constrained",
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    for panel in axes.flat:
        panel.tick_params(labelsize=TICK_POINTS, length=2)
        panel.spines[["top", "right"]].set_visible(False)
    return figure, [list(row) for row in axes]


def notice(name: str, reason: str) -> Figure:
    """A page that says why there is no picture on it."""
    figure = Figure(figsize=(2 * PANEL_INCHES, PANEL_INCHES))
    FigureCanvasAgg(figure)
    words = "\n".join(drawable_lines(line, 60) for line in (f"{name} cannot be drawn", reason))
    figure.text(0.5, 0.5, words, ha="center", va="center", fontsize=LABEL_POINTS)
    return figure


def log_y(axes: Axes) -> None:
    """A logarithmic y axis, where there is anything to put on one; else a note that there is not.

    Losses are exactly 0 where every margin is wide, and not a number once a run has diverged.
    """
    if _any_above_zero(axes, 1):
        axes.set_yscale("log")
        # Of less than a decade Matplotlib numbers the minor ticks too, larger than the others.
        axes.tick_params(which="both", labelsize=TICK_POINTS)
    elif not _any_finite(axes):
        note(axes, "no finite values")
    else:
        note(axes, "no values above 0")


def _points(axes: Axes) -> NDArray[np.float64]:
    """(points, 2) what the lines of a panel show; those with a number in both places."""
    lines = [np.asarray(line.get_xydata(), np.float64) for line in axes.lines]
    every = np.concatenate([np.zeros((0, 2)), *lines])
    return every[np.isfinite(every).all(axis=1)]


def _any_finite(axes: Axes) -> bool:
    return bool(len(_points(axes)))


def _any_above_zero(axes: Axes, dimension: int) -> bool:
    return bool((_points(axes)[:, dimension] > 0).any())


def note(axes: Axes, text: str) -> None:
    """Grey words in the middle of a panel."""
    axes.text(
        0.5,
        0.5,
        text,
        transform=axes.transAxes,
        ha="center",
        va="center",
        color="#666666",
        fontsize=TICK_POINTS,
    )


def log_ticks(axes: Axes) -> None:
    """A logarithmic x axis with plain numbers at 1 and 3 of every decade; a plain one where
    nothing stands above 0."""
    if _any_above_zero(axes, 0):
        _log_x(axes)


def log_steps(axes: Axes, steps: pd.Series[Any]) -> None:
    """The same before anything is drawn, from the first to the last of the steps after 0."""
    after = steps[steps > 0]
    if after.empty:
        return
    _log_x(axes)
    first, last = float(after.min()), float(after.max())
    room = (last / first) ** 0.05 if last > first else 2.0
    axes.set_xlim(first / room, last * room)


def _log_x(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    axes.xaxis.set_minor_locator(NullLocator())


def _plain(value: float, _position: object) -> str:
    return f"{value / 1000:g}k" if value >= 10_000 else f"{value:g}"


def cell_inches(layout: Layout) -> float:
    """Shorter side of the smallest cell on the sheet."""
    sides = zip((layout.x, layout.y), _panel_inches(layout), strict=True)
    return min(inches * _shares(axis).min() for axis, inches in sides)


def label_axes(axes: Axes, layout: Layout, left: bool, bottom: bool) -> None:
    """Show and frame a panel; name and number its axes where it is at the sheet's left or bottom
    edge."""
    axes.set_visible(True)
    width, height = _panel_inches(layout)
    if layout.x.scale != "category":  # what is drawn stays where the categories are
        axes.set_xscale("function", functions=_to_scale(layout.x))
        axes.set_yscale("function", functions=_to_scale(layout.y))
    axes.set_xlim(-0.5, len(layout.x.values) - 0.5)
    axes.set_ylim(-0.5, len(layout.y.values) - 0.5)
    across, up = (list(map(drawable, axis.labels)) for axis in (layout.x, layout.y))
    room = [(len(label) + 1) * TICK_CHARACTER for label in across]
    ticks = _ticks(_shares(layout.x) * width, room)
    axes.set_xticks(ticks, [across[tick] for tick in ticks])
    room = [0.0 if layout.y.named else TICK_LINE] * len(up)
    ticks = _ticks(_shares(layout.y) * height, room)
    axes.set_yticks(ticks, [up[tick] for tick in ticks])
    axes.minorticks_off()
    axes.tick_params(labelsize=TICK_POINTS, length=2, labelleft=left, labelbottom=bottom)
    if bottom:
        axes.set_xlabel(_axis_title(layout.x), fontsize=LABEL_POINTS)
    if left:
        name = _axis_title(layout.y)
        # A name beside a panel of few rows has to be broken, or it meets its neighbours.
        name = name if height > LONGEST_NAME_INCHES else name.replace(" ", "\n", 1)
        axes.set_ylabel(name, fontsize=LABEL_POINTS)


def _shares(axis: Axis) -> NDArray[np.float64]:
    """What share of a panel's side each category has."""
    widths = np.diff(axis.edges)
    return np.asarray(widths / widths.sum(), np.float64)


def _to_scale(axis: Axis) -> tuple[Any, Any]:
    """From categories to the axis' own scale, and back."""
    edges, ends = axis.edges, np.arange(len(axis.values) + 1) - 0.5
    return (lambda at: np.interp(at, ends, edges)), (lambda place: np.interp(place, edges, ends))


def _ticks(inches: NDArray[np.float64], room: Sequence[float]) -> list[int]:
    """Categories that get a label: every n-th where all are equally wide, else as many as fit."""
    middle = np.cumsum(inches) - inches / 2

    def fit(one: int, other: int) -> bool:
        return bool(middle[other] - middle[one] >= max(room[one], room[other]))

    if np.allclose(inches, inches[0]):
        steps = (list(range(0, len(inches), step)) for step in range(1, len(inches)))
        return next((each for each in steps if all(fit(a, b) for a, b in pairwise(each))), [0])
    chosen = [0]
    for tick in range(1, len(inches)):
        if fit(chosen[-1], tick):
            chosen.append(tick)
    return chosen


def title(axes: Axes, lines: Sequence[str]) -> None:
    """Write a panel's title, long lines broken so that neighbours do not meet."""
    place = axes.get_subplotspec()
    columns = place.get_gridspec().ncols if place else 1
    figure = axes.get_figure(root=True)
    inches = (figure.get_figwidth() if figure else PANEL_INCHES) / columns - TITLE_GAP_INCHES
    room = max(LEAST_TITLE_CHARACTERS, int(inches / TITLE_CHARACTER))
    broken = [drawable_lines(line, room) for line in lines]
    axes.set_title("\n".join(broken), fontsize=TITLE_POINTS)


def colour_bar(
    figure: Figure, axes: Sequence[Axes], colours: str, scale: Normalize, name: str
) -> Colorbar:
    """One colour bar beside panels of a heat map."""
    mapped = ScalarMappable(scale, colours)
    bar = figure.colorbar(mapped, ax=list(axes), shrink=0.6, aspect=30)
    bar.ax.tick_params(labelsize=TICK_POINTS)
    bar.set_label(name, fontsize=LABEL_POINTS)
    return bar


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as PNG and PDF; readers see the old file or the whole new one."""
    # The date and the library's version are left out, so that equal tables give equal bytes.
    metadata: dict[str, dict[str, Any]] = {
        "png": {"Software": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    written = []
    for kind, entries in metadata.items():
        path = folder / f"{name}.{kind}"
        drawn = io.BytesIO()
        figure.savefig(drawn, format=kind, dpi=DOTS_PER_INCH, metadata=entries)
        figure.set_layout_engine("none")  # it is laid out now; to do it again takes as long
        content = drawn.getvalue() if kind == "pdf" else few_colours(drawn)
        write_whole(path, content)
        written.append(path)
    return written


def few_colours(png: IO[bytes]) -> bytes:
    """A PNG in 256 colours, a third of its size. Areas keep their exact colour; what is lost are
    shades of the smoothed edges of letters and lines."""
    with Image.open(png) as full:
        picture = full.convert("RGB").quantize(
            256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
    small = io.BytesIO()
    picture.save(small, "png", optimize=True)
    return small.getvalue()


def draw_line(axes: Axes, table: pd.DataFrame, x: str, y: str, style: dict[str, Any]) -> Artist:
    """Mean over seeds of one column against another, with a band from lowest to highest."""
    seeds = table.pivot_table(index=x, columns="seed", values=y, sort=True)
    (line,) = axes.plot(seeds.index, seeds.mean(axis=1), linewidth=1.2, **style)
    if seeds.shape[1] > 1:
        band(axes, seeds.min(axis=1), seeds.max(axis=1), style["color"])
    return line


def heat(axes: Axes, values: NDArray[Any], colours: Any, scale: Normalize) -> None:
    """Cells of a panel in the colours of their values, [y, x]; those that are not finite stay
    blank. It is one image, small and quick for any number of cells."""
    axes.pcolormesh(
        np.arange(values.shape[1] + 1) - 0.5,
        np.arange(values.shape[0] + 1) - 0.5,
        np.ma.masked_invalid(values),
        cmap=colours,
        norm=scale,
        rasterized=True,
    )


def error_bars(
    axes: Axes, mean: pd.Series[Any], ends: Any, style: Mapping[str, Any]
) -> ErrorbarContainer:
    """Means with bars from ``ends[0]`` below them to ``ends[1]`` above, a dot each."""
    x, y = mean.index.to_numpy(), mean.to_numpy()  # matplotlib makes objects of a series
    return axes.errorbar(x, y, ends, **{"marker": "o", "markersize": 3, "capsize": 2, **style})


def band(axes: Axes, low: pd.Series[Any], high: pd.Series[Any], colour: str) -> None:
    """A pale band between two lines."""
    axes.fill_between(
        low.index,
        low.astype(float),
        high.astype(float),
        color=colour,
        alpha=0.18,
        linewidth=0,
    )


def _panel_inches(layout: Layout) -> tuple[float, float]:
    across, up = len(layout.x.values), len(layout.y.values)
    full = max(PANEL_INCHES * min(1.0, PANELS_ACROSS / layout.columns), LEAST_PANEL_WIDTH)
    width = min(max(full, across * LEAST_CELL_INCHES), MOST_PANEL_INCHES)
    # A diagram of one row or two would be a stack of towers at full height.
    least = TICK_LINE if layout.y.named else LEAST_CELL_INCHES  # of names none may be left out
    height = max(min(PANEL_INCHES, up * 0.5), up * least, LEAST_PANEL_INCHES)
    return width, height if layout.y.named else min(height, MOST_PANEL_INCHES)


def _axis_title(axis: Axis) -> str:
    symbol = SYMBOLS.get(axis.column or "", "")
    return drawable(f"{axis.name} {symbol}".strip())
