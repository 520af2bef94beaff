"""``phasegrok compare A B``: what is said of two sweeps, and what is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from phasegrok.analysis.boundaries import boundaries, bounds_generalization
from phasegrok.analysis.compare import (
    ACCURACIES,
    Comparison,
    compare,
    shared_axes,
    shifts,
)
from phasegrok.analysis.phases import check_label
from phasegrok.errors import Refusal, counted
from phasegrok.results.folder import Folder

__all__ = ["compare_folders", "comparison_text"]

MOST_CELLS: Final = 12  # that are named one by one
NOTICED: Final = 0.05  # of an accuracy


def compare_folders(first: Path, second: Path, label: str, output: Path | None) -> tuple[bool, str]:
    """Compare two result folders.

    Args:
        first, second: the folders.
        label: column that is compared.
        output: where tables and a picture are written, if anywhere.

    Returns:
        Whether all labels of shared cells are the same, and what to print.

    Raises:
        Refusal: they cannot be compared.
    """
    check_label(label)
    folders = Folder(first), Folder(second)
    heads = [folder.head() for folder in folders]
    cells = [folder.label() for folder in folders]
    axes = shared_axes(cells[0], cells[1], heads[0].crossed, heads[1].crossed)
    try:
        found = compare(cells[0], cells[1], axes, label)
    except Refusal as refusal:
        raise Refusal(f"{first} and {second}: {refusal}") from None
    lines = [
        boundaries(each, _runs(folder), head.crossed, label)
        for each, folder, head in zip(cells, folders, heads, strict=True)
    ]
    moved = shifts(lines[0], lines[1], axes)
    text = comparison_text(found, moved, (str(first), str(second)))
    if output is not None:
        text += "\n" + _write(found, moved, output)
    return found.differ.empty, text


def _runs(folder: Folder) -> pd.DataFrame | None:
    """The runs, for fits over seeds, where there are any that can be labelled."""
    return folder.read("runs") if folder.labels_follow else None


def _write(found: Comparison, moved: pd.DataFrame, output: Path) -> str:
    from phasegrok.figures import canvas
    from phasegrok.figures.compare import difference

    output.mkdir(parents=True, exist_ok=True)
    folder = Folder(output)
    folder.write_table("comparison.parquet", found.cells)
    folder.write_table("boundary_shifts.parquet", moved)
    drawn = canvas.save(difference(found), output, "difference")
    names = ["comparison.parquet", "boundary_shifts.parquet", *(path.name for path in drawn)]
    return f"wrote {output}/{', '.join(names)}"


def comparison_text(found: Comparison, moved: pd.DataFrame, names: tuple[str, str]) -> str:
    """What differs, in a few lines."""
    return "\n".join([*_cells(found, names), *_accuracies(found), *_shifts(found.axes, moved)])


def _cells(found: Comparison, names: tuple[str, str]) -> Iterator[str]:
    both = len(found.cells)
    yield f"A {names[0]}: {counted(both + found.only_a, 'cell')}"
    yield f"B {names[1]}: {counted(both + found.only_b, 'cell')}; {both} of them in both"
    differ = found.differ
    yield f"{found.label}: {len(differ)} of {counted(both, 'cell')} differ"
    before, after = f"{found.label}_a", f"{found.label}_b"
    for _, row in differ.head(MOST_CELLS).iterrows():
        place = ", ".join(f"{name}={_value(row[name])}" for name in found.axes)
        yield f"  {place or 'the cell'}: {row[before]} -> {row[after]}"
    if len(differ) > MOST_CELLS:
        yield f"  and {len(differ) - MOST_CELLS} more:"
        counts = differ.groupby([before, after]).size().sort_values(ascending=False)
        for pair, count in counts.items():
            assert isinstance(pair, tuple)
            yield f"  {pair[0]} -> {pair[1]}: {count}"


def _accuracies(found: Comparison) -> Iterator[str]:
    for name in ACCURACIES:
        apart = found.cells[name].dropna()
        if apart.empty:
            continue
        many = int((apart.abs() > NOTICED).sum())
        yield (
            f"{name.replace('_', ' ')}, B - A: {apart.min():+.3f} to {apart.max():+.3f}, on average"
            f" {apart.mean():+.3f}; more than {NOTICED:g} apart in {counted(many, 'cell')}"
        )


def _shifts(axes: Sequence[str], moved: pd.DataFrame) -> Iterator[str]:
    """How far the boundary of generalization moved, slice by slice."""
    rows = moved[bounds_generalization(moved)]
    slices = [name for name in axes if name in rows]
    for along, part in rows.groupby("along", sort=False):
        groups = part.groupby(slices, dropna=False) if slices else [((), part)]
        for values, one in groups:
            place = ", ".join(
                f"{name}={_value(value)}" for name, value in zip(slices, values, strict=True)
            )
            title = f"boundary of generalization along {along}{', ' if place else ''}{place}"
            mean, half = one["shift"].mean(), one["half_width"].mean()
            text = f"{title}: moved by {mean:+.3g} ± {half:.2g} over {counted(len(one), 'row')}"
            if one["fit_shift"].notna().any():
                fits = one.dropna(subset=["fit_shift"])
                text += (
                    f"; fitted over seeds {fits['fit_shift'].mean():+.3g}"
                    f" ({fits['fit_low'].mean():+.3g} to {fits['fit_high'].mean():+.3g})"
                )
            yield text


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
