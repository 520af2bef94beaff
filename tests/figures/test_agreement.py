"""Cells whose seeds disagree are marked, and the legend says so."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from phasegrok.figures.agreement import DISAGREE
from phasegrok.figures.diagram import phase_diagram
from tests.figures.made import AXES, diagram_of, table


def strokes(axes: Axes) -> list[tuple[int, int]]:
    """The cells with a stroke across them: two lines each, a light one below a dark one."""
    found = [
        tuple(np.mean(line, axis=0).round(6))
        for each in axes.collections
        if isinstance(each, LineCollection)
        for line in each.get_segments()
        if len(line) == 2 and not np.isclose(line[0], line[1]).any()
    ]
    return sorted({(int(x), int(y)) for x, y in found})


def test_cells_whose_seeds_disagree_have_a_stroke() -> None:
    """Those and no others, in the right place; and there is no entry where all agree."""
    cells = table(data_fraction=[0.1, 0.2, 0.3], corruption_fraction=[0.0, 0.1])
    cells["seed_agreement"] = [1.0, 1.0, 2 / 3, 1.0, 0.5, 1.0]
    wanted = cells[cells["seed_agreement"] < 1]
    places = sorted(
        (round(row.data_fraction * 10) - 1, round(row.corruption_fraction * 10))
        for row in wanted.itertuples()
    )
    figure = phase_diagram(diagram_of(cells, AXES[:2]))
    assert strokes(figure.axes[0]) == places
    assert DISAGREE in [text.get_text() for text in figure.legends[0].get_texts()]
    for agreeing in (cells.assign(seed_agreement=1.0), cells.drop(columns="seed_agreement")):
        figure = phase_diagram(diagram_of(agreeing, AXES[:2]))
        assert strokes(figure.axes[0]) == []
        assert DISAGREE not in [text.get_text() for text in figure.legends[0].get_texts()]
