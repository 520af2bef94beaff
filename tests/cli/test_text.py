"""What is said at the end of a sweep."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phasegrok.cli.text import rounding_text


@pytest.mark.parametrize(
    ("precision", "losses", "words"),
    [
        ("float32", [1e-6, 0.1], ""),
        ("tf32", [1e-3, 0.1], ""),
        ("tf32", [np.nan], ""),
        ("tf32", [1e-6, 1e-5, 0.1], "note: 2 cells ended with a training loss below 0.0001"),
        ("bfloat16", [1e-6], "note: 1 cell ended with a training loss below 0.0001"),
    ],
)
def test_losses_that_rounding_decides_are_named(
    precision: str, losses: list[float], words: str
) -> None:
    """Under less than float32, where a final loss is as small as its noise."""
    cells = pd.DataFrame({"train_loss": losses})
    found = rounding_text({"engine": {"precision": precision}}, cells)
    assert found.startswith(words) and bool(found) == bool(words)
    assert rounding_text({}, cells) == "" and rounding_text({}, cells.iloc[:, :0]) == ""
