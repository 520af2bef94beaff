"""A claim and its words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

__all__ = ["Claim", "spread"]


@dataclass(frozen=True)
class Claim:
    """One claim of a paper and what the tables say of it."""

    source: str  # section or figure
    text: str  # what is claimed, in our words
    measured: str  # numbers
    held: bool | None  # None: in part, the numbers say how

    @property
    def verdict(self) -> str:
        """``yes``, ``no`` or ``in part``."""
        return "in part" if self.held is None else ("yes" if self.held else "no")


def spread(values: Iterable[float], digits: int = 3) -> str:
    """``mean ± standard deviation`` over runs."""
    numbers = np.array(list(values), np.float64)
    deviation = numbers.std(ddof=1) if len(numbers) > 1 else 0.0
    return f"{numbers.mean():.{digits}f} ± {deviation:.{digits}f}"
