"""Pictures of a result folder, drawn from its tables alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from phasegrok.analysis.phases import shown
from phasegrok.results.folder import Folder, read_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLOSEUP", "draw"]

CLOSEUP: Final = "closeup.json"
TABLES: Final = (
    "runs",
    "curves",
    "neurons",
    "pruning",
    "logits",
    "rows",
    "readout",
    "activations",
)


def draw(folder: Path) -> list[Path]:
    """Draw every figure of a result folder as PNG and PDF.

    Always the phase diagram with its accuracies; and, where the cells are few or ``closeup.json``
    names some of many, their curves, norms, and whatever the tables that ``measure:`` asked for
    allow. A sweep that is not finished yet is
    drawn with blanks; drawing the same tables again writes the same bytes.

    Args:
        folder: result folder with ``manifest.json`` (its ``axes``) and ``runs``, by which
            ``cells.parquet`` is brought up to date; without runs the cells are those there.
            ``closeup.json``, where it is there, maps swept columns to the values to look at.

    Returns:
        The files written, in ``folder/figures``.

    Raises:
        ValueError: if its table of cells is empty.
        Refusal: the folder holds no results, or none yet, or ``closeup.json`` names what the sweep
            does not have.
    """
    # Imported late: the terminal diagram shares this package's layout and palette, and should not
    # wait a second for matplotlib.
    from phasegrok.figures import canvas

    results = Folder(folder)
    manifest, cells = results.require_manifest(), results.cells()
    target = folder / "figures"
    target.mkdir(exist_ok=True)
    drawn = _figures(folder, manifest, cells)
    return [path for name, figure in drawn for path in canvas.save(figure, target, name)]


def _figures(
    folder: Path, manifest: Mapping[str, Any], cells: pd.DataFrame
) -> Iterator[tuple[str, Figure]]:
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

    axes = manifest["axes"]
    sweep = manifest.get("sweep", {})
    cells = shown(cells, sweep)
    tables = {
        name: read_table(folder / name)
        for name in TABLES
        if any((folder / name).glob("[!.]*.parquet"))
    }
    layout = arrange(cells, axes)
    yield "phase_diagram", diagram.phase_diagram(layout)
    yield "accuracy", accuracy.accuracy(layout)
    if axes == ["width"] and {"pruning", "runs"} <= set(tables):
        yield "prunable", pruning.by_width(tables["pruning"], tables["runs"])
    analytic_start = sweep.get("model", {}).get("initialization") == "analytic"
    if axes == ["width"] and analytic_start and "curves" in tables:
        yield "analytic", analytic.by_width(tables["curves"])
    if "runs" in tables:
        if "width" in axes and tables["runs"]["seed"].nunique() >= shares.FEWEST_SEEDS:
            yield "generalizing", shares.by_width(tables["runs"], axes)
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
    if having.get("activations") and "runs" in tables:
        table, there = tables["activations"], having["activations"]
        yield "activations", representations.activations(table, tables["runs"], there)
    if having.get("readout") and "runs" in tables:
        table, there = tables["readout"], having["readout"]
        yield "output_weights", representations.output_weights(table, tables["runs"], there)
    if having.get("logits"):
        yield "logits", logits.logits(tables["logits"], having["logits"])
