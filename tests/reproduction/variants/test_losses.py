"""Claims on the loss can be refuted."""

from __future__ import annotations

import pytest

from phasegrok.reproduction.base import Results
from phasegrok.reproduction.variants import losses
from tests.reproduction.variants.made import DECAYS, SMALL, diagram, square, verdicts


def sensitive(decay: float, alpha: float, xi: float) -> str:
    if decay == 0:
        return "M"
    return "X" if decay > 6 else square(5, alpha, xi) if decay > 3 else "M"


def wide_band(decay: float, alpha: float, xi: float) -> str:
    return square(5, alpha, xi) if decay else "M"


def test_cross_entropy() -> None:
    """Weaker, similar diagrams, a narrow band, no Forgetting."""
    decays = (0.0, 1.0, 3.0, 4.0, 5.0, 8.0)
    as_claimed, wide, never = (
        diagram(cell, decays) for cell in (sensitive, wide_band, lambda *_: "M")
    )
    assert verdicts(losses.cross_entropy(as_claimed, SMALL)) == [True, True]
    assert verdicts(losses.decays(as_claimed)) == [True, True]
    assert verdicts(losses.decays(wide))[0] is False
    assert verdicts(losses.cross_entropy(never, SMALL)) == [True, False]
    assert verdicts(losses.decays(never)) == [False, True]
    as_with_mse = diagram(square, DECAYS)
    assert verdicts(losses.cross_entropy(as_with_mse, SMALL))[0] is False
    assert verdicts(losses.decays(as_with_mse))[1] is False


def test_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same claim of another sweep, which says how long it trained."""
    monkeypatch.setattr(Results, "manifest", {"sweep": {"train": {"steps": 3000}}})
    assert verdicts(losses.forgetting(diagram(lambda *_: "X", (10.0,)))) == [True]
    (claim,) = losses.forgetting(diagram(lambda *_: "F", (10.0,)))
    assert claim.held is False and "3000 steps" in claim.text and "middle" not in claim.why


def test_cross_entropy_under_dropout() -> None:
    rates = (0.0, 0.5, 0.9)

    def late(rate: float, alpha: float, xi: float) -> str:
        few = "C" if alpha - xi > (0.65 if rate else 0.8) else "M"
        return square(5, alpha, xi) if rate > 0.5 else few

    assert verdicts(losses.cross_entropy_dropout(diagram(late, rates, "dropout"))) == [True, True]

    def early(rate: float, alpha: float, xi: float) -> str:
        return square(5, alpha, xi) if rate > 0 else "M"

    assert verdicts(losses.cross_entropy_dropout(diagram(early, rates, "dropout"))) == [
        False,
        None,
    ]
