"""The phase diagram and its accuracies show every cell where it belongs."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from phasegrok.analysis.phases import DIVERGED, SUBPHASES
from phasegrok.errors import Refusal
from phasegrok.figures import canvas, draw
from phasegrok.figures.accuracy import accuracy
from phasegrok.figures.context import Context
from phasegrok.figures.diagram import phase_diagram
from phasegrok.figures.layout import Scale
from phasegrok.figures.palette import PALETTE, rgb
from tests.figures.made import AXES, diagram_of, paper_grid, result_folder, table


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


def test_panels_of_the_paper() -> None:
    """Figure 3: one row of panels titled by their regularization, symbols at the axes, a legend
    naming only phases that occur; Figure 24: two rows of heat maps above the same panels.
    """
    cells = paper_grid([0, 5, 20])
    cells["subphase"] = cells["subphase"].replace(
        {"Forgetting": "Confusion", DIVERGED: "Confusion"}
    )
    context = diagram_of(cells, AXES)
    figure = phase_diagram(context)
    assert [a.get_title() for a in figure.axes] == [f"weight decay = {n}" for n in (0, 5, 20)]
    assert figure.axes[0].get_xlabel() == "data fraction α"
    assert figure.axes[0].get_ylabel() == "corruption fraction ξ"
    texts = [text.get_text().partition("  ")[2] for text in figure.legends[0].get_texts()]
    assert texts == [name for name in SUBPHASES if name != "Forgetting"]
    titles = [axes.get_title().split("\n")[0] for axes in accuracy(context).axes[:9]]
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
    figure = phase_diagram(diagram_of(cells, AXES[:2]))
    figure.draw_without_rendering()
    for side, edge in (("xaxis", (0, 2)), ("yaxis", (1, 3))):
        labels = getattr(figure.axes[0], side).get_ticklabels()
        boxes = [label.get_window_extent().extents for label in labels]
        assert all(one[edge[1]] < other[edge[0]] for one, other in pairwise(boxes))


def test_thousands_of_cells_are_one_small_image(tmp_path: Path) -> None:
    """65 x 73 cells and more are drawn as an image: every phase in its exact colour, a small PDF,
    and a sheet that does not grow with the cells."""
    sizes = {}
    for cells in (20, 120):
        grid = table(
            data_fraction=np.linspace(0.1, 0.9, cells).round(12).tolist(),
            corruption_fraction=np.linspace(0, 0.9, cells).round(12).tolist(),
        )
        figure = phase_diagram(diagram_of(grid, AXES[:2]))
        assert bool(figure.axes[0].lines) == (cells == 20)  # letters
        sizes[cells] = figure.get_size_inches()
    assert sizes[120].max() < 3 * sizes[20].max()
    png, pdf = canvas.save(figure, tmp_path, "phase_diagram")
    share = _share(png)
    assert min(share[name] for name in (*SUBPHASES, DIVERGED)) > 0.02
    assert pdf.stat().st_size < 100_000


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_cells_to_scale(scale: Scale) -> None:
    """Each cell reaches halfway to its neighbours on the axis' own scale, 0 has a place on a
    logarithmic one, and of 40 values as many have a label as do not touch."""
    values = [0.0, *np.geomspace(0.001, 10, 40).tolist()]
    cells = table(weight_decay=values, corruption_fraction=[0.0, 0.5, 0.6])
    context = Context(cells, ["weight_decay", "corruption_fraction"], {}, {}, scale=scale)
    figure = phase_diagram(context)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    width = axes.get_window_extent().width
    ends = [axes.transData.transform((x - 0.5, 0))[0] for x in range(len(values) + 1)]
    shares = np.diff(ends) / width
    assert shares.sum() == pytest.approx(1)
    even = np.allclose(shares[2:-1], shares[2])
    assert even == (scale == "log")
    boxes = [text.get_window_extent() for text in axes.get_xticklabels()]
    assert len(boxes) > 1 and all(a.x1 <= b.x0 for a, b in pairwise(boxes))


def test_a_negative_number_has_no_logarithm() -> None:
    cells = table(weight_decay=[-1.0, 1.0], corruption_fraction=[0.0, 0.5])
    context = Context(cells, ["weight_decay", "corruption_fraction"], {}, {}, scale="log")
    with pytest.raises(Refusal, match=r"--scale log: found weight_decay = -1; allowed: numbers of"):
        phase_diagram(context)
