"""How measured numbers are written, and how a verdict follows from parts of a claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from phasegrok.analysis.critical import Estimate

__all__ = ["by_value", "interval", "spread", "verdict"]


def spread(values: Iterable[float], digits: int = 3) -> str:
    """``mean ± standard deviation`` over runs."""
    numbers = np.array(list(values), np.float64)
    deviation = numbers.std(ddof=1) if len(numbers) > 1 else 0.0
    return f"{numbers.mean():.{digits}f} ± {deviation:.{digits}f}"


def by_value(numbers: pd.Series[Any] | Mapping[Any, Any], digits: int | None = None) -> str:
    """``value: number`` for every value of an axis, the numbers with so many decimals."""
    return ", ".join(
        (f"{value:g}" if isinstance(value, float) else f"{value}")
        + (f": {number}" if digits is None else f": {number:.{digits}f}")
        for value, number in numbers.items()
    )


def interval(found: Estimate) -> str:
    """A mean and its confidence interval."""
    return f"{found.mean:.3f} ({found.low:.3f} to {found.high:.3f})"


def verdict(partly: bool, fully: bool) -> bool | None:
    """Yes where all of a claim holds, in part (None) where only some of it does."""
    return True if fully and partly else (None if partly else False)
