"""The small line above every picture: which sweep it is of, p, N, steps and seeds."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from phasegrok.config import column
from phasegrok.errors import counted
from phasegrok.figures.context import Context
from phasegrok.figures.layout import format_values

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["add_caption", "caption"]

POINTS: Final = 6.5
COLOUR: Final = "#555555"
CHARACTER_INCHES: Final = POINTS * 0.56 / 72
GLUE: Final = "\u00a0"
MOST_VALUES: Final = 3  # of more the first and the last are named

# By path: how its value reads.
WORDS: Final[dict[str, str]] = {
    "task.modulus": "p = {}",
    "task.bits": "n = {}",
    "task.parity_bits": "k = {}",
    "task.train_examples": "{} examples",
    "model.width": "N = {}",
    "train.steps": "{} steps",
    "train.epochs": "{} epochs",
    "data.data_fraction": "α = {}",
    "data.corruption_fraction": "ξ = {}",
}


def add_caption(figure: Figure, context: Context) -> None:
    """Write the line above the panels, small, where there is anything to say."""
    from phasegrok.figures.text import drawable

    text = caption(context)
    if not text:
        return
    room = max(24, int((figure.get_figwidth() - 0.2) / CHARACTER_INCHES))
    # A line is broken between facts, never within one.
    glued = text.replace(" ", GLUE).replace(f",{GLUE}", ", ").replace(f":{GLUE}", ": ")
    lines = [line.replace(GLUE, " ") for line in textwrap.wrap(glued, room)]
    figure.set_figheight(figure.get_figheight() + len(lines) * POINTS * 1.4 / 72)
    figure.suptitle(
        "\n".join(map(drawable, lines)), x=0.01, ha="left", fontsize=POINTS, color=COLOUR
    )


def caption(context: Context) -> str:
    """Name of the sweep, task, model, steps, fixed fractions and seeds, as far as they are known.

    What is swept, or differs between variants, is given with its values, or with the first and the
    last of many.
    """
    sweep = context.sweep
    then = "" if context.step is None else f"at step {context.step}"
    label = f"labels by {context.label}" if context.label else ""
    known = [text for text in (then, label, *_facts(context), _seeds(context)) if text]
    name = str(sweep.get("name", ""))
    return ": ".join(part for part in (name, ", ".join(known)) if part)


def _facts(context: Context) -> Iterator[str]:
    task = _values(context, "task.kind")
    if task == ["images"]:
        yield " or ".join(PurePath(str(each)).name for each in _values(context, "task.source"))
    models = _values(context, "model.kind")
    if models != ["mlp"]:
        yield " and ".join(map(str, models))
    for path, words in WORDS.items():
        values = _values(context, path)
        if values and not (path.startswith("data.") and _is_swept(context, path)):
            text = words.format(_text(values))
            yield text.removesuffix("s") if values == [1] and text.endswith("s") else text


def _is_swept(context: Context, path: str) -> bool:
    return column(path) in context.axes or (path.startswith("data.") and _shrinks(context))


def _shrinks(context: Context) -> bool:
    return context.sweep.get("event", {}).get("set") == "data.data_fraction"


def _text(values: list[Any]) -> str:
    texts = format_values(values)
    if len(texts) > MOST_VALUES:
        return f"{texts[0]} to {texts[-1]}"
    return ", ".join(texts)


def _values(context: Context, path: str) -> list[Any]:
    """All values of a path in the sweep: its axis', or the base's and the variants'."""
    name = column(path)
    if name in context.axes and name in context.cells:
        found = context.cells[name].dropna().unique().tolist()
        return sorted(found) if not any(isinstance(each, str) for each in found) else found
    block, _, leaf = path.partition(".")
    base = context.sweep.get(block, {})
    base = base if isinstance(base, Mapping) else {}
    variants = context.sweep.get("variants") or {"": {}}
    # Keys of another kind than the variant's own mean nothing to it.
    found = [
        each.get(path, base.get(leaf))
        for each in variants.values()
        if path in each or each.get(f"{block}.kind", base.get("kind")) == base.get("kind")
    ]
    found = [each for each in dict.fromkeys(found) if each is not None]
    numbers = all(isinstance(each, int | float) for each in found)
    return sorted(found) if numbers else found


def _seeds(context: Context) -> str:
    if context.has("runs", "seed"):
        number = int(context.tables["runs"]["seed"].nunique())
    else:
        number = len(context.sweep.get("seeds", ()))
    return counted(number, "seed") if number else ""
