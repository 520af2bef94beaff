"""Every colour of every picture: of phases, of measured quantities, of lines and of groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Final

from phasegrok.analysis.phases import DIVERGED, SUBPHASES

__all__ = [
    "GROUPS",
    "INK",
    "MAIN",
    "MARKERS",
    "MATRICES",
    "PALETTE",
    "QUANTITIES",
    "Style",
    "lightness",
    "line_styles",
    "matrix_style",
    "rgb",
]

# Okabe and Ito's palette, apart for colour-blind eyes.
_BLUE, _VERMILION, _GREEN, _PINK = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
_ORANGE, _SKY, _BLACK = "#e69f00", "#56b4e9", "#000000"
_BROWN, _NAVY, _DARK_BLUE = "#8c6d1f", "#26384a", "#003f73"

MAIN: Final = _BLUE  # of the only line of a panel
INK: Final = _NAVY  # of the weights of neurons
LINES: Final = (_BLUE, _VERMILION, _GREEN, _PINK, _ORANGE, _SKY, _BLACK)
DASHES: Final = ("-", "--", "-.", ":")
MARKERS: Final = ("o", "s", "^", "D", "v")
MATRICES: Final = (_BLUE, _ORANGE, _GREEN, _PINK, _SKY, _VERMILION, _NAVY, _BROWN)
GROUPS: Final = (_BLUE, _VERMILION, _GREEN, _PINK, _ORANGE, _SKY, _BROWN, _NAVY)

# One name and one style for a quantity in every picture.
QUANTITIES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    # Blue and vermilion are alike in grey, so the line of the training set is darker.
    "train_accuracy": ("train", {"color": _DARK_BLUE}),
    "test_accuracy": ("test", {"color": _VERMILION}),
    "corrupted_accuracy": ("corrupted, as given", {"color": _PINK, "linestyle": "--"}),
    "restored_accuracy": ("corrupted, true label", {"color": _BROWN, "linestyle": ":"}),
    "clean_accuracy": ("train, uncorrupted", {"color": _GREEN, "linestyle": "-."}),
    "true_accuracy": ("all, true labels", {"color": _BLACK, "linestyle": ":"}),
    "mean_ipr": ("mean IPR", {"color": _BLACK, "linestyle": ":"}),
    "train_loss": ("train", {"color": _DARK_BLUE}),
    "test_loss": ("test", {"color": _VERMILION}),
}


@dataclass(frozen=True)
class Style:
    """How one phase is drawn.

    Attributes:
        letter: ASCII character that stands for the phase without any colour.
        colour: background, as ``#rrggbb``.
        ink: text colour that reads on it, as ``#rrggbb``.
    """

    letter: str
    colour: str
    ink: str


def line_styles() -> Iterator[dict[str, Any]]:
    """Colour, dashes and marker of lines that differ in a swept value, over and over.

    The three repeat after 7, 4 and 5 lines, so that lines of near colours differ in grey too.
    """
    for colour, dashes, marker in zip(cycle(LINES), cycle(DASHES), cycle(MARKERS), strict=False):
        yield {"color": colour, "linestyle": dashes, "marker": marker, "markersize": 3.5}


def matrix_style(number: int) -> dict[str, Any]:
    """Colour and dashes of the n-th weight matrix.

    Neighbours differ in both: lines of the two halves of a first layer lie on each other. No two
    of the first 32 are alike.
    """
    round_, place = divmod(number, len(MATRICES))
    return {"color": MATRICES[place], "linestyle": DASHES[(number + round_) % len(DASHES)]}


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue in 0..255 of a ``#rrggbb`` colour."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def lightness(colour: str) -> float:
    """Perceived lightness L* of a ``#rrggbb`` colour, 0 (black) to 100 (white).

    L* = 116 Y^(1/3) - 16, with Y the linear-light luminance of sRGB (CIE 1976, IEC 61966-2-1).
    """
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (value / 255 for value in rgb(colour))
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    # Below this luminance CIE replaces the cube root, whose slope is infinite at 0, by a line.
    return 116 * luminance ** (1 / 3) - 16 if luminance > 0.008856 else 903.3 * luminance


def _style(letter: str, colour: str) -> Style:
    return Style(letter, colour, "#000000" if lightness(colour) > 50 else "#ffffff")


# The three phases that generalize are warm and darken as fewer corrupted labels are learned; the
# others are cool. Steps of 9 or more in L* keep all seven apart in grey and for colour-blind eyes.
PALETTE: Final[dict[str, Style]] = {
    "Coexistence": _style("C", "#faeb9c"),
    "Partial Inversion": _style("P", "#f2b04a"),
    "Full Inversion": _style("I", "#cf5429"),
    "Memorization": _style("M", "#5ba2d6"),
    "Forgetting": _style("F", "#8f4090"),
    "Confusion": _style("?", "#26384a"),
    DIVERGED: _style("x", "#000000"),
}

if tuple(PALETTE) != (*SUBPHASES, DIVERGED):
    raise AssertionError("every label needs a colour, in the order legends show them")
