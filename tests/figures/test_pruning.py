"""Pruning curves, and neurons needed by width."""

from __future__ import annotations

import numpy as np
import pandas as pd

from phasegrok.figures import pruning
from tests.figures.made import PRUNING, context, panels, titles


def test_pruning_curves() -> None:
    """Cells down, orders across, against the share of neurons; test accuracy is the seeds' mean."""
    figure = pruning.accuracies(context(pruning=PRUNING))
    assert [t.split("\n")[-1] for t in titles(figure)] == [
        "from lowest IPR",
        "from highest IPR",
    ] * 2
    line = next(x for x in panels(figure)[0].lines if x.get_color() == "#d55e00")
    np.testing.assert_allclose(line.get_xdata(), np.arange(11) / 10)
    np.testing.assert_allclose(line.get_ydata(), [1] * 6 + [0.5] * 2 + [0] * 3)
    loss = pruning.losses(context(pruning=PRUNING))
    assert {len(axes.lines) for axes in panels(loss)} == {2}


def test_neurons_needed_by_width() -> None:
    """Two widths of two seeds: the mean of the neurons left when the test set is first lost."""
    wide = PRUNING.assign(run="wide-" + PRUNING["run"])
    runs = pd.DataFrame({"run": [*PRUNING["run"].unique(), *wide["run"].unique()]})
    runs["width"] = np.repeat([10.0, 20.0], 4)
    figure = pruning.by_width(context(pruning=pd.concat([PRUNING, wide]), runs=runs))
    needed, share = panels(figure)
    assert needed.get_xlabel() == "width N" and "neurons needed" in needed.get_ylabel()
    points = [axes.containers[0].lines[0].get_ydata() for axes in (needed, share)]
    np.testing.assert_allclose(np.array(points, float), [[4, 4], [60, 80]])  # 5 and 7 can go
    assert figure.legends[0].get_texts()[0].get_text() == "test accuracy ≥ 95%"
