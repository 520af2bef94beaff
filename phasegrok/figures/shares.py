"""How often networks of a width generalize (Fuangkawinsombut's thesis, section 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from phasegrok.analysis.phases import GENERALIZES
from phasegrok.analysis.shares import share
from phasegrok.figures import canvas
from phasegrok.figures.layout import format_values, words

__all__ = ["FEWEST_SEEDS", "by_width"]

# Fewer say little of a share: the interval of 0 of 20 reaches to 0.16.
FEWEST_SEEDS: Final = 20
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


def by_width(runs: pd.DataFrame, axes: Sequence[str]) -> Figure:
    """Figure of the share of seeds with test accuracy of at least 90 % against width, a line for
    every combination of the other axes, with 95 % intervals (Wilson)."""
    others = [name for name in axes if name != "width"]
    figure, ((panel,),) = canvas.panels(1, 1, width=4.2, height=2.6)
    legend = {}
    groups = list(runs.groupby(others, sort=True)) if others else [((), runs)]
    for number, (values, group) in enumerate(groups):
        found = share(group["test_accuracy"] >= GENERALIZES, group["width"])
        colour = COLOURS[number % len(COLOURS)]
        below, above = found["share"] - found["low"], found["high"] - found["share"]
        name = ", ".join(
            f"{words(axis)} {format_values([value])[0]}"
            for axis, value in zip(others, values, strict=True)
        )
        legend[name or "share"] = panel.errorbar(
            found.index,
            found["share"],
            yerr=[below, above],
            color=colour,
            marker="o",
            markersize=3,
            linewidth=1,
            capsize=2,
            elinewidth=0.7,
        )
    panel.set_ylim(-0.03, 1.03)
    panel.set_xlabel("width (hidden neurons)", fontsize=canvas.LABEL_POINTS)
    panel.set_ylabel(f"share of {runs['seed'].nunique()} seeds", fontsize=canvas.LABEL_POINTS)
    canvas.title(panel, ("test accuracy at least 90 %",))
    canvas.line_legend(figure, legend)
    return figure
