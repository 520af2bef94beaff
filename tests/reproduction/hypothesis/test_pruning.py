"""Claims on pruning can be refuted: on curves made for either verdict."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.hypothesis import losses, pruning

COUNT = 100  # neurons


def curves(order: str, decay: float, **columns: list[float]) -> pd.DataFrame:
    """Curves of two seeds by their values at evenly spaced counts, and straight lines between."""
    frames = []
    for seed in (0, 1):
        frame = pd.DataFrame(index=pd.RangeIndex(COUNT + 1), dtype=float)
        for name, values in columns.items():
            at = [round(i * COUNT / (len(values) - 1)) for i in range(len(values))]
            frame[name] = pd.Series(values, at).reindex(frame.index).interpolate()
        frames.append(
            frame.rename_axis("pruned")
            .reset_index()
            .assign(run=f"{order}-{decay}-{seed}", seed=seed, order=order, weight_decay=decay)
        )
    return pd.concat(frames, ignore_index=True)


def results(tmp_path: Path, *tables: pd.DataFrame) -> Results:
    found = Results(tmp_path)
    found["pruning"] = pd.concat(tables, ignore_index=True).assign(step=10)
    return found


def dropped(tmp_path: Path, corrupted: list[float], test: list[float]) -> Claim:
    table = curves("random", 0.0, corrupted_accuracy=corrupted, test_accuracy=test)
    (claim,) = pruning.dropped(results(tmp_path, table))
    return claim


def test_what_falls_first_when_neurons_are_dropped(tmp_path: Path) -> None:
    steep, flat, late = [1.0, 0.0, 0.0], [1.0, 0.9, 0.0], [1.0, 0.85, 0.8, 0.0, 0.0]
    assert dropped(tmp_path, steep, flat).held is True
    assert dropped(tmp_path, flat, steep).held is False
    # The corrupted labels are below 0.9 first, and the test accuracy below 0.5.
    assert dropped(tmp_path, late, [1.0, 0.9, 0.3, 0.0, 0.0]).held is None


def highest(tmp_path: Path, test_falls: bool) -> list[bool | None]:
    down = 1.5 if test_falls else 3.0
    tables = (
        curves("highest", 0.0, train_loss=[0.0, 2.0, 1.0], test_loss=[0.0, 2.0, 1.0]),
        curves("highest", 5.0, train_loss=[0.0, 1.0, 2.0], test_loss=[0.0, 2.0, down]),
        curves("highest", 15.0, train_loss=[0.0, 1.0, 2.0], test_loss=[0.0, 1.0, 2.0]),
    )
    found = losses.from_the_highest(results(tmp_path, *tables))
    return [claim.held for claim in found]


def test_losses_from_the_highest_ipr(tmp_path: Path) -> None:
    """At decay 5 the test loss has to fall in the second half."""
    assert highest(tmp_path, test_falls=True) == [True, True, True]
    assert highest(tmp_path, test_falls=False) == [True, False, True]


def lowest(tmp_path: Path, train: list[float], dip: float, early: float) -> list[bool | None]:
    constant = [1.0, *[1.0 + early] * 2, *[1.2 + 0.1 * i for i in range(18)]]
    tables = (
        curves("lowest", 0.0, train_loss=train, test_loss=[2.0, 0.5, 2.0]),
        curves("lowest", 5.0, train_loss=[0.0, 1.0, 2.0], test_loss=[1.0, dip, 2.0]),
        curves("lowest", 15.0, train_loss=[0.0, 1.0, 2.0], test_loss=constant),
    )
    return [claim.held for claim in losses.from_the_lowest(results(tmp_path, *tables))]


def test_losses_from_the_lowest_ipr(tmp_path: Path) -> None:
    assert lowest(tmp_path, [0.0, 1.0, 2.0], 0.5, 0.0) == [True, True, True]
    assert lowest(tmp_path, [0.0, 2.0, 1.8, 1.9], 0.5, 0.0)[0] is None
    assert lowest(tmp_path, [2.0, 0.0, 2.0], 0.5, 0.0)[0] is False
    assert lowest(tmp_path, [0.0, 1.0, 2.0], 1.5, 0.1) == [True, False, False]
