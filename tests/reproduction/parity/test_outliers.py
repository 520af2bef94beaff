"""Claims on flipped labels, on accuracies made for them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pandas as pd

from phasegrok.reproduction.base import Results
from phasegrok.reproduction.parity import outliers
from tests.reproduction.parity.made import held, results

SHARES = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25)
Accuracy = Callable[[int, float, float], float]


def printed(bits: int, decay: float, share: float) -> float:
    """Exact up to the printed share; 0.96 one step further, and then chance."""
    last = SHARES.index(outliers.TABLE_3_1[bits, decay])
    return 1.0 if SHARES.index(share) <= last else 0.96 if SHARES.index(share) <= last + 1 else 0.5


def fixed(bits: int, decay: float, share: float) -> float:
    """The same for all decays and numbers of bits."""
    return 1.0 if share <= 0.06 else 0.5


def diagram(tmp_path: Path, accuracy: Accuracy) -> Results:
    cells = product(outliers.BITS, outliers.DECAYS, SHARES, (0, 1))
    rows = [
        {
            "bits": float(bits),
            "weight_decay": decay,
            "corruption_fraction": share,
            "seed": seed,
            "test_accuracy": accuracy(bits, decay, share),
        }
        for bits, decay, share, seed in cells
    ]
    return results(tmp_path / accuracy.__name__, pd.DataFrame(rows))


def test_table_3_1(tmp_path: Path) -> None:
    """Entries as printed hold, a step further at the lower accuracy too; entries of 0.06 hold where
    0.06 is within a step of the printed share, and nowhere else."""
    for claim in outliers.table(diagram(tmp_path, printed)):
        assert claim.held and [verdict for _, verdict in claim.also] == [True, True]
    found = list(outliers.table(diagram(tmp_path, fixed)))
    near = [abs(SHARES.index(share) - SHARES.index(0.06)) for share in outliers.TABLE_3_1.values()]
    assert [claim.held for claim in found] == [steps <= 1 for steps in near]
    assert [claim.also[1][1] for claim in found] == [steps == 0 for steps in near]
    assert all(bool(claim.why) != claim.held for claim in found)


def test_the_whole_table(tmp_path: Path) -> None:
    assert held(outliers.whole_table(diagram(tmp_path, printed)), "nine shares").held
    assert held(outliers.whole_table(diagram(tmp_path, fixed)), "nine shares").held is False


def test_two_test_sets(tmp_path: Path) -> None:
    as_printed, other = diagram(tmp_path, printed), diagram(tmp_path, fixed)
    assert held(outliers.test_sets(as_printed, as_printed), "our check").held
    assert held(outliers.test_sets(as_printed, other), "our check").held is False


def test_trends(tmp_path: Path) -> None:
    """The printed table has them, and its exception at the lowest decay; equal entries have
    none."""
    found = list(outliers.trends(diagram(tmp_path, printed)))
    assert held(found, "more weight decay").held
    assert held(found, "more bits").held is None  # but for the lowest decay
    assert held(found, "rises from n = 30 to 50").held
    same = list(outliers.trends(diagram(tmp_path, fixed)))
    assert held(same, "more weight decay").held is False
    assert held(same, "rises from n = 30 to 50").held is False


def curves(tmp_path: Path, lasts: dict[tuple[float, float], float]) -> Results:
    """Two seeds a cell that reach their last accuracy at step 100 times the cell's place."""
    runs, points = [], []
    for place, ((decay, share), last) in enumerate(lasts.items()):
        for seed in (0, 1):
            run = f"{decay}-{share}-{seed}"
            cell = {"run": run, "weight_decay": decay, "corruption_fraction": share, "seed": seed}
            runs.append(cell | {"test_accuracy": last, "peak_test_accuracy": last})
            for step in range(0, 1500, 50):
                test = last if step >= 100 * place else 0.5
                points.append({"run": run, "step": step, "test_accuracy": test})
    table = pd.DataFrame(points).assign(corrupted_accuracy=float("nan"))
    return results(tmp_path / str(sorted(lasts.values())), pd.DataFrame(runs), curves=table)


SMALL = (0.0, 0.02, 0.05, 0.1, 0.15)


def test_panels(tmp_path: Path) -> None:
    """The thesis' panels; then a decay of 0.01 under which shares of 0.05 end at 0.96, which is
    grokking at one accuracy and not at the other."""
    low, high = (1.0, 0.995, 0.8, 0.7, 0.6), (1.0, 1.0, 1.0, 0.99, 0.7)
    lasts = {(0.01, s): a for s, a in zip(SMALL, low, strict=True)}
    lasts |= {(0.1, s): a for s, a in zip(SMALL, high, strict=True)}
    as_printed = curves(tmp_path, lasts)
    found = [*outliers.panels(as_printed), *outliers.efficacy(as_printed)]
    assert all(claim.held and not claim.why for claim in found) and len(found) == 6
    other = list(outliers.panels(curves(tmp_path, lasts | {(0.01, 0.05): 0.96})))
    claim = held(other, "does not occur at 0.05")
    assert claim.held and dict(claim.also)["at 0.95"] is False
    lost = held(outliers.panels(curves(tmp_path, lasts | {(0.1, 0.1): 0.9})), "occurs at 0.1")
    assert lost.held is False and dict(lost.also)["at 0.95"] is False


def test_panels_are_of_50_bits(tmp_path: Path) -> None:
    """Where other numbers of bits were run too they do not count."""
    found = diagram(tmp_path, printed)
    found["runs"] = found["runs"].assign(peak_test_accuracy=found["runs"]["test_accuracy"])
    assert held(outliers.panels(found), "still occurs at 0.1").held  # not at n = 70
    assert held(outliers.panels(found), "not occur at 0.15").held  # occurs at n = 30


def test_efficacy(tmp_path: Path) -> None:
    """The same accuracy whatever the share and the decay is no reduction and no gain."""
    lasts = {(decay, share): 1.0 for decay in (0.01, 0.1) for share in SMALL}
    assert [claim.held for claim in outliers.efficacy(curves(tmp_path, lasts))] == [False, False]


def test_slower(tmp_path: Path) -> None:
    """Later for every share, and never at the largest: yes. At the largest too: in part."""
    lasts = {(decay, share): 1.0 for decay in (0.01, 0.1) for share in SMALL}
    found = list(outliers.slower(curves(tmp_path, lasts | {(0.01, 0.15): 0.6})))
    assert held(found, "weight decay 0.01").held
    assert held(found, "weight decay 0.1:").held is None
