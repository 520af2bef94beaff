"""What becomes an axis, what a panel, and how values are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from phasegrok.figures.accuracy import accuracy
from phasegrok.figures.diagram import phase_diagram
from phasegrok.figures.layout import arrange, format_values
from tests.figures.made import AXES, diagram_of, table


@pytest.mark.parametrize(
    ("swept", "x", "y", "rows", "columns", "first"),
    [
        ({"data_fraction": [0.1, 0.5], "corruption_fraction": [0, 0.1]}, *AXES[:2], 1, 1, ()),
        (
            {"weight_decay": [0, 5], "learning_rate": [1, 2]},
            "weight_decay",
            "learning_rate",
            1,
            1,
            (),
        ),
        ({"weight_decay": [0, 5], "corruption_fraction": [0, 1]}, AXES[2], AXES[1], 1, 1, ()),
        ({"weight_decay": [0, 5]}, "weight_decay", "corruption_fraction", 1, 1, ()),
        ({"corruption_fraction": [0, 0.5]}, *AXES[:2], 1, 1, ()),
        ({"optimizer": ["sgd", "adamw"]}, *AXES[:2], 1, 2, ("optimizer = sgd",)),
        ({"normalization": ["batch", None]}, *AXES[:2], 1, 2, ("normalization = batch",)),
        (
            {
                "data_fraction": [0.1],
                "weight_decay": [0],
                "dropout": [0.5, 0.7],
                "width": [1, 2, 3],
            },
            *("data_fraction", "weight_decay"),
            *(2, 3),
            ("dropout = 0.5", "width = 1"),
        ),
        (
            {"a": ["p", "q"], "b": ["r", "s"], "c": ["t"]},
            *AXES[:2],
            *(2, 2),
            ("a = p", "b = r", "c = t"),
        ),
    ],
)
def test_what_becomes_axis_and_what_panel(
    swept: dict[str, list[Any]], x: str, y: str, rows: int, columns: int, first: tuple[str, ...]
) -> None:
    """Fractions take their axes, other numbers the free ones, the rest become panels; every cell is
    drawn in exactly one panel; and both figures can be drawn of it.
    """
    cells = table(**swept)
    context = diagram_of(cells, list(swept))
    layout = context.layout
    assert (layout.x.column, layout.y.column) == (x, y)
    assert (layout.rows, layout.columns) == (rows, columns)
    assert layout.panels[0].titles == first
    drawn = sum((layout.grid(p, "subphase") != np.array(None)).sum() for p in layout.panels)
    assert drawn == len(cells)
    phase_diagram(context).draw_without_rendering()
    accuracy(context).draw_without_rendering()


def test_a_task_without_fractions() -> None:
    """Tables without a data fraction still make a diagram: the direction has no name or number."""
    cells = table(weight_decay=[0, 5]).drop(columns=["data_fraction", "corruption_fraction"])
    layout = arrange(cells, ["weight_decay"])
    assert layout.grid(layout.panels[0], "subphase").shape == (1, 2)
    assert layout.y.labels == [""]


def test_format_values() -> None:
    """Labels are short, but never so short that two values of an axis look the same."""
    assert format_values([0.1, 0.15, 20000.0, 5]) == ["0.1", "0.15", "20000", "5"]
    assert format_values([0.00316227766]) == ["0.003162"]
    assert format_values([True, np.False_]) == ["True", "False"]
    assert format_values([0.123451, 0.123452]) == ["0.123451", "0.123452"]


def test_variants_are_rows_or_panels() -> None:
    """Their names stand in the sweep's order, the first on top, none left out, where nothing else
    runs up; else each has a panel. No names are on an axis of numbers."""
    cells = table(variant=["zeta", *map(str, range(30)), "alpha"], weight_decay=[0.0, 1.0])
    layout = arrange(cells, ["variant", "weight_decay"])
    assert (layout.x.column, layout.y.column, len(layout.panels)) == ("weight_decay", "variant", 1)
    grid = layout.grid(layout.panels[0], "train_accuracy")
    assert (grid[-1, 0], grid[0, 1]) == (0.0, 1.0)
    axes = phase_diagram(diagram_of(cells, ["variant", "weight_decay"])).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["alpha", *map(str, range(29, -1, -1)), "zeta"]
    cells = table(variant=["b", "a"], data_fraction=[0.1, 0.2], corruption_fraction=[0.0, 0.3])
    layout = arrange(cells, ["variant", "data_fraction", "corruption_fraction"])
    assert layout.y.column == "corruption_fraction"
    assert [panel.titles for panel in layout.panels] == [("variant = b",), ("variant = a",)]
    layout = arrange(table(variant=["b", "a"]), ["variant"])
    assert (layout.x.column, layout.y.labels) == ("data_fraction", ["a", "b"])
