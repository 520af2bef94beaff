"""Claims on small batches can be refuted: on tables made for either verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pandas as pd

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.variants import minibatches

KINDS = ("batch", "none", "layer")
Value = Callable[[str, float, int], float]


def results(tmp_path: Path, kept: Value, test: Value = lambda *_: 1.0) -> Results:
    table = []
    for kind, size, fraction, seed in product(KINDS, (8.0, 64.0, 256.0), (0.5, 0.8), (0, 1, 2)):
        table.append(
            {
                "normalization": kind,
                "batch_size": size,
                "data_fraction": fraction,
                "corruption_fraction": 0.3,
                "seed": seed,
                "corrupted_accuracy": kept(kind, size, seed),
                "test_accuracy": test(kind, size, seed),
                "phase": "Inversion" if kept(kind, size, seed) < 0.5 else "Coexistence",
            }
        )
    found = Results(tmp_path)
    found["runs"] = pd.DataFrame(table)
    return found


def verdicts(claims: Iterator[Claim]) -> list[bool | None]:
    return [claim.held for claim in claims]


def test_which_normalization_inverts_most(tmp_path: Path) -> None:
    """Batch over none, layer over none, batch over layer."""
    order = {"batch": 0.1, "layer": 0.2, "none": 0.3}
    best = results(tmp_path, lambda kind, size, seed: order[kind])
    assert verdicts(minibatches.normalization(best)) == [True, True, True]
    same = results(tmp_path, lambda kind, size, seed: 0.2)
    assert verdicts(minibatches.normalization(same)) == [False, False, False]
    mixed = results(
        tmp_path, lambda kind, size, seed: order[kind] + (0.15 * (kind == "batch" and size == 8))
    )
    assert verdicts(minibatches.normalization(mixed)) == [True, True, None]


def test_the_order_of_batch_sizes(tmp_path: Path) -> None:
    rising = results(tmp_path, lambda kind, size, seed: size / 300)
    assert verdicts(minibatches.smaller(rising)) == [True] * 3
    ends = results(tmp_path, lambda kind, size, seed: {8: 0.1, 64: 0.5, 256: 0.3}[int(size)])
    assert verdicts(minibatches.smaller(ends)) == [None] * 3
    falling = results(tmp_path, lambda kind, size, seed: 1 - size / 300)
    assert verdicts(minibatches.smaller(falling)) == [False] * 3


def test_one_seed_out_of_order_shows(tmp_path: Path) -> None:
    """The mean over seeds is in order, and one of the seeds is not."""
    one = results(tmp_path, lambda kind, size, seed: size / 300 if seed else 0.4 - size / 3000)
    for claim in minibatches.smaller(one):
        assert claim.held is True and dict(claim.also)["in every seed"] is False


def test_generalization(tmp_path: Path) -> None:
    def flat(kind: str, size: float, seed: int) -> float:
        return 0.5

    better = results(tmp_path, flat, lambda kind, size, seed: 1 - size / 300)
    assert verdicts(minibatches.generalization(better)) == [True] * 3
    assert verdicts(minibatches.generalization(results(tmp_path, flat, flat))) == [False] * 3
    bump = {8: 0.9, 64: 0.95, 256: 0.5}
    part = results(tmp_path, flat, lambda kind, size, seed: bump[int(size)])
    assert verdicts(minibatches.generalization(part)) == [None] * 3


def labels(tmp_path: Path, middle: str, last: str) -> list[Claim]:
    table = [
        (kind, fraction, label, 0.9, 0.5)
        for kind in KINDS
        for fraction, label in ((0.4, "Coexistence"), (0.5, middle), (0.8, last))
    ]
    names = ["normalization", "data_fraction", "subphase", "train_accuracy", "corrupted_accuracy"]
    found = Results(tmp_path)
    found["runs"] = pd.DataFrame(table, columns=names).assign(direct_phase=middle)
    return list(minibatches.labels(found))


def test_labels_of_the_figures(tmp_path: Path) -> None:
    all_three = labels(tmp_path, "Partial Inversion", "Full Inversion")
    assert [claim.held for claim in all_three] == [True] * 3
    two = labels(tmp_path, "Coexistence", "Full Inversion")
    assert [claim.held for claim in two] == [None] * 3
    one = labels(tmp_path, "Coexistence", "Partial Inversion")
    assert [claim.held for claim in one] == [False] * 3
