"""Histograms of IPR, normalization weights and weight rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phasegrok.figures import curves, spectra
from tests.figures.made import CURVES, NEURON, ROWS, context, panels, titles


def test_histograms_count_living_neurons() -> None:
    """Bars add up to the living share, 90 %; the mean and the dead are written beside them."""
    figure = spectra.histograms(context(neurons=NEURON))
    for axes, mean in zip(panels(figure), (0.05, 0.45), strict=True):
        assert sum(bar.get_height() for bar in axes.patches) == pytest.approx(90)
        (dead,) = axes.collections
        assert dead.get_datalim(axes.transData).height == pytest.approx(10)
        assert f"mean {mean:.2f}" in axes.texts[0].get_text()
        assert "10% dead" in axes.texts[0].get_text() and "2 seeds" in axes.texts[0].get_text()


def test_normalization_weights_against_ipr() -> None:
    """Perfectly ranked in the second cell (signs do not matter), and the first has no weights."""
    neurons = NEURON.assign(
        normalization_weight=np.where(NEURON["weight_decay"] > 0, -(NEURON["neuron"] ** 2), np.nan)
    )
    figure = spectra.normalization_weights(context(neurons=neurons))
    (title,) = titles(figure)
    assert title.startswith("weight decay 15") and title.endswith("rank correlation 1.00")
    points = panels(figure)[0].lines[0].get_xydata()
    assert len(points) == 18 and points[:, 1].max() == 64


def test_weight_rows_show_the_most_periodic_neuron() -> None:
    """Of neurons 0 and 1, the second has the higher IPR under decay; steps stand side by side."""
    figure = spectra.weight_rows(context(rows=ROWS, neurons=NEURON))
    assert [t.split("\n")[-1] for t in titles(figure)] == [
        "neuron 0, step 0",
        "neuron 0, step 50",
        "neuron 1, step 0",
        "neuron 1, step 50",
    ]
    np.testing.assert_allclose(panels(figure)[3].lines[0].get_ydata(), np.arange(7, 14) * 50)


def test_a_neuron_is_one_of_its_layer() -> None:
    """A layer whose rows were not saved, or are of another matrix, has neurons of the same numbers;
    of two layers with the same matrix the title says which, and its weights alone are drawn."""
    others = NEURON.assign(layer="output", ipr=np.where(NEURON["neuron"] == 0, 0.99, 0.0))
    neurons = pd.concat([NEURON, others])
    figure = spectra.weight_rows(context(rows=ROWS, neurons=neurons))
    assert titles(figure)[2].endswith("\nneuron 1, step 0")
    rows = pd.concat([ROWS, ROWS.assign(layer="output", weight=-1.0)])
    figure = spectra.weight_rows(context(rows=rows, neurons=neurons))
    assert titles(figure)[2].endswith("\noutput neuron 0, step 0")
    assert list(panels(figure)[3].lines[0].get_ydata()) == [-1] * 7


def test_cells_of_other_models_have_other_matrices() -> None:
    """As variants may: rows and inflections are of the first matrix that each cell has."""
    other = ROWS["weight_decay"] > 0
    rows = ROWS.assign(matrix=np.where(other, "embedding", "u"))
    figure = spectra.weight_rows(context(rows=rows, neurons=NEURON))
    names = [axes.get_ylabel() for axes in panels(figure)]
    assert names == ["U weight", "", "embedding weight", ""]
    other = CURVES["weight_decay"] > 0
    table = CURVES.assign(
        spectral_u=CURVES["norm_u"].where(~other), spectral_embedding=CURVES["norm_w"].where(other)
    )
    figure = curves.spectral_norms(context(curves=table))
    labels = {text.get_text() for text in figure.legends[0].get_texts()}
    assert labels == {"U", "embedding", "inflections of U", "inflections of embedding"}
