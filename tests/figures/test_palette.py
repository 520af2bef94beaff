"""Colours can be told apart without colour."""

from __future__ import annotations

from itertools import pairwise

import pytest

from phasegrok.figures.palette import PALETTE, lightness


def test_palette_is_readable_without_colour() -> None:
    """Every pair of phases differs in lightness by 9 of 100 (well above the 2 an eye can tell
    side by side), letters differ, and each letter has contrast with its ground.
    """
    steps = sorted(lightness(style.colour) for style in PALETTE.values())
    assert all(brighter - darker >= 9 for darker, brighter in pairwise(steps))
    assert len({style.letter for style in PALETTE.values()}) == len(PALETTE) == 7
    assert all(abs(lightness(s.colour) - lightness(s.ink)) > 40 for s in PALETTE.values())
    assert lightness("#ffffff") == pytest.approx(100, abs=0.01) and lightness("#000000") == 0
