"""Figures of single cells show what stands in the tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasegrok.errors import Refusal
from phasegrok.figures import analytic, curves, draw, logits, pruning, spectra
from phasegrok.figures.cells import MOST_CELLS, OneCell, closeup, one_by_one

DECAYS, SEEDS, STEPS, NEURONS = (0.0, 15.0), (0, 1), (0, 10, 20, 30, 40, 50), 10


def frame(**columns: Any) -> pd.DataFrame:
    """One row per decay, seed and position, columns given as functions of the three."""
    size = columns.pop("size")
    rows = [
        {"run": f"{decay:g}-{seed}", "weight_decay": decay, "seed": seed}
        | {name: (f(decay, seed, i) if callable(f) else f) for name, f in columns.items()}
        for decay in DECAYS
        for seed in SEEDS
        for i in range(size)
    ]
    return pd.DataFrame(rows)


CELLS = pd.DataFrame({
    "weight_decay": DECAYS, "data_fraction": 0.5, "corruption_fraction": 0.3,
    "subphase": ["Coexistence", "Full Inversion"], "train_accuracy": 0.9, "test_accuracy": 0.95,
})  # fmt: skip
CURVES = frame(
    size=6, step=lambda d, s, i: STEPS[i], train_accuracy=lambda d, s, i: min(1, i / 2),
    test_accuracy=lambda d, s, i: i / 5 - 0.1 * s, mean_ipr=lambda d, s, i: i / 10,
    corrupted_accuracy=lambda d, s, i: [0, 1, 1, 1, 0.4, 0.1 + 0.1 * s][i] if d else [0, 1][i > 0],
    norm_u=lambda d, s, i: 5.0 + i, norm_w=lambda d, s, i: 9.0 - i, test_loss=0.1, train_loss=0.1,
)  # fmt: skip
NEURON = frame(
    size=NEURONS, step=50, layer="hidden", neuron=lambda d, s, i: i,
    ipr=lambda d, s, i: np.nan if i == 9 else 0.05 + 0.1 * i * (d > 0), dead=lambda d, s, i: i == 9,
)  # fmt: skip
PRUNING = pd.concat([
    frame(
        size=NEURONS + 1, step=50, order=order, pruned=lambda d, s, i: i,
        test_accuracy=lambda d, s, i: float(i < 6 + 2 * s), train_accuracy=0.7, clean_accuracy=1.0,
        corrupted_accuracy=0.1, true_accuracy=0.8, train_loss=0.2, test_loss=lambda d, s, i: i / 10,
    )
    for order in ("lowest", "highest")
])  # fmt: skip
LOGITS = frame(
    size=14, step=50, example=lambda d, s, i: i // 7, m=3, n=4, output=lambda d, s, i: i % 7,
    mark=lambda d, s, i: {0: "true", 5: "corrupted"}.get(i % 7, "other"),
    logit=lambda d, s, i: 1.0 * (i % 7 == 5),
)  # fmt: skip
ROWS = pd.concat([
    frame(
        size=14, step=step, layer="hidden", matrix="u", neuron=lambda d, s, i: i // 7,
        token=lambda d, s, i: i % 7, weight=lambda d, s, i, step=step: float(i * step),
    )
    for step in (0, 50)
])  # fmt: skip


@pytest.fixture
def single() -> list[OneCell]:
    return list(one_by_one(CELLS, ["weight_decay"]))


def shown(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_visible()]


def titles(figure: Figure) -> list[str]:
    return [axes.get_title() for axes in shown(figure)]


def test_draw_makes_every_figure_its_tables_allow(tmp_path: Path) -> None:
    """All of them from a folder with all tables; from one with many cells only the diagrams."""
    tables = {
        "curves": CURVES,
        "neurons": NEURON,
        "pruning": PRUNING,
        "logits": LOGITS,
        "rows": ROWS,
    }
    for name, table in tables.items():
        (tmp_path / name).mkdir()
        table.to_parquet(tmp_path / name / "part.parquet")
    CELLS.to_parquet(tmp_path / "cells.parquet")
    (tmp_path / "manifest.json").write_text(json.dumps({"name": "x", "axes": ["weight_decay"]}))
    names = {path.stem for path in draw(tmp_path)}
    assert names == {
        "phase_diagram", "accuracy", "curves", "norms", "ipr_histograms", "weight_rows",
        "pruning_accuracy", "pruning_loss", "logits",
    }  # fmt: skip
    many = CELLS.iloc[np.zeros(MOST_CELLS + 1, int)].assign(weight_decay=range(MOST_CELLS + 1))
    many.to_parquet(tmp_path / "cells.parquet")
    assert {path.stem for path in draw(tmp_path)} == {"phase_diagram", "accuracy"}
    (tmp_path / "closeup.json").write_text(json.dumps({"weight_decay": "0"}))
    assert {path.stem for path in draw(tmp_path)} == names


def test_closeup_is_of_cells_that_are_there() -> None:
    """A number finds its column's value whatever its last bit; all else is one line."""
    cells = pd.DataFrame({
        "xi": np.repeat([0.1 + 0.2, 0.6], MOST_CELLS), "seeds": 1,
        "model": ["mlp", "lstm"] * MOST_CELLS, "tied": [False, False, True] * (MOST_CELLS * 2 // 3),
    })  # fmt: skip
    axes = ["xi", "model", "tied"]
    assert closeup(cells, axes, {"xi": "0.3"})["xi"].unique() == [0.1 + 0.2]
    assert set(closeup(cells, axes, {"model": "lstm", "xi": "0.6"})["model"]) == {"lstm"}
    assert closeup(cells, axes, {"tied": "true"})["tied"].all()
    for at, message in (
        ({"seeds": "1"}, "--at seeds: found no such axis; allowed: xi, model, tied"),
        ({"xi": "0.4"}, "--at xi: found no cell at 0.4; allowed: 0.3, 0.6"),
        ({"xi": "half"}, "--at xi: found no cell at half; allowed: 0.3, 0.6"),
        ({"model": "gru"}, "--at model: found no cell at gru; allowed: mlp, lstm"),
        ({}, "--at: found 24 cells; allowed: at most 12"),
    ):
        with pytest.raises(Refusal) as refused:
            closeup(cells, axes, at)
        assert str(refused.value) == message


def test_curves_are_means_over_seeds_with_the_stages_marked(single: list[OneCell]) -> None:
    """The test line is the mean of the seeds at every step after 0; the second cell, whose
    corrupted labels are given up at step 40, says so, the first does not."""
    figure = curves.accuracies(CURVES, single)
    assert titles(figure) == ["weight decay 0\nCoexistence", "weight decay 15\nFull Inversion"]
    first, second = shown(figure)
    lines = {line.get_color(): line.get_xydata() for line in first.lines}
    np.testing.assert_allclose(lines["#d55e00"], [[s, s / 50 - 0.05] for s in STEPS[1:]], atol=1e-9)
    words = [[text.get_text() for text in axes.texts] for axes in (first, second)]
    assert words == [["grokking\n50"], ["grokking\n50", "unlearning\n40"]]
    assert first.get_xscale() == "log" and figure.legends
    labels = [text.get_text() for text in curves.norms(CURVES, single).legends[0].get_texts()]
    assert labels == ["U", "W"]


def test_histograms_count_living_neurons(single: list[OneCell]) -> None:
    """Bars add up to the living share, 90 %; the mean and the dead are written beside them."""
    figure = spectra.histograms(NEURON, single)
    for axes, mean in zip(shown(figure), (0.05, 0.45), strict=True):
        assert sum(bar.get_height() for bar in axes.patches) == pytest.approx(90)
        assert f"mean {mean:.2f}" in axes.texts[0].get_text()
        assert "dead 10%" in axes.texts[0].get_text() and "2 seeds" in axes.texts[0].get_text()


def test_normalization_weights_against_ipr(single: list[OneCell]) -> None:
    """Perfectly ranked in the second cell (signs do not matter), and the first has no weights."""
    neurons = NEURON.assign(
        normalization_weight=np.where(NEURON["weight_decay"] > 0, -(NEURON["neuron"] ** 2), np.nan)
    )
    figure = spectra.normalization_weights(neurons, single)
    (title,) = titles(figure)
    assert title.startswith("weight decay 15") and title.endswith("rank correlation 1.00")
    points = shown(figure)[0].lines[0].get_xydata()
    assert len(points) == 18 and points[:, 1].max() == 64


def test_weight_rows_show_the_most_periodic_neuron(single: list[OneCell]) -> None:
    """Of neurons 0 and 1, the second has the higher IPR under decay; looks stand side by side."""
    figure = spectra.weight_rows(ROWS, NEURON, single)
    assert [t.split("\n")[-1] for t in titles(figure)] == [
        "neuron 0, step 0", "neuron 0, step 50", "neuron 1, step 0", "neuron 1, step 50"
    ]  # fmt: skip
    np.testing.assert_allclose(shown(figure)[3].lines[0].get_ydata(), np.arange(7, 14) * 50)


def test_pruning_curves(single: list[OneCell]) -> None:
    """Cells down, orders across, against the share of neurons; test accuracy is the seeds' mean."""
    figure = pruning.accuracies(PRUNING, single)
    assert [t.split("\n")[-1] for t in titles(figure)] == [
        "from lowest IPR",
        "from highest IPR",
    ] * 2
    line = next(x for x in shown(figure)[0].lines if x.get_color() == "#d55e00")
    np.testing.assert_allclose(line.get_xdata(), np.arange(11) / 10)
    np.testing.assert_allclose(line.get_ydata(), [1] * 6 + [0.5] * 2 + [0] * 3)
    loss = pruning.losses(PRUNING, single)
    assert {len(axes.lines) for axes in shown(loss)} == {2}


def test_neurons_needed_by_width() -> None:
    """Two widths of two seeds: the mean of the neurons left when the test set is first lost."""
    wide = PRUNING.assign(run="wide-" + PRUNING["run"])
    runs = pd.DataFrame({"run": [*PRUNING["run"].unique(), *wide["run"].unique()]})
    runs["width"] = np.repeat([10.0, 20.0], 4)
    figure = pruning.by_width(pd.concat([PRUNING, wide]), runs)
    needed, share = shown(figure)
    assert needed.get_xlabel() == "width N" and "neurons needed" in needed.get_ylabel()
    points = [axes.containers[0].lines[0].get_ydata() for axes in (needed, share)]
    np.testing.assert_allclose(np.array(points, float), [[4, 4], [60, 80]])  # 5 and 7 can go
    assert figure.legends[0].get_texts()[0].get_text() == "test accuracy ≥ 95%"


def test_logits_mark_both_labels(single: list[OneCell]) -> None:
    """The paper's colours: blue at the true label, red at the corrupted one."""
    figure = logits.logits(LOGITS, single)
    axes = shown(figure)[0]
    points = {line.get_color(): line.get_xydata().tolist() for line in axes.lines if len(
        line.get_xdata()) == 1}  # fmt: skip
    assert points == {"#1f4fd8": [[0, 0]], "#d62718": [[5, 1]]}
    assert "example (3, 4)" in axes.get_title()


def test_the_analytic_slope() -> None:
    """An error of exactly 3 / sqrt(N) has slope -1/2, and the figure says so."""
    widths = np.array([10.0, 100.0, 1000.0])
    start = pd.DataFrame({"step": 0, "width": widths, "seed": 0, "test_loss": 9 / widths,
                          "test_accuracy": [0.2, 0.9, 1.0]})  # fmt: skip
    assert analytic.slope(start) == pytest.approx(-0.5)
    assert "slope -0.50" in titles(analytic.by_width(start))[1]
