"""Refinement: which cells of a diagram are trained, and which get their neighbours' label."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from phasegrok.config.fields import Block

__all__ = ["NO_REFINEMENT", "Refine"]


class Refine(Block):
    """Which cells are trained. It does not change what a run computes. Training begins on every
    2^levels-th value of two axes, and goes on between cells whose labels differ."""

    levels: Annotated[
        int, Field(ge=0, le=10, description="0: every cell is trained; 2: at first every fourth")
    ] = 0
    axes: Annotated[
        tuple[str, ...],
        Field(description="two swept paths; the values of each are the finest grid"),
    ] = ("data.data_fraction", "data.corruption_fraction")
    label: Annotated[
        Literal["subphase", "direct_phase"],
        Field(description="the label in which neighbours may not differ"),
    ] = "subphase"


NO_REFINEMENT: Final = Refine()
