"""Claims on losses, activations and operations: appendices M, N and P."""

from __future__ import annotations

from collections.abc import Iterator

from phasegrok.analysis.phases import GENERALIZES
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.variants.cells import SMALL, counts, same_cells
from phasegrok.reproduction.words import by_value

__all__ = ["cross_entropy", "multiplication", "relu"]


def cross_entropy(decayed: Results, dropped: Results, small: Results) -> Iterator[Claim]:
    runs = decayed["runs"]
    none = same_cells(runs, small["runs"], "weight_decay")
    none = none[none["weight_decay"] == 0]
    ours, mse = ((none[f"test_accuracy{s}"] >= GENERALIZES).sum() for s in ("", "_other"))
    yield Claim(
        "M, Fig. 26",
        "robustness to corrupted labels is weaker than with MSE",
        f"without decay {ours} of {len(none)} cells generalize, with MSE {mse} ({SMALL})",
        bool(ours < mse),
    )
    inverted, confused, forgot = (
        counts(runs, "weight_decay", phase) for phase in ("Inversion", "Confusion", "Forgetting")
    )
    yield Claim(
        "M, Fig. 26",
        "Inversion in a narrow band of weight decays, beyond it Confusion",
        f"cells of 16: Inversion {by_value(inverted)}; Confusion {by_value(confused)}",
        bool((inverted > 0).sum() == 1 and confused.iloc[-1] > 8),
    )
    lost = runs[runs["phase"] == "Forgetting"]["test_accuracy"]
    yield Claim(
        "M, Fig. 26",
        "no Forgetting",
        f"{by_value(forgot)}; test accuracy of those {', '.join(f'{x:.2f}' for x in sorted(lost))}",
        bool(lost.empty),
    )
    runs = dropped["runs"]
    generalize = (runs["test_accuracy"] >= GENERALIZES).groupby(runs["dropout"]).sum()
    inverted = counts(runs, "dropout", "Inversion")
    yield Claim(
        "M, Fig. 26",
        "very high dropout rates are needed to grok or invert",
        f"cells of 16 that generalize {by_value(generalize)}, that invert {by_value(inverted)}",
        bool(inverted[inverted.index <= 0.5].sum() == 0 and inverted.iloc[-1] > 0),
    )


def relu(decayed: Results, dropped: Results, small: Results) -> Iterator[Claim]:
    runs = decayed["runs"]
    forgot = (runs["phase"] == "Forgetting").sum()
    quadratic = counts(small["runs"], "weight_decay", "Forgetting")
    yield Claim(
        "N, Fig. 27",
        "no Forgetting with ReLU",
        f"{forgot} of {len(runs)} cells up to weight decay {runs['weight_decay'].max():g};"
        f" quadratic {by_value(quadratic)} of 20 ({SMALL})",
        bool(forgot == 0 < quadratic.iloc[-1]),
    )
    none, other = (
        (t[(t["weight_decay"] == 0) & (t["data_fraction"] > 0.2)]["test_accuracy"] >= GENERALIZES)
        for t in (runs, small["runs"])
    )
    yield Claim(
        "N, Fig. 27",
        "grokking requires more regularization than with the square",
        f"without decay {none.sum()} of {len(none)} cells generalize, quadratic {other.sum()}",
        bool(none.sum() < other.sum()),
    )
    rates = dropped["runs"]
    confused = counts(rates, "dropout", "Confusion")
    generalize = (rates["test_accuracy"] >= GENERALIZES).groupby(rates["dropout"]).sum()
    yield Claim(
        "N, Fig. 28",
        "dropout is not as effective with ReLU: Confusion at moderate rates",
        f"cells of 16: Confusion {by_value(confused)}; generalizing {by_value(generalize)}",
        bool(confused.iloc[0] == 0 < confused.iloc[-1] and generalize.iloc[-1] == 0),
    )


def multiplication(results: Results, small: Results) -> Iterator[Claim]:
    both = same_cells(results["runs"], small["runs"], "weight_decay")
    same = both["subphase"] == both["subphase_other"]
    ipr = both["mean_ipr"].corr(both["mean_ipr_other"])
    yield Claim(
        "P, Fig. 31",
        "multiplication gives almost the diagram of addition",
        f"{same.sum()} of {len(both)} labels are the same; mean IPR (in the group's order)"
        f" correlates at {ipr:.3f} over the cells ({SMALL})",
        bool(same.mean() >= 0.9),
    )
