"""Figures are drawn from tables alone, the same each time, from whatever was swept."""

from __future__ import annotations

import json
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from phasegrok.analysis.phases import DIVERGED, SUBPHASES
from phasegrok.figures import draw
from phasegrok.figures.accuracy import accuracy
from phasegrok.figures.diagram import phase_diagram
from phasegrok.figures.layout import arrange, format_values
from phasegrok.figures.palette import PALETTE, lightness, rgb

AXES = ["data_fraction", "corruption_fraction", "weight_decay"]


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
    (folder / "manifest.json").write_text(json.dumps({"name": "made", "axes": axes}))
    return folder


def paper_grid(decays: list[Any]) -> pd.DataFrame:
    """Cells of a small diagram with one panel for each weight decay."""
    return table(
        data_fraction=[0.1, 0.3, 0.5], corruption_fraction=[0.0, 0.2, 0.4, 0.9], weight_decay=decays
    )


def test_files_and_determinism(tmp_path: Path) -> None:
    """Both figures exist as PNG and PDF with the right first bytes, nothing unpublished is left,
    and drawing the same tables again gives the same bytes (so no date or chance is in them).
    """
    folder = result_folder(tmp_path, paper_grid([0.0, 5.0]), AXES)
    paths = draw(folder)
    names = ["phase_diagram.png", "phase_diagram.pdf", "accuracy.png", "accuracy.pdf"]
    assert paths == [folder / "figures" / name for name in names]
    assert sorted(p.name for p in (folder / "figures").iterdir()) == sorted(names)
    first = [path.read_bytes() for path in paths]
    assert [b[:4] for b in first] == [b"\x89PNG", b"%PDF"] * 2
    assert b"CreationDate" not in first[1]
    assert [path.read_bytes() for path in draw(folder)] == first


def test_colours_stand_where_the_cells_are(tmp_path: Path) -> None:
    """The drawn picture holds each phase's exact colour, and one missing cell of two leaves half of
    the panel white where it would be: pixels, not objects, are looked at.
    """
    cells = table(data_fraction=[0.1, 0.2], corruption_fraction=[0.0, 0.1])
    cells["subphase"] = ["Full Inversion", "Memorization", "Coexistence", "Confusion"]
    whole = _share(draw(result_folder(tmp_path, cells, AXES[:2]))[0])
    holed = _share(draw(result_folder(tmp_path, cells.iloc[:3], AXES[:2]))[0])
    assert all(whole[name] > 0.05 for name in cells["subphase"])
    assert holed["Confusion"] == 0 and holed["Coexistence"] > 0.05
    # Corruption rises upwards: the cell (0.1, 0.1) is above (0.1, 0.0).
    picture = imread(tmp_path / "figures" / "phase_diagram.png")[..., :3] * 255
    rows = {
        name: np.nonzero(np.abs(picture - rgb(PALETTE[name].colour)).max(axis=2) < 2)[0].mean()
        for name in ("Memorization", "Full Inversion")
    }
    assert rows["Memorization"] < rows["Full Inversion"]


def _share(path: Path) -> dict[str, float]:
    """Share of a picture's pixels that has each phase's colour."""
    picture = imread(path)[..., :3] * 255
    return {
        name: float((np.abs(picture - rgb(style.colour)).max(axis=2) < 2).mean())
        for name, style in PALETTE.items()
    }


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
    layout = arrange(cells, list(swept))
    assert (layout.x.column, layout.y.column) == (x, y)
    assert (layout.rows, layout.columns) == (rows, columns)
    assert layout.panels[0].titles == first
    drawn = sum((layout.grid(p, "subphase") != np.array(None)).sum() for p in layout.panels)
    assert drawn == len(cells)
    phase_diagram(layout).draw_without_rendering()
    accuracy(layout).draw_without_rendering()


def test_a_task_without_fractions() -> None:
    """Tables without a data fraction still make a diagram: the direction has no name or number."""
    cells = table(weight_decay=[0, 5]).drop(columns=["data_fraction", "corruption_fraction"])
    layout = arrange(cells, ["weight_decay"])
    assert layout.grid(layout.panels[0], "subphase").shape == (1, 2)
    assert layout.y.labels == [""]


def test_panels_of_the_paper() -> None:
    """Figure 3: one row of panels titled by their regularization, symbols at the axes, a legend
    naming only phases that occur; Figure 24: two rows of heat maps above the same panels.
    """
    cells = paper_grid([0, 5, 20])
    cells["subphase"] = cells["subphase"].replace(
        {"Forgetting": "Confusion", DIVERGED: "Confusion"}
    )
    layout = arrange(cells, AXES)
    figure = phase_diagram(layout)
    assert [a.get_title() for a in figure.axes] == [f"weight decay = {n}" for n in (0, 5, 20)]
    assert figure.axes[0].get_xlabel() == "data fraction α"
    assert figure.axes[0].get_ylabel() == "corruption fraction ξ"
    texts = [text.get_text()[3:] for text in figure.legends[0].get_texts()]
    assert texts == [name for name in SUBPHASES if name != "Forgetting"]
    titles = [axes.get_title().split("\n")[0] for axes in accuracy(layout).axes[:9]]
    assert titles == ["train accuracy"] * 3 + ["test accuracy"] * 3 + ["phase"] * 3


@pytest.mark.parametrize(("across", "up"), [(17, 19), (5, 5), (40, 2), (1, 60)])
def test_tick_labels_do_not_touch(across: int, up: int) -> None:
    """The boxes of neighbouring tick labels, as rendered, are apart at the paper's grid, a small
    one and lopsided ones with uneven values.
    """
    cells = table(
        data_fraction=np.linspace(0.1, 0.9, across).round(12).tolist(),
        corruption_fraction=np.geomspace(0.001, 0.9, up).tolist(),
    )
    figure = phase_diagram(arrange(cells, AXES[:2]))
    figure.draw_without_rendering()
    for side, edge in (("xaxis", (0, 2)), ("yaxis", (1, 3))):
        labels = getattr(figure.axes[0], side).get_ticklabels()
        boxes = [label.get_window_extent().extents for label in labels]
        assert all(one[edge[1]] < other[edge[0]] for one, other in pairwise(boxes))


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
    axes = phase_diagram(layout).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["alpha", *map(str, range(29, -1, -1)), "zeta"]
    cells = table(variant=["b", "a"], data_fraction=[0.1, 0.2], corruption_fraction=[0.0, 0.3])
    layout = arrange(cells, ["variant", "data_fraction", "corruption_fraction"])
    assert layout.y.column == "corruption_fraction"
    assert [panel.titles for panel in layout.panels] == [("variant = b",), ("variant = a",)]
    layout = arrange(table(variant=["b", "a"]), ["variant"])
    assert (layout.x.column, layout.y.labels) == ("data_fraction", ["a", "b"])


def test_palette_is_readable_without_colour() -> None:
    """Every pair of phases differs in lightness by 9 of 100 (well above the 2 an eye can tell
    side by side), letters differ, and each letter has contrast with its ground.
    """
    steps = sorted(lightness(style.colour) for style in PALETTE.values())
    assert all(brighter - darker >= 9 for darker, brighter in pairwise(steps))
    assert len({style.letter for style in PALETTE.values()}) == len(PALETTE) == 7
    assert all(abs(lightness(s.colour) - lightness(s.ink)) > 40 for s in PALETTE.values())
    assert lightness("#ffffff") == pytest.approx(100, abs=0.01) and lightness("#000000") == 0


def test_nothing_to_draw(tmp_path: Path) -> None:
    """An empty table of cells is refused in words."""
    folder = result_folder(tmp_path, paper_grid([0]).iloc[:0], AXES)
    with pytest.raises(ValueError, match="no cells"):
        draw(folder)
