"""Pictures of a result folder, drawn from its tables alone."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

__all__ = ["draw"]


def draw(folder: Path) -> list[Path]:
    """Draw every figure of a result folder as PNG and PDF.

    A sweep that is not finished yet is drawn with blanks; drawing the same tables again writes the
    same bytes.

    Args:
        folder: result folder with ``manifest.json`` (its ``axes``) and ``cells.parquet``.

    Returns:
        The files written, in ``folder/figures``.

    Raises:
        FileNotFoundError: if the folder is not a result folder.
        ValueError: if its table of cells is empty.
    """
    # Imported late: the terminal diagram shares this package's layout and palette, and should not
    # wait a second for matplotlib.
    from phasegrok.figures import accuracy, canvas, diagram
    from phasegrok.figures.layout import arrange

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    cells = pd.read_parquet(folder / "cells.parquet")
    layout = arrange(cells, manifest["axes"])
    target = folder / "figures"
    target.mkdir(exist_ok=True)
    return [
        *canvas.save(diagram.phase_diagram(layout), target, "phase_diagram"),
        *canvas.save(accuracy.accuracy(layout), target, "accuracy"),
    ]
