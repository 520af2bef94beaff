"""What a table holds, as text that Matplotlib draws as it is.

Values of an axis may be any text: a path with a ``$`` would be set as mathematics and fail, and a
character that the font lacks would be a warning and a box.
"""

from __future__ import annotations

import textwrap
from functools import cache
from pathlib import Path
from typing import Final

import matplotlib
from matplotlib.ft2font import FT2Font

from phasegrok.errors import escaped

__all__ = ["drawable", "drawable_lines"]

MOST_CHARACTERS: Final = 96  # of one text; of a longer one the beginning and the end are drawn


def drawable(text: str) -> str:
    """One line that is drawn character by character."""
    return _plain(text).replace("$", r"\$")


def drawable_lines(text: str, width: int) -> str:
    """The same, broken into lines of so many characters."""
    # Broken before dollars are escaped, or a backslash could stand alone at the end of a line.
    return "\n".join(line.replace("$", r"\$") for line in textwrap.wrap(_plain(text), width))


def _plain(text: str) -> str:
    """Printable characters that the font has; the others as backslash escapes."""
    text = escaped(str(text))
    if len(text) > MOST_CHARACTERS:
        half = MOST_CHARACTERS // 2 - 1
        text = f"{text[:half]}...{text[-half:]}"
    known = _characters()
    return "".join(c if ord(c) in known else ascii(c)[1:-1] for c in text)


@cache
def _characters() -> frozenset[int]:
    """The characters of Matplotlib's own font, which is the default."""
    font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return frozenset(FT2Font(str(font)).get_charmap())
