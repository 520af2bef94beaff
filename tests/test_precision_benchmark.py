"""What benchmarks/precision.py says of tables, made up here: labels that changed are counted."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from types import ModuleType, SimpleNamespace
from typing import Any

import pandas as pd
import pytest


@pytest.fixture
def precision(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("precision")


def results(seeds: int, changed: float | None = None, left_out: float | None = None) -> Any:
    """Six cells; those at one corruption fraction have another label, or are not there."""
    cells = [
        {"data_fraction": 0.5, "corruption_fraction": xi, "weight_decay": decay}
        for xi, decay in product((0.0, 0.1, 0.2), (0, 5))
        if xi != left_out
    ]
    frame = pd.DataFrame(cells)
    other = frame["corruption_fraction"] == changed
    frame["phase"] = frame["subphase"] = other.map({True: "Confusion", False: "Coexistence"})
    frame["train_accuracy"] = 1.0 - 0.25 * other
    frame["test_accuracy"], frame["train_loss"] = 0.9, 1e-5
    runs = pd.concat([frame.assign(seed=seed) for seed in range(seeds)], ignore_index=True)
    return SimpleNamespace(cells=frame, runs=runs)


def test_labels_are_counted_in_cells_and_in_runs_of_both(precision: ModuleType) -> None:
    """By cells where labels are there for all, by runs where both were trained."""
    found = {"float32": results(2), "tf32": results(2), "bfloat16": results(2, 0.2, left_out=0.1)}
    seeds, tf32, bfloat16 = precision.rows(precision.PRETEND, found)
    assert "| float32, another seed |  | 6 | 100.0% | 100.0% |" in seeds
    assert "| tf32 | 100.0% of 6 | 12 | 100.0% | 100.0% | 0.0000 (0.0000) |" in tf32
    assert "| bfloat16 | 50.0% of 4 | 8 | 50.0% | 50.0% | 0.1250 (0.2500) |" in bfloat16


def test_one_seed_is_held_against_none(precision: ModuleType) -> None:
    found = {name: results(1) for name in precision.PRECISIONS}
    assert len(list(precision.rows(precision.PRETEND, found))) == 2


def test_every_run_with_another_label_is_named(precision: ModuleType) -> None:
    """Which label became which, how often, and where; so many at most."""
    found = {"float32": results(2), "tf32": results(2), "bfloat16": results(2, 0.2)}
    first, *lines = precision.differing(precision.PRETEND, found)
    assert first.endswith("bfloat16: Coexistence became Confusion: 4 of 12")
    assert len(lines) == 4 and "xi 0.2, weight decay 5, seed 1" in lines[-1]
    many = {**found, "bfloat16": results(40, 0.2)}
    many["float32"] = results(40)
    *_, last = precision.differing(precision.PRETEND, many)
    assert last == f"  - and {80 - precision.MOST_LINES} more"


def test_settings_are_those_of_a_sweep_file(precision: ModuleType) -> None:
    """A precision is part of a run's id; refinement is not."""
    settings = precision.WHOLE.settings("tf32", 3)
    assert settings == ["refine.levels=2", "seeds=[0, 1, 2]", "engine.precision=tf32"]
