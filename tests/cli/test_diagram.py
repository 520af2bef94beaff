"""The terminal diagram shows every cell where it belongs and keeps to the width it is given."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from phasegrok.cli.diagram import diagram
from phasegrok.figures.palette import PALETTE, rgb

AXES = ["data_fraction", "corruption_fraction", "weight_decay"]
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def grid(across: int, up: int, decays: list[float]) -> pd.DataFrame:
    """Cells with one phase for each weight decay."""
    names = list(PALETTE)
    return pd.DataFrame(
        {
            "data_fraction": alpha,
            "corruption_fraction": xi,
            "weight_decay": decay,
            "subphase": names[number % len(names)],
        }
        for number, decay in enumerate(decays)
        for alpha in np.linspace(0.1, 0.9, across).round(12)
        for xi in np.linspace(0.0, 0.9, up).round(12)
    )


def test_corners_and_blanks() -> None:
    """Corruption rises upwards, data to the right, a missing cell is blank: the four corners of an
    asymmetric diagram hold four different phases, so no flip or transpose leaves it unchanged.
    """
    rows: list[tuple[float, float, str]] = [
        (0.1, 0.0, "Memorization"),
        (0.5, 0.0, "Coexistence"),
        (0.9, 0.0, "Full Inversion"),
        (0.1, 0.9, "Confusion"),
        (0.9, 0.9, "Partial Inversion"),
    ]
    cells = pd.DataFrame(rows, columns=["data_fraction", "corruption_fraction", "subphase"])
    lines = diagram(cells, AXES[:2], 80, colour=False).splitlines()
    assert lines[0] == "0.9 ?   P"
    assert lines[1] == "  0 M C I"
    assert lines[2] == "    0.1 0.9"


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("colour", [False, True])
def test_width_is_kept(width: int, colour: bool) -> None:
    """No visible line of the paper's four panels is longer than the terminal, and no panel is lost
    when they wrap.
    """
    text = ANSI.sub("", diagram(grid(17, 19, [0, 5, 15, 20]), AXES, width, colour))
    assert max(map(len, text.splitlines())) <= width
    assert re.findall(r"weight decay = (\d+)", text) == ["0", "5", "15", "20"]
    assert text.count("M") == 19 * 17 + 2  # the cells, and letter and name in the legend


def test_panels_stand_side_by_side_when_they_fit() -> None:
    """At 120 characters the paper's four panels share their lines; at 80 they take two turns."""
    cells = grid(17, 19, [0, 5, 15, 20])
    assert sum("weight decay" in line for line in diagram(cells, AXES, 120, False).split("\n")) == 1
    assert sum("weight decay" in line for line in diagram(cells, AXES, 80, False).split("\n")) == 2


def test_plain_text_is_ascii() -> None:
    """Without colour nothing needs more than ASCII, not even a variant named by the user."""
    cells = grid(3, 3, [0]).assign(variant="große α")
    text = diagram(cells, [*AXES, "variant"], 80, colour=False)
    assert text.isascii() and "variant = gro?e ?" in text


def test_colour_changes_nothing_but_colour() -> None:
    """Stripped of its codes the coloured diagram has the letters of the plain one, and each phase's
    letter is preceded by that phase's background.
    """
    cells = grid(5, 5, [0, 1, 2, 3, 4, 5, 6])
    coloured, plain = (diagram(cells, AXES, 120, colour) for colour in (True, False))
    letters = [text.partition("across")[0].split() for text in (ANSI.sub("", coloured), plain)]
    assert letters[0] == letters[1]
    for style in PALETTE.values():
        back = ";".join(map(str, rgb(style.colour)))
        assert re.search(rf"\x1b\[48;2;{back};[0-9;]*m{re.escape(style.letter)} ", coloured)


def test_legend_counts_what_is_drawn() -> None:
    """The legend has the number of cells of each phase that occurs, and no other phase."""
    cells = grid(4, 3, [0, 5]).iloc[:-2]
    legend = diagram(cells, AXES, 80, colour=False).splitlines()[-1]
    assert legend == "C  Coexistence 12  P  Partial Inversion 10"


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        (["weight_decay"], "0 C P I\n  0   15\n"),
        (["data_fraction"], "0 C\n  0.5\n"),
        ([], "0 C\n  0.5\n"),
    ],
)
def test_fewer_than_two_axes(axes: list[str], expected: str) -> None:
    """A sweep of one number, or of none, is a diagram of one row."""
    cells: Any = grid(1, 1, [0, 5, 15]).assign(data_fraction=0.5)
    cells = cells if "weight_decay" in axes else cells.iloc[:1]
    assert diagram(cells, axes, 80, colour=False).startswith(expected)


def test_no_cells_yet() -> None:
    """A sweep that has finished nothing has nothing to show, and says so."""
    assert diagram(grid(1, 1, [0]).iloc[:0], AXES, 80, colour=True) == "no cells yet\n"


def test_matplotlib_is_not_loaded() -> None:
    """A diagram in the terminal does not wait for the plotting library: in a fresh interpreter
    drawing one leaves it unimported.
    """
    code = "import sys, phasegrok.cli.diagram; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
