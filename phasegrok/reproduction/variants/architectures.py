"""Claims on other networks and data than those of Hypothesis 2.1: section 2.2, appendices G and H.

The notebook's Transformer, one with the usual scales, networks of three layers, and images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from phasegrok.reproduction.base import Claim, Results, rows
from phasegrok.reproduction.variants import deep, general, images, transformers

__all__ = ["claims"]


def claims(of: Callable[[str], Results]) -> Iterator[Claim]:
    """Every claim, in the paper's order.

    Args:
        of: from the name of a folder to its tables.
    """
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
    for decayed, dropped in (("mnist", "mnist-dropout"), ("images", "images-dropout")):
        yield from rows(images.images, of(decayed), of(dropped), source="H, Fig. 16")
