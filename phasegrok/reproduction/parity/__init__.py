"""Claims of Fuangkawinsombut's thesis on sparse parity: chapters 2 to 4 and appendix A."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phasegrok.reproduction.base import Claim, Results, rows
from phasegrok.reproduction.parity import decay, grokking, known, networks, neurons, outliers

__all__ = ["claims"]


def claims(root: Path) -> Iterator[Claim]:
    """Every claim whose results are under ``root``, in the thesis' order."""

    def of(name: str) -> Results:
        return Results(root / name)

    two, three = of("parity-grokking"), of("parity-grokking-3")
    yield from rows(grokking.grokking, two, source="Figs. 1.1, 2.1")
    yield from rows(networks.clusters, of("parity-networks-2"), source="2.2.1, Fig. 2.2")
    yield from rows(grokking.sparser, two, source="2.2.2, Fig. 2.3")
    yield from rows(networks.hidden_sparser, of("parity-networks-2"), source="2.2.2")
    yield from rows(grokking.norm_falls, two, source="2.2.3, Fig. 2.4")
    yield from rows(grokking.inflections, two, source="2.2.3, Fig. 2.4")
    yield from rows(decay.decay, of("parity-decay"), source="3.1, Figs. 3.1, 3.2")
    yield from rows(decay.sparsity, of("parity-sparsity"), source="3.1, 3.2.1")
    curves, five, twenty = (
        of(f"parity-{name}") for name in ("outlier-curves", "outliers", "outliers-20")
    )
    yield from rows(outliers.slower, curves, source="3.2, Figs. 3.3 to 3.5")
    yield from rows(outliers.panels, curves, source="3.2, Figs. 3.3 to 3.5")
    yield from rows(outliers.panels, twenty, source="3.2, Figs. 3.3 to 3.5")
    yield from rows(outliers.efficacy, curves, source="3.2, Figs. 3.3 to 3.5")
    yield from rows(outliers.table, twenty, source="Table 3.1")
    yield from rows(outliers.whole_table, five, source="Table 3.1")
    yield from rows(outliers.test_sets, twenty, five, source="Table 3.1")
    yield from rows(outliers.trends, five, source="3.2.1")
    yield from rows(outliers.trends, twenty, source="3.2.1")
    yield from rows(known.by_hand, of("parity-analytic"), source="4.1 to 4.3")
    for name in ("parity-neurons-2", "parity-neurons-3"):
        section = {"2": "4.2.3", "3": "4.3"}[name[-1]]
        yield from rows(neurons.few, of(name), source=section)
    yield from rows(networks.two_neurons, of("parity-two-neurons"), source="4.2.3")
    yield from rows(networks.five_neurons, of("parity-five-neurons"), source="4.3.1")
    yield from rows(neurons.l1, of("parity-l1"), source="4.3.2")
    yield from rows(grokking.grokking, three, source="Fig. A.1")
    yield from rows(grokking.losses, three, source="Fig. A.1")
    yield from rows(grokking.norm_rises, three, source="Fig. A.2")
    yield from rows(grokking.inflections, three, source="Fig. A.2")
    yield from rows(networks.clusters, of("parity-networks-3"), source="Fig. A.3")
    yield from rows(grokking.sparser, three, source="Fig. A.4")
    yield from rows(networks.hidden_sparser, of("parity-networks-3"), source="Fig. A.4")
