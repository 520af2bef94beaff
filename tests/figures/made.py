"""Small tables for tests of pictures: of two cells and of whole grids."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phasegrok.analysis.phases import DIVERGED, SUBPHASES
from phasegrok.figures.context import Context

AXES = ["data_fraction", "corruption_fraction", "weight_decay"]

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
TABLES = {
    "curves": CURVES,
    "neurons": NEURON,
    "pruning": PRUNING,
    "logits": LOGITS,
    "rows": ROWS,
    "runs": RUNS,
    "readout": READOUT,
    "activations": ACTIVATIONS,
}


def context(**tables: pd.DataFrame) -> Context:
    """The two cells with some of the tables."""
    return Context(CELLS, ["weight_decay"], {}, tables)


def panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_visible()]


def titles(figure: Figure) -> list[str]:
    return [axes.get_title() for axes in panels(figure)]


def table(**swept: list[Any]) -> pd.DataFrame:
    """Every combination of the swept values, with phases in turn."""
    cells = pd.DataFrame(list(product(*swept.values())), columns=list(swept))
    cells = pd.DataFrame({"data_fraction": 0.5, "corruption_fraction": 0.0} | dict(cells.items()))
    names = [*SUBPHASES, DIVERGED]
    cells["subphase"] = [names[number % 7] for number in range(len(cells))]
    for column in ("train_accuracy", "test_accuracy"):
        cells[column] = np.linspace(0, 1, len(cells))
        cells.loc[cells["subphase"] == DIVERGED, column] = np.nan
    return cells


def result_folder(folder: Path, cells: pd.DataFrame, axes: list[str]) -> Path:
    """The two files that figures are drawn from."""
    cells.to_parquet(folder / "cells.parquet")
    (folder / "manifest.json").write_text(json.dumps({"name": "made", "axes": axes, "sweep": {}}))
    return folder


def paper_grid(decays: list[Any]) -> pd.DataFrame:
    """Cells of a small diagram with one panel for each weight decay."""
    return table(
        data_fraction=[0.1, 0.3, 0.5], corruption_fraction=[0.0, 0.2, 0.4, 0.9], weight_decay=decays
    )


def diagram_of(cells: pd.DataFrame, axes: list[str]) -> Context:
    """Cells alone."""
    return Context(cells, axes, {}, {})
