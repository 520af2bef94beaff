"""Claims of Doshi et al., sections 1 to 2.1 and appendices D, E, I, K and Q (Hypothesis 2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phasegrok.reproduction.base import Claim, Results, rows
from phasegrok.reproduction.hypothesis import (
    forgetting,
    labels,
    losses,
    neurons,
    outputs,
    pruning,
    training,
)

__all__ = ["claims"]


def claims(root: Path) -> Iterator[Claim]:
    """Every claim whose results are under ``root``, in the paper's order."""

    def of(name: str) -> Results:
        return Results(root / name)

    phases, grokking, dropped = of("phases"), of("grokking"), of("dropout-phases")
    prunable = of("prunable")
    # The small copy's cells: with three seeds where that sweep has been run.
    small = of("addition") if of("addition").complete else of("quickstart")
    yield from rows(training.grokking, grokking, source="1.1, Fig. 2a")
    yield from rows(training.monotonic, grokking, source="Fig. 2a")
    yield from rows(training.periodic, grokking, source="1.1, Figs. 2b and 2c")
    yield from rows(neurons.analytic, of("analytic"), source="1.1 and D, eqs. 2, 6, 7")
    yield from rows(neurons.phase_relation, phases, source="1.1, eq. 2")
    yield from rows(labels.population, small, source="1.1")
    yield from rows(training.phases, phases, source="2, Fig. 1")
    yield from rows(training.two_stages, phases, source="abstract")
    yield from rows(training.dropout_stages, dropped, source="abstract")
    yield from rows(training.sudden, phases, dropped, source="abstract")
    yield from rows(labels.dropout_phases, dropped, source="J, Fig. 19")
    yield from rows(labels.table_1, phases, dropped, small, source="2.1, Table 1")
    yield from rows(neurons.histograms, phases, source="2.1, Fig. 4")
    yield from rows(neurons.mean_ipr, phases, dropped, source="2.1, Fig. 4")
    yield from rows(neurons.eliminated, phases, dropped, source="2.1, Fig. 4")
    yield from rows(pruning.pruning_lowest, phases, source="2.1, Fig. 6")
    yield from rows(pruning.improved, phases, source="abstract (ii), Fig. 6")
    yield from rows(pruning.pruned_far, phases, source="2.1, Fig. 6")
    yield from rows(pruning.pruning_highest, phases, source="2.1, Fig. 6")
    yield from rows(neurons.frequencies, phases, source="3.2, footnote 5")
    yield from rows(pruning.dropped, phases, source="3.2")
    yield from rows(forgetting.forgetting, phases, source="E, Fig. 8")
    for results in (small, of("wd")):
        yield from rows(forgetting.immune, results, source="E")
    yield from rows(forgetting.rectified, of("forgetting-relu"), source="E, 2")
    yield from rows(forgetting.from_the_start, of("forgetting-sgd"), source="E, 2")
    yield from rows(forgetting.raised, of("forgetting-sgd-raised"), source="E, 2")
    yield from rows(losses.from_the_lowest, phases, source="I.2, Fig. 18 left")
    yield from rows(losses.from_the_highest, phases, source="I.2, Fig. 18 right")
    yield from rows(neurons.secondary_peaks, of("secondary-peaks"), source="I.2")
    yield from rows(outputs.two_peaks, phases, source="K, Fig. 23")
    yield from rows(outputs.logits, phases, source="K, Fig. 23")
    yield from rows(pruning.widths, prunable, source="Q, Fig. 32")
