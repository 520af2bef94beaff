"""Claims of Doshi et al., sections 2 and 2.1 and appendices D, E, I, K and Q (Hypothesis 2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phasegrok.reproduction.base import Claim, Results, rows
from phasegrok.reproduction.hypothesis import neurons, pruning, training

__all__ = ["claims"]


def claims(root: Path) -> Iterator[Claim]:
    """Every claim whose results are under ``root``, in the paper's order."""
    phases = Results(root / "phases")
    grokking, dropped = Results(root / "grokking"), Results(root / "dropout-phases")
    relu, sgd = Results(root / "forgetting-relu"), Results(root / "forgetting-sgd")
    prunable, analytic = Results(root / "prunable"), Results(root / "analytic")
    yield from rows(training.grokking, grokking, source="1.1, Fig. 2a")
    yield from rows(training.phases, phases, source="2, Fig. 1")
    yield from rows(training.two_stages, phases, source="abstract")
    yield from rows(neurons.histograms, phases, source="2.1, Fig. 4")
    yield from rows(neurons.mean_ipr, phases, dropped, source="2.1, Fig. 4")
    yield from rows(pruning.pruning_lowest, phases, source="2.1, Fig. 6")
    yield from rows(pruning.pruned_far, phases, source="2.1, Fig. 6")
    yield from rows(pruning.pruning_highest, phases, source="2.1, Fig. 6")
    yield from rows(pruning.losses, phases, source="I.2, Fig. 18")
    yield from rows(training.forgetting, phases, relu, sgd, source="E, Fig. 8")
    yield from rows(neurons.logits, phases, source="K, Fig. 23")
    yield from rows(pruning.widths, prunable, source="Q, Fig. 32")
    yield from rows(neurons.analytic, analytic, source="D, eqs. 2 and 6")
