"""The cells that the claims are about."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

__all__ = ["FORGETS", "FULL", "NONE", "PARTIAL", "THRESHOLD", "XI", "at_decay", "of"]

# Share of corrupted labels, and the weight decays of the four phases.
XI: Final = 0.35
NONE: Final = 0.0
PARTIAL: Final = 5.0
FULL: Final = 15.0
FORGETS: Final = 20.0
# Between the two groups of neurons: in Coexistence fewer than 2 % of them lie within 0.2 of it.
THRESHOLD: Final = 0.5


def at_decay(table: pd.DataFrame, decay: float) -> pd.DataFrame:
    """The rows at one weight decay."""
    return table[table["weight_decay"] == decay]


def of(true: pd.Series[Any]) -> str:
    """``2 of 3``: how many of a column's truth values are true."""
    return f"{int(true.sum())} of {len(true)}"
