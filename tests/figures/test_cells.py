"""Single cells: which there are, and which are chosen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phasegrok.errors import Refusal
from phasegrok.figures.cells import MOST_CELLS, closeup, one_by_one, panels_across
from tests.figures.made import table

MANY = "--at: found 24 cells; allowed: at most 12"
FEWER = f"{MANY}, so fewer values"


def test_closeup_is_of_cells_that_are_there() -> None:
    """A number finds its column's value whatever its last bit; all else is one line."""
    cells = pd.DataFrame(
        {
            "xi": np.repeat([0.1 + 0.2, 0.6], MOST_CELLS),
            "seeds": 1,
            "model": ["mlp", "lstm"] * MOST_CELLS,
            "tied": [False, False, True] * (MOST_CELLS * 2 // 3),
        }
    )
    axes = ["xi", "model", "tied"]
    assert closeup(cells, axes, {"xi": "0.3"})["xi"].unique() == [0.1 + 0.2]
    assert set(closeup(cells, axes, {"model": "lstm", "xi": "0.6"})["model"]) == {"lstm"}
    assert closeup(cells, axes, {"tied": "true"})["tied"].all()
    both = closeup(cells, axes, {"model": "lstm", "xi": ["0.3", "0.6"], "tied": ["true"]})
    assert set(both["xi"]) == {0.1 + 0.2, 0.6} and set(both["model"]) == {"lstm"}
    for at, message in (
        ({"seeds": "1"}, "--at seeds: found no such axis; allowed: xi, model, tied"),
        ({"xi": "0.4"}, "--at xi: found no cell at 0.4; allowed: 0.3, 0.6"),
        ({"xi": "half"}, "--at xi: found no cell at half; allowed: 0.3, 0.6"),
        ({"model": "gru"}, "--at model: found no cell at gru; allowed: mlp, lstm"),
        ({}, f"{MANY}; add --at xi=0.6 (or another value), which leaves 12"),
        ({"xi": ["0.3", "0.6"], "tied": ["true", "false"], "model": ["mlp", "lstm"]}, FEWER),
    ):
        with pytest.raises(Refusal) as refused:
            closeup(cells, axes, at)
        assert str(refused.value) == message


def test_panels_have_the_shape_of_the_axes() -> None:
    """The last axes that make whole rounds of at most four run across; ragged cells, and those of
    one axis, are shared out evenly."""

    def across(**swept: list[float]) -> int:
        return panels_across(list(one_by_one(table(**swept), list(swept))))

    assert across(a=[0, 1, 2], b=[0, 1]) == 2
    assert across(a=[0, 1], b=[0, 1, 2, 3]) == 4
    assert across(a=[0, 1], b=[0, 1], c=[0, 1]) == 4
    assert across(a=[0, 1], b=[0, 1, 2, 3, 4]) == 4
    assert across(a=[0, 1, 2, 3, 4]) == 3
    assert across(a=[0, 1, 2, 3]) == 4
    assert across(a=[0]) == 1
    ragged = table(a=[0, 1, 2], b=[0, 1]).iloc[:5]
    assert panels_across(list(one_by_one(ragged, ["a", "b"]))) == 3
