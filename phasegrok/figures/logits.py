"""Outputs of trained networks on corrupted examples (Doshi et al., Figure 23)."""

from __future__ import annotations

from typing import Final

from matplotlib.artist import Artist
from matplotlib.figure import Figure

from phasegrok.analysis.pruned import last_step
from phasegrok.figures import canvas
from phasegrok.figures.cells import title_lines
from phasegrok.figures.context import Context
from phasegrok.figures.grid import grid
from phasegrok.figures.legends import line_legend
from phasegrok.figures.registry import picture

__all__ = ["logits"]

MOST_EXAMPLES: Final = 4
# The paper's colours: blue for the correct label, red for the corrupted one. They are alike in
# grey, so the marks differ in shape.
MARKS: Final = {
    "true": ("true label", "#1f4fd8", "o"),
    "corrupted": ("corrupted label", "#d62718", "^"),
}


@picture("logits", applies=lambda context: bool(context.having("logits")))
def logits(context: Context) -> Figure:
    """Figure of all outputs on a few examples, of the first seed: cells down, examples across."""
    table = context.tables["logits"]
    table = table[(table["seed"] == table["seed"].min()) & (table["example"] < MOST_EXAMPLES)]
    table = last_step(table)
    cells = [cell for cell in context.single if not cell.of(table).empty]
    examples = sorted(table["example"].unique())
    sheet = grid(
        len(cells), len(examples), width=2.2, height=1.2, title_lines=title_lines(cells) + 1
    )
    legend: dict[str, Artist] = {}
    for line, cell in zip(sheet, cells, strict=True):
        mine = cell.of(table)
        for axes, example in zip(line, examples, strict=True):
            outputs = mine[mine["example"] == example]
            axes.plot(outputs["output"], outputs["logit"], color="#777777", linewidth=0.7)
            axes.axhline(0, color="#cccccc", linewidth=0.5, zorder=0)
            for mark, (name, colour, shape) in MARKS.items():
                point = outputs[outputs["mark"] == mark]
                (legend[name],) = axes.plot(
                    point["output"], point["logit"], shape, color=colour, markersize=4.5
                )
            pair = outputs[[c for c in ("m", "n") if c in outputs]].head(1).to_numpy().ravel()
            what = ", ".join(map(str, pair))
            canvas.title(axes, (*cell.titles, f"example ({what})") if what else cell.titles)
    sheet.name_x(f"class q (seed {table['seed'].min()})")
    sheet.name_y("output")
    line_legend(sheet.figure, legend)
    return sheet.figure
