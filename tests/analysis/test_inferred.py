"""Cells of a refined sweep, slice by slice."""

from __future__ import annotations

import numpy as np
import pandas as pd

from phasegrok.analysis.inferred import Grid, replayed, with_inferred
from phasegrok.analysis.phases import label_cells

FRACTIONS = [round(0.1 * i, 1) for i in range(1, 10)]
CORRUPTION = [round(0.1 * i, 1) for i in range(9)]
AXES = ["data_fraction", "corruption_fraction", "weight_decay"]
GRID = Grid(
    {"data_fraction": FRACTIONS, "corruption_fraction": CORRUPTION, "weight_decay": [0.0, 5.0]},
    "data_fraction",
    "corruption_fraction",
    2,
    "subphase",
)


def run(at: pd.DataFrame) -> pd.DataFrame:
    """Runs of cells: they coexist where there is more data than corruption, else memorize."""
    runs = at.assign(seed=0, train_accuracy=1.0, weight_norm=1.0, peak_weight_norm=1.0)
    right = runs["data_fraction"] > runs["corruption_fraction"] + 0.2 - runs["weight_decay"] / 100
    runs["test_accuracy"] = runs["peak_test_accuracy"] = np.where(right, 1.0, 0.0)
    return runs


def trained(rounds: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    runs = run(pd.DataFrame({name: pd.Series(dtype=float) for name in AXES}))
    cells, needed = label_cells(runs, AXES), pd.DataFrame()
    for _ in range(rounds):
        cells, needed = with_inferred(label_cells(runs, AXES), GRID)
        runs = pd.concat([runs, run(needed)], ignore_index=True)
    return cells, needed


def test_the_coarsest_grid_of_every_slice_comes_first() -> None:
    cells, needed = trained(1)
    assert cells.empty and len(needed) == 2 * 9
    assert set(needed["data_fraction"]) == {0.1, 0.5, 0.9}
    assert list(needed.columns) == AXES


def test_every_cell_gets_the_label_it_would_have_been_trained_to() -> None:
    cells, needed = trained(12)
    assert needed.empty and len(cells) == 2 * 81
    assert not cells.duplicated(AXES).any()
    inferred = cells["inferred"]
    assert 0.3 < inferred.mean() < 0.8
    truth = label_cells(run(cells[AXES]), AXES)
    both = cells.merge(truth, on=AXES, suffixes=("", "_true"))
    for label in ("phase", "subphase", "direct_phase"):
        assert (both[label] == both[f"{label}_true"]).all()
    assert cells.loc[inferred, "test_accuracy"].isna().all()
    assert cells.loc[~inferred, "test_accuracy"].notna().all()
    assert set(cells.loc[inferred, "seeds"]) == {0} and set(cells.loc[~inferred, "seeds"]) == {1}


def test_a_replay_of_a_whole_grid_is_the_refinement_of_it() -> None:
    cells, _ = trained(12)
    whole = label_cells(run(cells[AXES]), AXES)
    both = cells.merge(replayed(whole, GRID), on=AXES, suffixes=("", "_replayed"))
    assert len(both) == len(cells)
    for column in ("inferred", "subphase"):
        assert (both[column] == both[f"{column}_replayed"]).all()


def test_slices_do_not_look_at_each_other() -> None:
    """A slice of one phase needs no more than its coarsest cells."""
    grid = GRID._replace(values={**GRID.values, "weight_decay": [0.0, 90.0]})
    runs = run(pd.DataFrame({name: pd.Series(dtype=float) for name in AXES}))
    for _ in range(12):
        cells, needed = with_inferred(label_cells(runs, AXES), grid)
        runs = pd.concat([runs, run(needed)], ignore_index=True)
    counts = cells[~cells["inferred"]].groupby("weight_decay").size()
    assert counts[90.0] == 9 < counts[0.0]


def test_types_stay() -> None:
    cells, _ = trained(12)
    assert cells["inferred"].dtype == bool and cells["seeds"].dtype == np.int64
    assert cells["subphase"].dtype == label_cells(run(cells[AXES]), AXES)["subphase"].dtype
