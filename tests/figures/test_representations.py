"""Activations and output weights: which run is shown, and what stands in the panels."""

from __future__ import annotations

import numpy as np

from phasegrok.figures import representations
from tests.figures.made import ACTIVATIONS, READOUT, RUNS, context, panels, titles


def test_activations_are_coloured_by_the_bits_that_count() -> None:
    """A map for every look at every cell, all examples in it, four colours named by both signs, of
    the seed that took longest from memorization to generalization. Where the inputs take many
    values the true label gives the colour."""
    figure = representations.activations(context(activations=ACTIVATIONS, runs=RUNS))
    assert titles(figure)[1] == "weight decay 0\nCoexistence\nseed 1, step 50"
    assert len(panels(figure)) == 4
    for axes in panels(figure):
        assert sum(len(line.get_xdata()) for line in axes.lines) == 20
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["x1 +1, x2 +1", "x1 +1, x2 -1", "x1 -1, x2 +1", "x1 -1, x2 -1"]
    tokens = ACTIVATIONS.rename(columns={"x1": "m", "x2": "n"}).assign(
        m=lambda table: table["example"], n=lambda table: table["example"] % 7
    )
    legend = representations.activations(context(activations=tokens, runs=RUNS)).legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["label 0", "label 1"]


def test_output_weights_are_a_density() -> None:
    """Area 1 under every curve, and how many weights are nearly zero; narrower where the weights
    are. The same run is shown as of the activations."""
    figure = representations.output_weights(context(readout=READOUT, runs=RUNS))
    assert titles(figure)[3] == "weight decay 15\nFull Inversion\nseed 1, step 50"
    tops = []
    for axes in panels(figure):
        outline = axes.collections[0].get_paths()[0].vertices
        x, y = outline[1:402].T
        np.testing.assert_allclose(np.trapezoid(y, x), 1, atol=0.02)
        tops.append(y.max())
        assert axes.texts[0].get_text() == "0% with\n|w| < 0.01"
    assert tops[1] > 3 * tops[0]
