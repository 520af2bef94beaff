"""The picture of boundaries: a line for every slice."""

from __future__ import annotations

import pandas as pd

from phasegrok.analysis.phases import label_cells
from phasegrok.figures import pictures
from phasegrok.figures.boundaries import generalization_boundaries
from phasegrok.figures.context import Context
from phasegrok.figures.registry import PICTURES
from tests.analysis.test_boundaries import AXES, runs


def context(table: pd.DataFrame, axes: list[str]) -> Context:
    return Context(label_cells(table, axes), axes, {}, {"runs": table})


def test_a_line_for_every_slice() -> None:
    """At the midpoints, with bars as wide as the brackets."""
    figure = generalization_boundaries(context(runs(lambda x, w, s: 0.4 + x - w / 40), AXES))
    lines = figure.axes[0].get_lines()
    assert [list(line.get_xdata().round(9)) for line in lines] == [[0.35, 0.6], [0.2, 0.6]]
    assert [list(line.get_ydata()) for line in lines] == [[0.0, 0.2]] * 2
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["weight decay 0", "weight decay 5"]


def test_where_nothing_changes_there_is_no_picture() -> None:
    pictures()
    applies = PICTURES["boundaries"].applies
    assert applies(context(runs(lambda x, w, s: 0.4), AXES))
    assert not applies(context(runs(lambda x, w, s: 9.0), AXES))
    assert not applies(context(runs(lambda x, w, s: 0.4), AXES[:1]))
