"""Cases that ``make test`` leaves to ``make test-all``: they repeat what others of a kind show."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def some(cases: Iterable[Any], quick: int | Collection[int]) -> list[Any]:
    """Cases for ``parametrize``, of which some run in every ``make test``.

    Args:
        cases: all of them.
        quick: which by number, or how many, evenly spread.
    """
    every = list(cases)
    if isinstance(quick, int):
        quick = {i * len(every) // quick for i in range(quick)}
    assert 0 < len(quick) < len(every), "every kind is tried every time"
    return [case if i in quick else _thorough(case) for i, case in enumerate(every)]


def _thorough(case: Any) -> Any:
    values = case if type(case) is tuple else (case,)
    return pytest.param(*values, marks=pytest.mark.thorough)
