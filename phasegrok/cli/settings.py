"""The settings in effect: every value that decides a run's numbers, and where it comes from.

A figure that cannot be reproduced is most often one of an unstated setting. So the plan states them
all, the defaults too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from phasegrok.config import PATHS, Measure
from phasegrok.config.paths import has
from phasegrok.errors import short
from phasegrok.figures.layout import format_values
from phasegrok.sweep.sweep import Axis, Sweep

__all__ = ["settings_text"]

DEFAULT = "default"
MOST_SHOWN = 4  # values of an axis; of more the first, the last and how many


def settings_text(sweep: Sweep) -> str:
    """A line for every setting: its key, its value, and whether the file, a ``--set``, a kind's
    default or an axis gives it."""
    rows = [("setting", "value", "from"), *_rows(sweep)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(
        f"{key:<{widths[0]}}  {value:<{widths[1]}}  {origin}".rstrip()
        for key, value, origin in rows
    )


def _rows(sweep: Sweep) -> Iterator[tuple[str, str, str]]:
    axes = {axis.path: axis for axis in sweep.axes}
    for path in PATHS:
        if path in axes:
            yield path, _values(axes[path]), f"axis, {_origin(sweep, path)}"
            continue
        by_variant = _of_variants(sweep, path)
        if len(by_variant) > 1:
            shown = (f"{value} ({', '.join(names)})" for value, names in by_variant.items())
            yield path, short(", ".join(shown)), "variants"
        elif by_variant:
            ((value, names),) = by_variant.items()
            yield path, value, _origin(sweep, path, names[0])
    yield "seeds", _listed(list(sweep.seeds)), _origin(sweep, "seeds")
    for name in Measure.model_fields:
        if sweep.where(f"measure.{name}") != sweep.file:
            path = f"measure.{name}"
            yield path, _text(getattr(sweep.measure, name)), _origin(sweep, path)


def _of_variants(sweep: Sweep, path: str) -> dict[str, list[str]]:
    """By value the names of the variants that have it; one without a name where there are none.
    Variants whose kinds have no such key are left out."""
    found: dict[str, list[str]] = {}
    swept = {axis.path: axis.values[0] for axis in sweep.axes}
    for variant in sweep.variants or (None,):
        experiment = sweep.at(swept, variant) if variant else sweep.base
        if has(experiment, path):
            block, _, leaf = path.rpartition(".")
            value = getattr(getattr(experiment, block) if block else experiment, leaf)
            found.setdefault(_text(value), []).append(variant.name if variant else "")
    return found


def _origin(sweep: Sweep, path: str, variant: str = "") -> str:
    """Where a value comes from, as short as it can be told."""
    where = sweep.where(path, variant)
    if where == sweep.file:
        return DEFAULT
    inside = where.removeprefix(f"{sweep.file}:")
    return where if inside == where else f"file, line {inside.partition(':')[0]}"


def _values(axis: Axis) -> str:
    return _listed(list(axis.values))


def _listed(values: list[Any]) -> str:
    texts = [short(text) for text in format_values(values)]
    if len(texts) <= MOST_SHOWN:
        return ", ".join(texts)
    return f"{texts[0]} to {texts[-1]}, {len(texts)} values"


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, tuple | list):
        return _listed(list(value)) or "none"
    return short(f"{value:g}" if isinstance(value, float) else str(value))
