"""Claims of Doshi et al. on normalization, losses, activations, widths and architectures.

Section 2.2, Figures 5 and 7, and appendices F, G, H, M, N, O and P.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phasegrok.reproduction.base import Claim, Results, rows
from phasegrok.reproduction.variants import (
    architectures,
    losses,
    normalization,
    widths,
)

__all__ = ["claims"]


def claims(root: Path) -> Iterator[Claim]:
    """Every claim whose results are under ``root``, in the paper's order."""

    def of(name: str) -> Results:
        return Results(root / name)

    small = of("quickstart")
    yield from rows(
        normalization.normalization_weights, of("batchnorm-weights"), source="2.2, Fig. 5"
    )
    yield from rows(normalization.normalization, of("normalization"), source="F, Figs. 9 to 11")
    yield from architectures.claims(of)
    decayed, dropped = "cross-entropy", "cross-entropy-dropout"
    yield from rows(losses.cross_entropy, of(decayed), of(dropped), small, source="M, Fig. 26")
    decayed, dropped = "relu-wd", "relu-dropout"
    yield from rows(losses.relu, of(decayed), of(dropped), small, source="N, Figs. 27 and 28")
    yield from rows(widths.wide, of("wide-wd"), small, source="O, Fig. 29")
    for name in ("wide-relu-wd", "wide-relu-fast"):
        yield from rows(widths.wide_relu, of(name), of("relu-wd"), source="O, Fig. 30")
    yield from rows(losses.multiplication, of("multiplication"), small, source="P, Fig. 31")
