"""How often networks of a width generalize (Fuangkawinsombut's thesis, section 4.3)."""

from __future__ import annotations

from typing import Final

from matplotlib.figure import Figure

from phasegrok.analysis.phases import GENERALIZES
from phasegrok.analysis.shares import share
from phasegrok.figures import canvas
from phasegrok.figures.context import Context
from phasegrok.figures.layout import groups
from phasegrok.figures.legends import line_legend
from phasegrok.figures.palette import line_styles
from phasegrok.figures.registry import picture

__all__ = ["by_width"]

# Fewer say little of a share: the interval of 0 of 20 reaches to 0.16.
FEWEST_SEEDS: Final = 20


def _applies(context: Context) -> bool:
    return (
        "width" in context.axes
        and context.has("runs")
        and context.tables["runs"]["seed"].nunique() >= FEWEST_SEEDS
    )


@picture("generalizing", applies=_applies)
def by_width(context: Context) -> Figure:
    """Figure of the share of seeds with test accuracy of at least 90 % against width.

    A line for every combination of the other axes, with 95 % intervals (Wilson).
    """
    runs = context.tables["runs"]
    figure, ((panel,),) = canvas.panels(1, 1, width=4.2, height=2.6)
    legend = {}
    lines = groups(runs, [name for name in context.axes if name != "width"])
    for look, (name, group) in zip(line_styles(), lines, strict=False):
        found = share(group["test_accuracy"] >= GENERALIZES, group["width"])
        ends = found["share"] - found["low"], found["high"] - found["share"]
        style = {"linewidth": 1, "elinewidth": 0.7, **look}
        legend[name or "share"] = canvas.error_bars(panel, found["share"], ends, style)
    panel.set_ylim(-0.03, 1.03)
    panel.set_xlabel("width (hidden neurons)", fontsize=canvas.LABEL_POINTS)
    panel.set_ylabel(f"share of {runs['seed'].nunique()} seeds", fontsize=canvas.LABEL_POINTS)
    canvas.title(panel, ("test accuracy at least 90 %", "bars: 95 % intervals"))
    line_legend(figure, legend)
    return figure
