"""The list of all pictures: a name, when there is such a picture, and how it is drawn.

To add a picture, write one function of a :class:`Context` and mark it with :func:`picture`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phasegrok.figures.context import Context

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PICTURES", "Picture", "picture"]


@dataclass(frozen=True)
class Picture:
    """One registered picture.

    Attributes:
        name: of its files, without the ending.
        applies: whether a result folder has what is drawn.
        draw: the figure; asked only where ``applies`` says so.
    """

    name: str
    applies: Callable[[Context], bool]
    draw: Callable[[Context], Figure]


PICTURES: dict[str, Picture] = {}


def picture(
    name: str, applies: Callable[[Context], bool]
) -> Callable[[Callable[[Context], Figure]], Callable[[Context], Figure]]:
    """Register a function that draws a picture.

    Raises:
        ValueError: another picture has the name; its files would be overwritten.
    """

    def register(draw: Callable[[Context], Figure]) -> Callable[[Context], Figure]:
        if name in PICTURES:
            raise ValueError(f"picture {name}: registered twice")
        PICTURES[name] = Picture(name, applies, draw)
        return draw

    return register
