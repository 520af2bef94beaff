"""Claims of Doshi et al. on normalization, losses, activations, widths and architectures.

Section 2.2, Figures 5 and 7, and appendices F, G, H, J, M, N, O and P.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phasegrok.reproduction.base import Claim, Results, rows
from phasegrok.reproduction.variants import (
    activations,
    architectures,
    losses,
    minibatches,
    normalization,
    operations,
    widths,
)

__all__ = ["claims"]


def claims(root: Path) -> Iterator[Claim]:
    """Every claim whose results are under ``root``, in the paper's order."""

    def of(name: str) -> Results:
        return Results(root / name)

    # The quadratic network's cells: with three seeds where that sweep has been run.
    small = of("addition") if of("addition").complete else of("quickstart")
    figure5, minibatch = of("batchnorm-weights"), of("normalization")
    yield from rows(normalization.normalization_weights, figure5, source="2.1, Fig. 5")
    yield from rows(normalization.ignored, figure5, source="abstract (iii), Fig. 5")
    yield from rows(minibatches.normalization, minibatch, source="F, Figs. 9 to 11")
    yield from rows(minibatches.smaller, minibatch, source="F, Figs. 9 to 11")
    yield from rows(minibatches.generalization, of("minibatch-47"), source="F")
    yield from rows(minibatches.labels, of("minibatch-phases"), source="J, Figs. 20 to 22")
    yield from architectures.claims(of)
    yield from rows(losses.cross_entropy, of("cross-entropy"), small, source="M, Fig. 26")
    yield from rows(losses.decays, of("cross-entropy"), source="M, Fig. 26")
    if (longer := of("cross-entropy-forgetting")).complete:  # a part of cross-entropy, longer
        yield from rows(losses.forgetting, longer, source="M, Fig. 26")
    yield from rows(losses.cross_entropy_dropout, of("cross-entropy-dropout"), source="M, Fig. 26")
    decayed, dropped = of("relu-wd"), of("relu-dropout")
    yield from rows(activations.relu, decayed, small, source="N, Fig. 27")
    yield from rows(activations.confusion, of("relu-confusion"), source="N and O, Fig. 27")
    yield from rows(activations.dropout, decayed, dropped, source="N, Fig. 28")
    yield from rows(activations.moderate_dropout, of("relu-dropout-97"), source="N, Fig. 28")
    yield from rows(widths.wide, of("wide-wd"), small, source="O, Fig. 29")
    yield from rows(widths.wide_none, of("wide-none"), source="O, Fig. 29")
    for name in ("wide-relu-wd", "wide-relu-fast"):
        yield from rows(widths.wide_relu, of(name), decayed, source="O, Fig. 30")
    yield from rows(widths.dead_neurons, of("wide-relu-dead"), source="O, Fig. 30")
    wide = of("wide-relu-97")
    yield from rows(widths.wide_relu, wide, of("relu-confusion"), source="O, Fig. 30")
    yield from rows(operations.multiplication, of("multiplication"), small, source="P, Fig. 31")
