"""Curves of single cells show what stands in the tables."""

from __future__ import annotations

import numpy as np

from phasegrok.figures import curves
from tests.figures.made import CURVES, STEPS, context, panels, titles


def test_spectral_norms_with_the_steps_solved() -> None:
    """Marked at the medians over seeds of the first steps above an accuracy of 0.999."""
    solved = CURVES.assign(
        spectral_u=CURVES["norm_u"],
        spectral_w=CURVES["norm_w"],
        test_accuracy=np.where(CURVES["step"] >= 40 - 10 * CURVES["seed"], 1.0, 0.5),
    )
    figure = curves.spectral_norms(context(curves=solved))
    words = [text.get_text() for text in panels(figure)[0].texts]
    assert words[:2] == ["memorization 20", "generalization 35"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["U", "W", "inflections of U"]
    marks = panels(figure)[0].lines[-1].get_xdata()
    assert [f"{step:.0f}" for step in marks] == words[2:] and len(marks) == 2


def test_curves_are_means_over_seeds_with_the_stages_marked() -> None:
    """The test line is the mean of the seeds at every step after 0; the second cell, whose
    corrupted labels are given up at step 40, says so, the first does not."""
    figure = curves.accuracies(context(curves=CURVES))
    assert titles(figure) == ["weight decay 0\nCoexistence", "weight decay 15\nFull Inversion"]
    first, second = panels(figure)
    lines = {line.get_color(): line.get_xydata() for line in first.lines}
    np.testing.assert_allclose(lines["#d55e00"], [[s, s / 50 - 0.05] for s in STEPS[1:]], atol=1e-9)
    words = [[text.get_text() for text in axes.texts] for axes in (first, second)]
    assert words == [["grokking 50"], ["grokking 50", "unlearning 40"]]
    assert first.get_xscale() == "log" and figure.legends
    labels = [
        text.get_text() for text in curves.norms(context(curves=CURVES)).legends[0].get_texts()
    ]
    assert labels == ["U", "W"]


def test_losses_fall_on_logarithmic_axes() -> None:
    """Means over seeds at every step after 0, a decade as far apart at 1 as at 0.01; where a loss
    is exactly 0, or not finite, the line has a gap."""
    table = CURVES.assign(
        train_loss=np.where(CURVES["step"] < 40, 10.0 ** (-CURVES["step"] / 10), 0.0),
        test_loss=np.where(CURVES["step"] < 50, 3.0 + CURVES["seed"], np.nan),
    )
    figure = curves.losses(context(curves=table))
    figure.canvas.draw()
    assert titles(figure) == ["weight decay 0\nCoexistence", "weight decay 15\nFull Inversion"]
    for axes in panels(figure):
        assert axes.get_yscale() == axes.get_xscale() == "log"
        lines = {line.get_color(): line.get_xydata() for line in axes.lines}
        train, test = lines["#003f73"], lines["#d55e00"]
        np.testing.assert_allclose(train[:3], [[10, 0.1], [20, 0.01], [30, 0.001]])
        np.testing.assert_allclose(test[:4, 1], 3.5)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["train", "test"]
