"""Claims on normalization: section 2.2 (Figures 5, 9) and appendix F."""

from __future__ import annotations

from collections.abc import Iterator

from phasegrok.analysis.trends import normalization_correlation
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.variants.cells import GRID, WEAK
from phasegrok.reproduction.words import by_value, spread, verdict

__all__ = ["normalization", "normalization_weights"]


def normalization_weights(results: Results) -> Iterator[Claim]:
    ranks = {
        name: table.groupby("seed")[["ipr", "normalization_weight"]].apply(
            normalization_correlation
        )
        for name, table in results["neurons"].groupby("normalization")
    }
    yield Claim(
        "2.2, Fig. 5",
        "the weights of batch normalization go with the IPR of their neurons",
        f"rank correlation {spread(ranks['batch'])} over three seeds",
        bool(ranks["batch"].min() > WEAK),
    )
    yield Claim(
        "F",
        "those of layer normalization do not",
        f"rank correlation {', '.join(f'{rank:.2f}' for rank in ranks['layer'])}",
        bool(ranks["layer"].abs().max() < WEAK),
    )


def normalization(results: Results) -> Iterator[Claim]:
    runs = results["runs"]
    kept = runs.set_index(["normalization", "batch_size", *GRID])["corrupted_accuracy"]
    fewer = kept["batch"] < kept["none"]
    inverted = runs[runs["phase"] == "Inversion"].groupby("normalization").size()
    yield Claim(
        "2.2, Fig. 9",
        "batch normalization widens Inversion over no normalization",
        f"fewer corrupted labels kept in {fewer.sum()} of {len(fewer)} cells (by"
        f" {(kept['none'] - kept['batch']).mean():.3f} in the mean); of these, Inversion"
        f" {inverted['batch']} and {inverted['none']} (p = 97, N = 500)",
        verdict(bool(fewer.mean() > 0.5), bool(fewer.all())),
    )
    for name, figure in (("none", "Fig. 10"), ("batch", "Fig. 9"), ("layer", "Fig. 11")):
        by_size = kept[name].groupby("batch_size").mean()
        yield Claim(
            f"F, {figure}",
            f"smaller batches widen Inversion (normalization: {name})",
            f"corrupted labels kept, by batch size: {by_value(by_size, 3)}",
            verdict(bool(by_size.iloc[0] < by_size.iloc[-1]), by_size.is_monotonic_increasing),
        )
