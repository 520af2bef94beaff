"""How often networks of a width generalize, as a picture."""

from __future__ import annotations

import numpy as np
import pandas as pd

from phasegrok.figures import shares
from phasegrok.figures.context import Context
from tests.figures.made import CELLS, panels


def test_shares_by_width() -> None:
    """A point and its interval at every width, a line for every other value."""
    runs = pd.DataFrame(
        {"width": w, "l1": l1, "seed": seed, "test_accuracy": float(seed < 5 * w)}
        for w in (1, 2, 4)
        for l1 in (0.0, 0.1)
        for seed in range(20)
    )
    figure = shares.by_width(Context(CELLS, ["l1", "width"], {}, {"runs": runs}))
    line = panels(figure)[0].lines[0].get_xydata()
    np.testing.assert_allclose(line, [[1, 0.25], [2, 0.5], [4, 1]])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["l1 0", "l1 0.1"]
