"""Which swept numbers a diagram spreads out."""

from __future__ import annotations

import pandas as pd

from phasegrok.analysis.plane import plane


def test_the_plane_of_a_diagram() -> None:
    cells = pd.DataFrame({"a": [1.0], "b": [True], "c": ["x"], "data_fraction": [0.5], "d": [2]})
    assert plane(cells, ["a", "b", "c", "data_fraction", "d"]) == ["data_fraction", "a"]
    assert plane(cells, ["b", "d"]) == ["d"] and plane(cells, ["c"]) == []
    # As in the diagram itself, the corruption fraction goes up.
    both = cells.assign(corruption_fraction=[0.1])
    assert plane(both, ["corruption_fraction", "a"]) == ["a", "corruption_fraction"]
    assert plane(both, ["corruption_fraction"]) == ["corruption_fraction"]
