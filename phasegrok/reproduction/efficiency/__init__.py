"""Claims of the study of model and training efficiency: Figures 1 to 9."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phasegrok.reproduction.base import Claim, Results, rows
from phasegrok.reproduction.efficiency import circuits, data, models, sizes

__all__ = ["claims"]


def claims(root: Path) -> Iterator[Claim]:
    """Every claim, from the result folders under ``root``, in the study's order."""

    def of(name: str) -> Results:
        return Results(root / name)

    grokking, efficiency = of("model-grokking"), of("model-efficiency")
    yield from rows(models.delayed, grokking, source="3.1, Fig. 1")
    yield from rows(models.rises_together, grokking, source="3.1, Fig. 1")
    yield from rows(models.plateau, grokking, source="3.1, Fig. 1")
    yield from rows(models.near_chance, grokking, source="3.1, Fig. 1")
    yield from rows(models.squared_error, of("model-grokking-brier"), source="2, L_mse")
    yield from rows(models.more_data, grokking, source="3.2, Figs. 2 and 3")
    yield from rows(models.closer_curves, grokking, source="1")
    yield from rows(models.higher_plateau, grokking, source="3.2, Fig. 2")
    yield from rows(models.swifter_ascent, grokking, source="3.2, Fig. 2")
    yield from rows(models.memorizes_later, grokking, source="3.2, Fig. 3")
    for name in ("data-efficiency-long", "data-efficiency"):
        yield from rows(data.decay_to_zero, of(name), source="3.3, Fig. 4")
        yield from rows(data.decay_to_start, of(name), source="3.3, Fig. 4")
        yield from rows(data.noise, of(name), source="3.3, Fig. 4")
        yield from rows(data.learning_rate, of(name), source="3.3, Fig. 4")
    yield from rows(data.pressures, of("data-efficiency"), source="2, 4.1")
    yield from rows(circuits.both_exist, of("circuits"), source="4.1")
    yield from rows(circuits.large_share, efficiency, source="4.1")
    yield from rows(circuits.more_efficient, efficiency, source="4.1")
    yield from rows(circuits.slower_to_learn, efficiency, source="4.1")
    yield from rows(circuits.replaced, of("mixture"), source="4.1")
    yield from rows(circuits.same_efficiency, efficiency, source="4.2")
    yield from rows(circuits.mixture, of("mixture"), source="5.1, Fig. 5")
    yield from rows(circuits.memorizing_efficiency, efficiency, source="5.2, Fig. 6")
    yield from rows(circuits.generalizing_efficiency, efficiency, source="5.2, Fig. 6")
    yield from rows(circuits.random_labels, efficiency, source="control")
    yield from rows(sizes.ungrokking, of("ungrokking"), source="5.3, Fig. 7")
    yield from rows(sizes.any_decay, of("ungrokking-decay"), source="5.3, Fig. 8")
    yield from rows(sizes.any_decay, of("critical-size"), source="5.3, Fig. 8")
    yield from rows(sizes.same_size, of("critical-size-mlp"), source="4.2, beyond")
    yield from rows(sizes.same_size, of("critical-size"), source="4.2, beyond")
    near = of("semi-grokking")
    yield from rows(sizes.either_side, near, source="4.2, Fig. 9")
    yield from rows(sizes.intermediate, near, source="5.3, Fig. 9")
    yield from rows(sizes.any_outcome, near, source="4.3")
