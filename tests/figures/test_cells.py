"""Single cells: which there are, and which are chosen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phasegrok.errors import Refusal
from phasegrok.figures.cells import MOST_CELLS, closeup


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
    for at, message in (
        ({"seeds": "1"}, "--at seeds: found no such axis; allowed: xi, model, tied"),
        ({"xi": "0.4"}, "--at xi: found no cell at 0.4; allowed: 0.3, 0.6"),
        ({"xi": "half"}, "--at xi: found no cell at half; allowed: 0.3, 0.6"),
        ({"model": "gru"}, "--at model: found no cell at gru; allowed: mlp, lstm"),
        ({}, "--at: found 24 cells; allowed: at most 12"),
    ):
        with pytest.raises(Refusal) as refused:
            closeup(cells, axes, at)
        assert str(refused.value) == message
