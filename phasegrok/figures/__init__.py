"""Pictures of a result folder, drawn from its tables alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Final

from phasegrok import __version__
from phasegrok.analysis.phases import for_display
from phasegrok.analysis.timeline import at_step
from phasegrok.errors import Refusal
from phasegrok.figures.context import CLOSEUP, Context, read_context
from phasegrok.figures.layout import Scale
from phasegrok.figures.registry import PICTURES, Picture
from phasegrok.figures.stale import remove_stale
from phasegrok.files.atomic import write_whole
from phasegrok.results.folder import FIGURES

__all__ = ["CLOSEUP", "FAMILIES", "OVER_TIME", "draw", "draw_at", "drawn", "files", "pictures"]

# The modules that register pictures, in the order in which they are drawn.
FAMILIES: Final = (
    "diagram",
    "accuracy",
    "boundaries",
    "delay",
    "analytic",
    "shares",
    "sizes",
    "curves",
    "spectra",
    "pruning",
    "representations",
    "logits",
)
STRICT: Final = "PHASEGROK_STRICT_FIGURES"  # a variable with which an error in a picture is raised
# The pictures of cells alone, which there are at every step.
OVER_TIME: Final = ("phase_diagram", "accuracy")
DRAWN: Final = ".drawn"  # written after the last picture


def pictures() -> list[Picture]:
    """All pictures that there are."""
    # Before Matplotlib is imported: it takes a backend that it does not know for an error.
    os.environ["MPLBACKEND"] = "agg"
    # Imported late: the terminal diagram shares this package's layout and palette, and should not
    # wait a second for matplotlib.
    for family in FAMILIES:
        import_module(f"phasegrok.figures.{family}")
    # In the order of the list, whichever module something else had imported before.
    places = {f"{__name__}.{family}": place for place, family in enumerate(FAMILIES)}
    return sorted(PICTURES.values(), key=lambda picture: places[picture.draw.__module__])


def draw(folder: Path, scale: Scale = "category") -> list[Path]:
    """Draw every figure of a result folder as PNG and PDF.

    The phase diagram and its accuracies are always drawn. What the other tables allow is drawn too:
    single cells where they are few, or where ``closeup.json`` names some of many. A sweep that is
    not finished yet is drawn with blanks. Pictures of an earlier drawing that the tables do not
    allow any longer are removed. The same tables give the same bytes again.

    Args:
        folder: result folder with ``manifest.json`` and ``runs``, by which ``cells.parquet`` is
            brought up to date. Without runs the cells are those there. ``closeup.json`` maps swept
            columns to the values to look at.
        scale: whether a diagram's values stand as categories, or to scale.

    Returns:
        The files written, in ``folder/figures``.

    Raises:
        ValueError: its table of cells is empty.
        Refusal: the folder holds no results, or none yet, or ``closeup.json`` names what the sweep
            does not have.
    """
    context = read_context(folder, scale)
    every = pictures()
    written = _draw(context, every, folder / FIGURES)
    remove_stale(context, folder / FIGURES, every, written)
    write_whole(folder / FIGURES / DRAWN, __version__.encode())
    return written


def drawn(folder: Path) -> list[Path]:
    """The figures of a folder, if this version drew all of them after its tables were written;
    else none."""
    mark = folder / FIGURES / DRAWN
    try:
        then, version = mark.stat().st_mtime_ns, mark.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    sources = [folder / name for name in ("cells.parquet", "boundaries.parquet", CLOSEUP)]
    newest = max((path.stat().st_mtime_ns for path in sources if path.exists()), default=0)
    return files(folder) if version == __version__ and newest < then else []


def files(folder: Path) -> list[Path]:
    """The pictures that lie in a result folder, whoever drew them."""
    return sorted((folder / FIGURES).glob("*.p[nd][gf]"))


def draw_at(
    folder: Path, step: int | None = None, scale: Scale = "category", label: str | None = None
) -> list[Path]:
    """Draw the pictures of cells alone as they were at a step, or by another label.

    Args:
        folder: result folder with ``runs``, and with ``curves`` where a step is asked for.
        step: optimizer step; every run is seen at its last logged step up to it.
        scale: see :func:`draw`.
        label: ``subphase`` or ``direct_phase``; by default what :func:`draw` shows.

    Returns:
        The files written, in ``folder/figures/step-STEP`` (of the last logged step up to
        ``step``), ``folder/figures/LABEL``, or ``folder/figures/step-STEP/LABEL``.

    Raises:
        Refusal: the folder holds no results, or none yet, or no curves, or the step is negative, or
            there is no such label.
    """
    context, target = read_context(folder, scale, label=label), folder / FIGURES
    if step is not None:
        context = _at_step(context, folder, step)
        target /= f"step-{context.step}"
    if label is not None:
        target /= label
    names = OVER_TIME if step is not None else (*OVER_TIME, "boundaries")
    return _draw(context, [each for each in pictures() if each.name in names], target)


def _at_step(context: Context, folder: Path, step: int) -> Context:
    """What pictures of cells are drawn from, as it was at a step."""
    if not ("runs" in context.tables and "curves" in context.tables):
        raise Refusal(
            f"{folder}: holds no curves, so diagrams over time cannot be drawn; allowed: a folder"
            f" with its curves (phasegrok status --verify {folder} says what is not there)"
        )
    if step < 0:
        raise Refusal(f"--step {step}: found a negative number; allowed: 0 and more")
    runs, curves = context.tables["runs"], context.tables["curves"]
    logged = curves["step"]
    step = int(logged[logged <= step].max())
    then = at_step(runs, curves, context.axes, step)
    return replace(context, cells=for_display(then, context.sweep, context.label), step=step)


def _draw(context: Context, chosen: Iterable[Picture], target: Path) -> list[Path]:
    """Those of the pictures that apply, as files."""
    if context.cells.empty:
        raise ValueError("there are no cells to draw")
    import matplotlib

    target.mkdir(exist_ok=True, parents=True)
    # A figure is saved before the next is drawn: all of them together need much memory. Whatever
    # a user's matplotlibrc says, equal tables give equal bytes.
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        return [path for picture in chosen for path in _drawn(context, picture, target)]


def _drawn(context: Context, picture: Picture, target: Path) -> list[Path]:
    """The files of one picture, if it applies.

    Hours of training come before a drawing. What fails in one is written on its page, and the
    others are drawn.
    """
    from phasegrok.figures import canvas

    try:
        if not picture.applies(context):
            return []
        return canvas.save(picture.draw(context), target, picture.name)
    except (Refusal, OSError, MemoryError):
        raise
    except Exception as error:
        if STRICT in os.environ:
            raise
        reason = f"{type(error).__name__}: {error}"
        return canvas.save(canvas.notice(picture.name, reason), target, picture.name)
