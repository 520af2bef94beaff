"""Pictures of a result folder, drawn from its tables alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from phasegrok.analysis.phases import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLOSEUP", "draw"]

CLOSEUP: Final = "closeup.json"
TABLES: Final = (
    "runs", "curves", "neurons", "pruning", "logits", "rows", "readout", "activations",
)  # fmt: skip


def draw(folder: Path) -> list[Path]:
    """Draw every figure of a result folder as PNG and PDF.

    Always the phase diagram with its accuracies; and, where the cells are few or ``closeup.json``
    names some of many, their curves, norms, and whatever the tables that ``measure:`` asked for
    allow. A sweep that is not finished yet is
    drawn with blanks; drawing the same tables again writes the same bytes.

    Args:
        folder: result folder with ``manifest.json`` (its ``axes``) and ``cells.parquet``.
            ``closeup.json``, where it is there, maps swept columns to the values to look at.

    Returns:
        The files written, in ``folder/figures``.

    Raises:
        FileNotFoundError: if the folder is not a result folder.
        ValueError: if its table of cells is empty.
        Refusal: ``closeup.json`` names what the sweep does not have.
    """
    # Imported late: the terminal diagram shares this package's layout and palette, and should not
    # wait a second for matplotlib.
    from phasegrok.figures import canvas

    target = folder / "figures"
    target.mkdir(exist_ok=True)
    return [path for name, figure in _figures(folder) for path in canvas.save(figure, target, name)]


def _figures(folder: Path) -> Iterator[tuple[str, Figure]]:
    """Every figure that the folder's tables allow, by file name."""
    from phasegrok.figures import (
        accuracy,
        analytic,
        curves,
        diagram,
        logits,
        pruning,
        representations,
        shares,
        sizes,
        spectra,
    )
    from phasegrok.figures.cells import MOST_CELLS, closeup, one_by_one
    from phasegrok.figures.layout import arrange

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    axes = manifest["axes"]
    sweep = manifest.get("sweep", {})
    cells = shown(pd.read_parquet(folder / "cells.parquet"), sweep)
    tables = {name: pd.read_parquet(folder / name) for name in TABLES if (folder / name).is_dir()}
    layout = arrange(cells, axes)
    yield "phase_diagram", diagram.phase_diagram(layout)
    yield "accuracy", accuracy.accuracy(layout)
    if axes == ["width"] and "pruning" in tables:
        yield "prunable", pruning.by_width(tables["pruning"], tables["runs"])
    analytic_start = sweep.get("model", {}).get("initialization") == "analytic"
    if axes == ["width"] and analytic_start:
        yield "analytic", analytic.by_width(tables["curves"])
    if "width" in axes and (tables["runs"]["seed"].nunique() >= shares.FEWEST_SEEDS):
        yield "generalizing", shares.by_width(tables["runs"], axes)
    if "runs" in tables:
        yield from sizes.by_size(tables["runs"], axes, sweep, tables.get("curves"))
    if (chosen := folder / CLOSEUP).exists():
        cells = closeup(cells, axes, json.loads(chosen.read_text(encoding="utf-8")))
    elif len(cells) > MOST_CELLS:
        return
    single = list(one_by_one(cells, axes))
    if "curves" in tables:
        yield "curves", curves.accuracies(tables["curves"], single)
        yield "losses", curves.losses(tables["curves"], single)
        yield "norms", curves.norms(tables["curves"], single)
        if any(name.startswith("spectral_") for name in tables["curves"].columns):
            yield "spectral_norms", curves.norms(tables["curves"], single, "spectral")
    # Not every cell has rows in every table: there are logits of corrupted examples alone.
    having = {
        name: [cell for cell in single if not cell.of(table).empty]
        for name, table in tables.items()
    }
    if having.get("neurons"):
        neurons = tables["neurons"]
        yield "ipr_histograms", spectra.histograms(neurons, having["neurons"])
        if "normalization_weight" in neurons:
            yield "normalization_weights", spectra.normalization_weights(neurons, single)
    if having.get("rows"):
        figure = spectra.weight_rows(tables["rows"], tables.get("neurons"), having["rows"])
        yield "weight_rows", figure
    if having.get("pruning"):
        yield "pruning_accuracy", pruning.accuracies(tables["pruning"], having["pruning"])
        yield "pruning_loss", pruning.losses(tables["pruning"], having["pruning"])
    if having.get("activations"):
        table, there = tables["activations"], having["activations"]
        yield "activations", representations.activations(table, tables["runs"], there)
    if having.get("readout"):
        table, there = tables["readout"], having["readout"]
        yield "output_weights", representations.output_weights(table, tables["runs"], there)
    if having.get("logits"):
        yield "logits", logits.logits(tables["logits"], having["logits"])
