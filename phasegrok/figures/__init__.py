"""Pictures of a result folder, drawn from its tables alone."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Final

from phasegrok.figures.context import CLOSEUP, read_context
from phasegrok.figures.registry import PICTURES, Picture

__all__ = ["CLOSEUP", "FAMILIES", "draw", "pictures"]

# The modules that register pictures, in the order in which they are drawn.
FAMILIES: Final = (
    "diagram",
    "accuracy",
    "analytic",
    "shares",
    "sizes",
    "curves",
    "spectra",
    "pruning",
    "representations",
    "logits",
)


def pictures() -> list[Picture]:
    """All pictures that there are."""
    # Imported late: the terminal diagram shares this package's layout and palette, and should not
    # wait a second for matplotlib.
    for family in FAMILIES:
        import_module(f"phasegrok.figures.{family}")
    return list(PICTURES.values())


def draw(folder: Path) -> list[Path]:
    """Draw every figure of a result folder as PNG and PDF.

    The phase diagram and its accuracies are always drawn. What the other tables allow is drawn too:
    single cells where they are few, or where ``closeup.json`` names some of many. A sweep that is
    not finished yet is drawn with blanks. The same tables give the same bytes again.

    Args:
        folder: result folder with ``manifest.json`` and ``runs``, by which ``cells.parquet`` is
            brought up to date. Without runs the cells are those there. ``closeup.json`` maps swept
            columns to the values to look at.

    Returns:
        The files written, in ``folder/figures``.

    Raises:
        ValueError: its table of cells is empty.
        Refusal: the folder holds no results, or none yet, or ``closeup.json`` names what the sweep
            does not have.
    """
    context = read_context(folder)
    if context.cells.empty:
        raise ValueError("there are no cells to draw")
    registered = pictures()
    from phasegrok.figures import canvas

    target = folder / "figures"
    target.mkdir(exist_ok=True)
    # A figure is saved before the next is drawn: all of them together need much memory.
    return [
        path
        for picture in registered
        if picture.applies(context)
        for path in canvas.save(picture.draw(context), target, picture.name)
    ]
