"""Which blocks go together, and the reason that is given where they do not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from phasegrok.config import MODELS, TASKS, Experiment

IMAGES, PARITY = {"kind": "images"}, {"kind": "parity"}
KNOWN = {"initialization": "analytic"}
SOLVES_PARITY = KNOWN | {"width": 4, "activation": "relu", "bias": True}


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        (
            {"task": IMAGES, "model": {"kind": "lstm"}},
            "found model.kind lstm with task.kind images; allowed: mlp or mixture, where inputs are"
            " no tokens",
        ),
        (
            {"task": PARITY, "model": {"embedding": 3}},
            "found model.embedding 3 with task.kind parity; allowed: null, where inputs are no"
            " tokens",
        ),
        (
            {"task": IMAGES, "loss": "hinge"},
            "found loss hinge with task.kind images; allowed: hinge with parity, whose networks"
            " have one output",
        ),
        (
            {"task": PARITY, "data": {"data_fraction": 0.5}},
            "found data.data_fraction with a parity task; allowed: no fraction, since all of its"
            " train_examples train",
        ),
        (
            {"task": PARITY, "event": {"kind": "memorized", "set": "data.data_fraction"}},
            "found event.set data.data_fraction with task.kind parity; allowed:"
            " task.train_examples, which this task's training set is sized by",
        ),
        (
            {"event": {"kind": "memorized", "set": "task.train_examples"}},
            "found event.set task.train_examples with task.kind modular; allowed:"
            " data.data_fraction, which this task's training set is sized by",
        ),
        (
            {"task": IMAGES, "model": KNOWN},
            "found model.initialization analytic with task.kind images; allowed: task.kind modular"
            " or parity, for which a solution is known",
        ),
        (
            {"task": {"kind": "modular", "operation": "multiplication"}, "model": KNOWN},
            "found model.initialization analytic with task.operation multiplication; allowed:"
            " task.operation addition, for which a solution is known",
        ),
        (
            {"model": KNOWN | {"depth": 3}},
            "found model.initialization analytic with model.depth 3; allowed: model.depth 2, for"
            " which a solution is known",
        ),
        (
            {"task": PARITY, "model": SOLVES_PARITY | {"width": 3}},
            "found model.initialization analytic with model.width 3; allowed: model.width 2 or 4,"
            " for which a solution is known",
        ),
    ],
)
def test_what_does_not_go_together(blocks: dict[str, Any], words: str) -> None:
    """Every refusal in full."""
    for block in ("task", "model"):
        if block in blocks:
            default = "modular" if block == "task" else "mlp"
            blocks[block] = {"kind": default} | blocks[block]
    with pytest.raises(ValidationError) as refused:
        Experiment.model_validate(blocks)
    assert str(refused.value.errors()[0]["ctx"]["error"]) == words


def test_what_does_go_together() -> None:
    """Known weights on both tasks that have them, and the hinge loss on parity."""
    Experiment.model_validate({"model": {"kind": "mlp"} | KNOWN})
    Experiment.model_validate(
        {"task": PARITY, "model": {"kind": "mlp"} | SOLVES_PARITY, "loss": "hinge"}
    )


def test_every_kind_says_what_it_is() -> None:
    """Kinds are found by name; every block of a union has the facts that others ask."""
    assert {"modular", "images", "parity"} <= set(TASKS)
    assert {"mlp", "transformer", "lstm", "mixture"} <= set(MODELS)
    for tables, union in ((TASKS, "task"), (MODELS, "model")):
        annotation = Experiment.model_fields[union].annotation
        assert set(tables.values()) == set(getattr(annotation, "__args__", ()))
