"""One colour and one letter for every phase, for print, for screens and for terminals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from phasegrok.analysis.phases import DIVERGED, SUBPHASES

__all__ = ["PALETTE", "Style", "lightness", "rgb"]


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
