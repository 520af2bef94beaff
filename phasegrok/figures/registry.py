"""The list of all pictures: a name, when there is such a picture, and how it is drawn.

To add a picture, write one function of a :class:`Context` and mark it with :func:`picture`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING

from phasegrok.figures.caption import add_caption
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
        PICTURES[name] = Picture(name, applies, _captioned(draw))
        return draw

    return register


def _captioned(draw: Callable[[Context], Figure]) -> Callable[[Context], Figure]:
    """The same picture, with a line that says which sweep it is of."""

    @wraps(draw)
    def with_caption(context: Context) -> Figure:
        figure = draw(context)
        add_caption(figure, context)
        return figure

    return with_caption
