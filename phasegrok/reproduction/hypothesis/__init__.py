"""Claims of Doshi et al., sections 2 and 2.1 and appendices D, E, I, K and Q (Hypothesis 2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.hypothesis import neurons, pruning, training

__all__ = ["claims"]


def claims(root: Path) -> Iterator[Claim]:
    """Every claim whose results are under ``root``, in the paper's order."""
    phases = Results(root / "phases")
    yield from training.grokking(Results(root / "grokking"))
    yield from training.phases(phases)
    yield from training.two_stages(phases)
    yield from neurons.histograms(phases)
    yield from neurons.mean_ipr(phases, Results(root / "dropout-phases"))
    yield from pruning.pruning_lowest(phases)
    yield from pruning.pruned_far(phases)
    yield from pruning.pruning_highest(phases)
    yield from pruning.losses(phases)
    yield from training.forgetting(phases, root)
    yield from neurons.logits(phases)
    yield from pruning.widths(Results(root / "prunable"))
    yield from neurons.analytic(Results(root / "analytic"))
