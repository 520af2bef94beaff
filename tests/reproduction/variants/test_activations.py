"""Claims on ReLU can be refuted."""

from __future__ import annotations

from phasegrok.reproduction.variants import activations
from tests.reproduction.variants.made import SMALL, diagram, square, verdicts


def test_relu() -> None:
    """No Forgetting, more regularization needed, otherwise similar."""
    decays = (0.0, 5.0, 10.0, 20.0)

    def like(decay: float, alpha: float, xi: float) -> str:
        return square(min(decay, 5), alpha, xi) if alpha - xi > 0.45 or decay else "M"

    assert verdicts(activations.relu(diagram(like, decays), SMALL)) == [True] * 3
    assert verdicts(activations.relu(SMALL, SMALL)) == [False, False, True]
    assert verdicts(activations.relu(diagram(lambda *_: "X", decays), SMALL)) == [True, True, False]


def test_relu_under_dropout() -> None:
    rates = (0.0, 0.1, 0.3, 0.6)
    decayed = diagram(square, (0.0, 5.0))
    confused = diagram(lambda rate, *_: "X" if rate > 0.2 else "M", rates, "dropout")
    assert verdicts(activations.dropout(decayed, confused)) == [True, True]
    late = diagram(lambda rate, *_: "X" if rate > 0.5 else "I", rates, "dropout")
    assert verdicts(activations.dropout(decayed, late)) == [False, False]
    assert verdicts(activations.moderate_dropout(confused)) == [True]
    (claim,) = activations.moderate_dropout(late)
    assert claim.held is False and claim.also == (("any cell", False),)


def test_confusion_at_the_usual_width() -> None:
    some = diagram(lambda decay, alpha, xi: "X" if alpha > 0.6 else "M", (5.0, 20.0))
    assert verdicts(activations.confusion(some)) == [True]
    assert verdicts(activations.confusion(diagram(lambda *_: "M", (5.0, 20.0)))) == [False]
