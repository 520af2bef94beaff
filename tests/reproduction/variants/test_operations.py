"""Claims on multiplication can be refuted."""

from __future__ import annotations

from phasegrok.reproduction.variants import operations
from tests.reproduction.variants.made import DECAYS, SMALL, diagram, verdicts


def test_multiplication() -> None:
    assert verdicts(operations.multiplication(SMALL, SMALL)) == [True]
    assert verdicts(operations.multiplication(diagram(lambda *_: "M", DECAYS), SMALL)) == [False]
