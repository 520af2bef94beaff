"""Outputs on corrupted examples."""

from __future__ import annotations

from phasegrok.figures import logits
from tests.figures.made import LOGITS, context, panels


def test_logits_mark_both_labels() -> None:
    """The paper's colours: blue at the true label, red at the corrupted one."""
    figure = logits.logits(context(logits=LOGITS))
    axes = panels(figure)[0]
    points = {
        line.get_color(): line.get_xydata().tolist()
        for line in axes.lines
        if len(line.get_xdata()) == 1
    }
    assert points == {"#1f4fd8": [[0, 0]], "#d62718": [[5, 1]]}
    assert "example (3, 4)" in axes.get_title()
