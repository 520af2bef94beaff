"""What pruning curves say, on curves drawn by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from phasegrok.analysis.pruned import at_threshold, needed


def curve(run: str, test: list[float], step: int = 100, order: str = "lowest") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "run": run,
            "step": step,
            "order": order,
            "pruned": range(len(test)),
            "test_accuracy": test,
        }
    )


def test_neurons_needed() -> None:
    """The last count that is good enough decides: a curve that begins low and then rises has the
    number of its end; one that is never good has none; other orders and looks are not read."""
    pruning = pd.concat(
        [
            curve("a", [1, 1, 0.96, 0.5, 0]),  # 4 neurons: 2 can go, 2 are needed
            curve("b", [0.9, 0.5, 1, 1, 0]),  # memorizing neurons go first: 1 is enough
            curve("c", [0.9, 0.9, 0.9, 0.9, 0]),
            curve("a", [1, 0, 0, 0, 0], order="random"),
            curve("a", [0, 0, 0, 0, 0], step=0),
        ]
    )
    found = needed(pruning, "lowest", 0.95)
    assert found[["a", "b"]].tolist() == [2, 1] and np.isnan(found["c"])
    assert needed(pruning, "lowest", 0.99)["a"] == 3
    assert needed(pruning, "random", 0.95)["a"] == 4


def test_at_a_threshold() -> None:
    """Neurons below it and dead ones are counted, at the last look; the curve is read there."""
    pruning = pd.concat([curve("a", [0, 0.1, 0.2, 0.3, 0.4]), curve("a", [9] * 5, step=0)])
    neurons = pd.DataFrame(
        {
            "run": "a",
            "step": [100] * 4 + [0] * 4,
            "layer": "hidden",
            "ipr": [0.1, np.nan, 0.6, 0.9] + [0.1] * 4,
            "dead": [False, True, False, False] + [False] * 4,
        }
    )
    row = at_threshold(pruning, neurons, 0.5).iloc[0]
    assert (row["pruned"], row["test_accuracy"], row["share"]) == (2, 0.2, 0.5)
