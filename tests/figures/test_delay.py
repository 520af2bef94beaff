"""The delay map: heat maps of steps, blank where a network never got there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phasegrok.figures import pictures
from phasegrok.figures.delay import delay, delays
from phasegrok.figures.registry import PICTURES
from tests.figures.made import AXES, diagram_of, paper_grid, titles


def cells() -> pd.DataFrame:
    table = paper_grid([0, 5])
    count = len(table)
    table["memorization_step"] = np.where(np.arange(count) % 4, 100.0, np.nan)
    table["generalization_step"] = np.linspace(0, 1000, count)
    return table


def test_delay_is_the_difference_where_there_is_one() -> None:
    found = delays(cells())
    both = found["memorization_step"].notna() & (found["generalization_step"] > 100)
    assert 0 < both.sum() < len(found)
    assert found["delay"].notna().equals(both)
    early = found["memorization_step"].notna() & (found["generalization_step"] <= 100)
    assert early.any() and found["no_delay"].equals(early)
    assert (found["delay"] + found["memorization_step"])[both].equals(
        found["generalization_step"][both]
    )


def test_three_maps_for_every_panel_of_the_diagram() -> None:
    figure = delay(diagram_of(cells(), AXES))
    named = [title.split("\n")[0] for title in titles(figure)]
    assert named[:6] == [
        *["steps to memorize"] * 2,
        *["steps to generalize"] * 2,
        *["delay of generalization"] * 2,
    ]
    drawn = figure.axes[0].collections[0].get_array()
    assert np.ma.count(drawn) == 6  # of the 12 cells of this panel half never memorized
    assert set(np.unique(drawn.compressed())) == {100.0}


@pytest.mark.parametrize(("column", "there"), [("generalization_step", False), ("seeds", True)])
def test_without_generalization_there_is_no_map(column: str, there: bool) -> None:
    pictures()
    table = cells().assign(seeds=1)
    table[column] = np.nan
    assert PICTURES["delay"].applies(diagram_of(table, AXES)) is there
