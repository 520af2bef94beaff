"""Claims of Doshi et al. on phase diagrams: section 3, Figure 3, and Figures 24 and 25."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phasegrok.reproduction.base import Claim

__all__ = ["claims"]


def claims(root: Path) -> Iterator[Claim]:
    """Every claim whose results are under ``root``, in the paper's order."""
    yield from ()
