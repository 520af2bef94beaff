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
from phasegrok.figures import (
    analytic,
    canvas,
    curves,
    draw,
    logits,
    pruning,
    representations,
    shares,
    spectra,
)
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


CELLS = pd.DataFrame(
    {
        "weight_decay": DECAYS,
        "data_fraction": 0.5,
        "corruption_fraction": 0.3,
        "subphase": ["Coexistence", "Full Inversion"],
        "train_accuracy": 0.9,
        "test_accuracy": 0.95,
    }
)
CURVES = frame(
    size=6,
    step=lambda d, s, i: STEPS[i],
    train_accuracy=lambda d, s, i: min(1, i / 2),
    test_accuracy=lambda d, s, i: i / 5 - 0.1 * s,
    mean_ipr=lambda d, s, i: i / 10,
    corrupted_accuracy=lambda d, s, i: [0, 1, 1, 1, 0.4, 0.1 + 0.1 * s][i] if d else [0, 1][i > 0],
    norm_u=lambda d, s, i: 5.0 + i,
    norm_w=lambda d, s, i: 9.0 - i,
    test_loss=0.1,
    train_loss=0.1,
)
NEURON = frame(
    size=NEURONS,
    step=50,
    layer="hidden",
    neuron=lambda d, s, i: i,
    ipr=lambda d, s, i: np.nan if i == 9 else 0.05 + 0.1 * i * (d > 0),
    dead=lambda d, s, i: i == 9,
)
PRUNING = pd.concat(
    [
        frame(
            size=NEURONS + 1,
            step=50,
            order=order,
            pruned=lambda d, s, i: i,
            test_accuracy=lambda d, s, i: float(i < 6 + 2 * s),
            train_accuracy=0.7,
            clean_accuracy=1.0,
            corrupted_accuracy=0.1,
            true_accuracy=0.8,
            train_loss=0.2,
            test_loss=lambda d, s, i: i / 10,
        )
        for order in ("lowest", "highest")
    ]
)
LOGITS = frame(
    size=14,
    step=50,
    example=lambda d, s, i: i // 7,
    m=3,
    n=4,
    output=lambda d, s, i: i % 7,
    mark=lambda d, s, i: {0: "true", 5: "corrupted"}.get(i % 7, "other"),
    logit=lambda d, s, i: 1.0 * (i % 7 == 5),
)
ROWS = pd.concat(
    [
        frame(
            size=14,
            step=step,
            layer="hidden",
            matrix="u",
            neuron=lambda d, s, i: i // 7,
            token=lambda d, s, i: i % 7,
            weight=lambda d, s, i, step=step: float(i * step),
        )
        for step in (0, 50)
    ]
)
RUNS = frame(
    size=1,
    memorization_step=10,
    generalization_step=lambda d, s, i: 20 + 20 * s,
    test_accuracy=0.95,
).astype({"memorization_step": "Int64", "generalization_step": "Int64"})
READOUT = pd.concat(
    [
        frame(
            size=NEURONS,
            step=step,
            neuron=lambda d, s, i: i,
            output=0,
            weight=lambda d, s, i, step=step: (i - 4.5) / (1 + step) * (1 + s),
        )
        for step in (10, 50)
    ]
)
ACTIVATIONS = pd.concat(
    [
        frame(
            size=40,
            step=step,
            example=lambda d, s, i: i // 2,
            x1=lambda d, s, i: (-1.0) ** (i // 2),
            x2=lambda d, s, i: (-1.0) ** (i // 4),
            true_label=lambda d, s, i: (i // 2 + i // 4 + 1) % 2,
            shown_label=1,
            neuron=lambda d, s, i: i % 2,
            activation=lambda d, s, i, step=step: (-1.0) ** (i // (2 + 2 * (i % 2))) + 0.01 * i,
        )
        for step in (10, 50)
    ]
)


@pytest.fixture
def single() -> list[OneCell]:
    return list(one_by_one(CELLS, ["weight_decay"]))


def shown(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_visible()]


def titles(figure: Figure) -> list[str]:
    return [axes.get_title() for axes in shown(figure)]


def test_draw_makes_every_figure_its_tables_allow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them from a folder with all tables; from one with many cells only the diagrams."""
    tables = {
        "curves": CURVES,
        "neurons": NEURON,
        "pruning": PRUNING,
        "logits": LOGITS,
        "rows": ROWS,
        "runs": RUNS,
        "readout": READOUT,
        "activations": ACTIVATIONS,
    }
    for name, table in tables.items():
        (tmp_path / name).mkdir()
        table.to_parquet(tmp_path / name / "part.parquet")
    CELLS.to_parquet(tmp_path / "cells.parquet")
    (tmp_path / "manifest.json").write_text(json.dumps({"name": "x", "axes": ["weight_decay"]}))
    names = {path.stem for path in draw(tmp_path)}
    assert names == {
        "phase_diagram",
        "accuracy",
        "curves",
        "losses",
        "norms",
        "ipr_histograms",
        "weight_rows",
        "pruning_accuracy",
        "pruning_loss",
        "logits",
        "activations",
        "output_weights",
    }
    # What else is drawn is told by name: rendering takes seconds.
    monkeypatch.setattr(canvas, "save", lambda figure, folder, name: [folder / f"{name}.png"])
    many = CELLS.iloc[np.zeros(MOST_CELLS + 1, int)].assign(weight_decay=range(MOST_CELLS + 1))
    many.to_parquet(tmp_path / "cells.parquet")
    assert {path.stem for path in draw(tmp_path)} == {"phase_diagram", "accuracy"}
    (tmp_path / "closeup.json").write_text(json.dumps({"weight_decay": "0"}))
    assert {path.stem for path in draw(tmp_path)} == names


def test_activations_are_coloured_by_the_bits_that_count(single: list[OneCell]) -> None:
    """A map for every look at every cell, all examples in it, four colours named by both signs, of
    the seed that took longest from memorization to generalization. Where the inputs take many
    values the true label gives the colour."""
    figure = representations.activations(ACTIVATIONS, RUNS, single)
    assert titles(figure)[1] == "weight decay 0\nCoexistence\nseed 1, step 50"
    assert len(shown(figure)) == 4
    for axes in shown(figure):
        assert sum(len(line.get_xdata()) for line in axes.lines) == 20
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["x1 +1, x2 +1", "x1 +1, x2 -1", "x1 -1, x2 +1", "x1 -1, x2 -1"]
    tokens = ACTIVATIONS.rename(columns={"x1": "m", "x2": "n"}).assign(
        m=lambda table: table["example"], n=lambda table: table["example"] % 7
    )
    legend = representations.activations(tokens, RUNS, single).legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["label 0", "label 1"]


def test_output_weights_are_a_density(single: list[OneCell]) -> None:
    """Area 1 under every curve, and how many weights are nearly zero; narrower where the weights
    are. The same run is shown as of the activations."""
    figure = representations.output_weights(READOUT, RUNS, single)
    assert titles(figure)[3] == "weight decay 15\nFull Inversion\nseed 1, step 50"
    tops = []
    for axes in shown(figure):
        outline = axes.collections[0].get_paths()[0].vertices
        x, y = outline[1:402].T
        np.testing.assert_allclose(np.trapezoid(y, x), 1, atol=0.02)
        tops.append(y.max())
        assert axes.texts[0].get_text() == "0% below 0.01"
    assert tops[1] > 3 * tops[0]


def test_of_runs_that_never_generalize_the_first_is_shown() -> None:
    """And of those that do, the slowest."""
    never = RUNS.assign(generalization_step=pd.array([pd.NA] * len(RUNS), "Int64"))
    assert representations.slowest(never) == 0
    assert representations.slowest(RUNS[RUNS["weight_decay"] == 0]) == 1


def test_spectral_norms_with_the_steps_solved(single: list[OneCell]) -> None:
    """Marked at the medians over seeds of the first steps above an accuracy of 0.999."""
    solved = CURVES.assign(
        spectral_u=CURVES["norm_u"],
        spectral_w=CURVES["norm_w"],
        test_accuracy=np.where(CURVES["step"] >= 40 - 10 * CURVES["seed"], 1.0, 0.5),
    )
    figure = curves.norms(solved, single, "spectral")
    words = [text.get_text() for text in shown(figure)[0].texts]
    assert words[:2] == ["memorization\n20", "generalization\n35"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["U", "W", "inflections of U"]
    marks = shown(figure)[0].lines[-1].get_xdata()
    assert [f"{step:.0f}" for step in marks] == words[2:] and len(marks) == 2


def test_shares_by_width() -> None:
    """A point and its interval at every width, a line for every other value."""
    runs = pd.DataFrame(
        {"width": w, "l1": l1, "seed": seed, "test_accuracy": float(seed < 5 * w)}
        for w in (1, 2, 4)
        for l1 in (0.0, 0.1)
        for seed in range(20)
    )
    figure = shares.by_width(runs, ["l1", "width"])
    line = shown(figure)[0].lines[0].get_xydata()
    np.testing.assert_allclose(line, [[1, 0.25], [2, 0.5], [4, 1]])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["l1 0", "l1 0.1"]


def test_closeup_is_of_cells_that_are_there() -> None:
    """A number finds its column's value whatever its last bit; all else is one line."""
    cells = pd.DataFrame(
        {
            "xi": np.repeat([0.1 + 0.2, 0.6], MOST_CELLS),
            "seeds": 1,
            "model": ["mlp", "lstm"] * MOST_CELLS,
            "tied": [False, False, True] * (MOST_CELLS * 2 // 3),
        }
    )
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


def test_losses_fall_on_logarithmic_axes(single: list[OneCell]) -> None:
    """Means over seeds at every step after 0, a decade as far apart at 1 as at 0.01; where a loss
    is exactly 0, or not finite, the line has a gap."""
    table = CURVES.assign(
        train_loss=np.where(CURVES["step"] < 40, 10.0 ** (-CURVES["step"] / 10), 0.0),
        test_loss=np.where(CURVES["step"] < 50, 3.0 + CURVES["seed"], np.nan),
    )
    figure = curves.losses(table, single)
    figure.canvas.draw()
    assert titles(figure) == ["weight decay 0\nCoexistence", "weight decay 15\nFull Inversion"]
    for axes in shown(figure):
        assert axes.get_yscale() == axes.get_xscale() == "log"
        lines = {line.get_color(): line.get_xydata() for line in axes.lines}
        train, test = lines["#0072b2"], lines["#d55e00"]
        np.testing.assert_allclose(train[:3], [[10, 0.1], [20, 0.01], [30, 0.001]])
        np.testing.assert_allclose(test[:4, 1], 3.5)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["train", "test"]


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
        "neuron 0, step 0",
        "neuron 0, step 50",
        "neuron 1, step 0",
        "neuron 1, step 50",
    ]
    np.testing.assert_allclose(shown(figure)[3].lines[0].get_ydata(), np.arange(7, 14) * 50)


def test_a_neuron_is_one_of_its_layer(single: list[OneCell]) -> None:
    """A layer whose rows were not saved, or are of another matrix, has neurons of the same numbers;
    of two layers with the same matrix the title says which, and its weights alone are drawn."""
    others = NEURON.assign(layer="output", ipr=np.where(NEURON["neuron"] == 0, 0.99, 0.0))
    figure = spectra.weight_rows(ROWS, pd.concat([NEURON, others]), single)
    assert titles(figure)[2].endswith("\nneuron 1, step 0")
    rows = pd.concat([ROWS, ROWS.assign(layer="output", weight=-1.0)])
    figure = spectra.weight_rows(rows, pd.concat([NEURON, others]), single)
    assert titles(figure)[2].endswith("\noutput neuron 0, step 0")
    assert list(shown(figure)[3].lines[0].get_ydata()) == [-1] * 7


def test_cells_of_other_models_have_other_matrices(single: list[OneCell]) -> None:
    """As variants may: rows and inflections are of the first matrix that each cell has."""
    other = ROWS["weight_decay"] > 0
    rows = ROWS.assign(matrix=np.where(other, "embedding", "u"))
    figure = spectra.weight_rows(rows, NEURON, single)
    names = [axes.get_ylabel() for axes in shown(figure)]
    assert names == ["U weight", "", "EMBEDDING weight", ""]
    other = CURVES["weight_decay"] > 0
    table = CURVES.assign(
        spectral_u=CURVES["norm_u"].where(~other), spectral_embedding=CURVES["norm_w"].where(other)
    )
    figure = curves.norms(table, single, "spectral")
    labels = {text.get_text() for text in figure.legends[0].get_texts()}
    assert labels == {"U", "EMBEDDING", "inflections of U", "inflections of EMBEDDING"}


def test_tables_of_some_cells_are_drawn_for_those(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logits are of corrupted examples: of a cell without any there are none, and of a sweep
    without any there is no figure."""
    monkeypatch.setattr(canvas, "save", lambda figure, folder, name: [folder / f"{name}.png"])
    CELLS.to_parquet(tmp_path / "cells.parquet")
    (tmp_path / "manifest.json").write_text(json.dumps({"name": "x", "axes": ["weight_decay"]}))
    (tmp_path / "logits").mkdir()
    for rows, drawn in ((LOGITS[LOGITS["weight_decay"] > 0], True), (LOGITS.iloc[:0], False)):
        rows.to_parquet(tmp_path / "logits" / "part.parquet")
        assert ("logits" in {path.stem for path in draw(tmp_path)}) == drawn


def test_cells_alone_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a sweep over widths too, whose other figures are of tables that are not there."""
    monkeypatch.setattr(canvas, "save", lambda figure, folder, name: [folder / f"{name}.png"])
    CELLS.rename(columns={"weight_decay": "width"}).to_parquet(tmp_path / "cells.parquet")
    manifest = {"axes": ["width"], "sweep": {"model": {"initialization": "analytic"}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "runs").mkdir()
    assert {path.stem for path in draw(tmp_path)} == {"phase_diagram", "accuracy"}


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
    points = {
        line.get_color(): line.get_xydata().tolist()
        for line in axes.lines
        if len(line.get_xdata()) == 1
    }
    assert points == {"#1f4fd8": [[0, 0]], "#d62718": [[5, 1]]}
    assert "example (3, 4)" in axes.get_title()


def test_the_analytic_slope() -> None:
    """An error of exactly 3 / sqrt(N) has slope -1/2, and the figure says so."""
    widths = np.array([10.0, 100.0, 1000.0])
    start = pd.DataFrame(
        {
            "step": 0,
            "width": widths,
            "seed": 0,
            "test_loss": 9 / widths,
            "test_accuracy": [0.2, 0.9, 1.0],
        }
    )
    assert analytic.slope(start) == pytest.approx(-0.5)
    assert "slope -0.50" in titles(analytic.by_width(start))[1]
