"""Claims of Doshi et al. on normalization, losses, activations, widths and architectures.

Section 2.2, Figures 5 and 7, and appendices F, G, H, M, N, O and P.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from phasegrok.reproduction.base import Claim, Results, rows
from phasegrok.reproduction.variants import (
    deep,
    general,
    images,
    losses,
    normalization,
    transformers,
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
    yield from general_architectures(of)
    for decayed, dropped in (("mnist", "mnist-dropout"), ("images", "images-dropout")):
        yield from rows(images.images, of(decayed), of(dropped), source="H, Fig. 16")
    decayed, dropped = "cross-entropy", "cross-entropy-dropout"
    yield from rows(losses.cross_entropy, of(decayed), of(dropped), small, source="M, Fig. 26")
    decayed, dropped = "relu-wd", "relu-dropout"
    yield from rows(losses.relu, of(decayed), of(dropped), small, source="N, Figs. 27 and 28")
    yield from rows(widths.wide, of("wide-wd"), small, source="O, Fig. 29")
    for name in ("wide-relu-wd", "wide-relu-fast"):
        yield from rows(widths.wide_relu, of(name), of("relu-wd"), source="O, Fig. 30")
    yield from rows(losses.multiplication, of("multiplication"), small, source="P, Fig. 31")


def general_architectures(of: Callable[[str], Results]) -> Iterator[Claim]:
    """Section 2.2 and appendix G: the notebook's Transformer, one with the usual scales, and
    networks of three layers."""
    notebook, usual = "transformer-authors", "transformer"
    for name, figure in ((notebook, "7a"), (usual, "7a"), ("mlp3", "7b")):
        yield from rows(general.decayed, of(name), source=f"2.2, Fig. {figure}")
    sweeps = {
        name: [of(name), of(f"{name}-configurations"), of(f"{name}-dropout")]
        for name in (notebook, usual)
    }
    sweeps["mlp3"] = [of("mlp3"), of("mlp3-parametrizations"), of("mlp3-batchnorm")]
    for everything in sweeps.values():
        yield from rows(general.periodic, *everything, source="2.2, Hypothesis 2.2")
    for name in sweeps:
        yield from rows(general.essential, of(name), of(f"{name}-dropout"), source="2.2")
    for name in sweeps:
        yield from rows(general.confused, of(f"{name}-dropout"), source="2.2")
    yield from rows(deep.deep_dropout, of("mlp3-dropout"), source="G")
    for name in (notebook, usual):
        folder = of(f"{name}-configurations")
        yield from rows(transformers.configurations, folder, source="G.1, Fig. 12")
    for name in (notebook, usual):
        yield from rows(transformers.dropout, of(f"{name}-dropout"), source="G.2, Fig. 13")
    yield from rows(deep.parametrizations, of("mlp3-parametrizations"), source="G.3, Fig. 14")
    yield from rows(deep.deep_batchnorm, of("mlp3-batchnorm"), source="2.2; G.4, Fig. 15")
