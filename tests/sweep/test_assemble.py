"""Whole experiments: kinds have their own keys, and values must go together."""

from __future__ import annotations

import pytest

from phasegrok.config import AdamW, Sgd
from phasegrok.errors import Refusal
from phasegrok.sweep.load import load
from tests.sweep.conftest import SPLIT, Bad, Write, check_refused

# id: (lines after `name: a`, so the first is line 2; where; key; words that must appear)
BAD: dict[str, Bad] = {
    "key of another kind": (
        "optimizer: {kind: adamw, momentum: 0.5}",
        "2:36",
        "optimizer.momentum",
        ["not available for optimizer.kind adamw; use one of: kind, learning_rate"],
    ),
    "steps not a multiple of log_every": (
        "train: {steps: 30, log_every: 20}",
        "2:16",
        "train.steps",
        ["found steps 30 with log_every 20", SPLIT],
    ),
    "epochs not a multiple of log_every": (
        "train: {epochs: 30}",
        "2:17",
        "train.epochs",
        ["found epochs 30 with log_every 20", SPLIT],
    ),
    "steps and epochs": (
        "train: {steps: 20, epochs: 20}",
        "2:16",
        "train.steps",
        ["found both steps 20 and epochs 20", "allowed: one of them"],
    ),
    "steps axis not a multiple": (
        "axes:\n  train.steps: [40, 50]",
        "3:3",
        "train.steps",
        ["found steps 50 with log_every 20", SPLIT],
    ),
    "axis of another kind": (
        "axes:\n  optimizer.momentum: [0.1, 0.2]",
        "3:3",
        "optimizer.momentum",
        ["not available for optimizer.kind adamw; use one of: kind"],
    ),
    "axis of one of two swept kinds": (
        "axes:\n  optimizer.kind: [sgd, adamw]\n  optimizer.momentum: [0.1]",
        "4:3",
        "optimizer.momentum",
        ["not available for optimizer.kind adamw; use one of: kind"],
    ),
    "images need an mlp": (
        "task: {kind: images}\nmodel: {kind: transformer}",
        "2:14",
        "task.kind",
        ["found model.kind transformer with task.kind images; allowed: mlp"],
    ),
    "no analytic solution": (
        "axes:\n  task.operation: [addition, multiplication]\nmodel: {initialization: analytic}",
        "3:3",
        "task.operation",
        ["model.initialization analytic with task.operation multiplication", "solution is known"],
    ),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_experiments_are_refused_in_one_line(case: str, write: Write) -> None:
    """The line begins with the exact position, names the key, what was found and is allowed."""
    check_refused(write, BAD[case])


def test_at_combines_and_checks(write: Write) -> None:
    """A sweep over kinds gives each kind its own keys; what no kind can have is refused."""
    sweep = load(
        write(
            "name: a\noptimizer: {kind: sgd, momentum: 0.5, beta1: 0.8, weight_decay: 2}\n"
            "axes:\n  optimizer.kind: [sgd, adamw]\n  train.steps: [100, 200]\n"
        )
    )
    sgd, adamw = (sweep.at({"optimizer.kind": k, "train.steps": 200}) for k in ("sgd", "adamw"))
    assert sgd.optimizer == Sgd(momentum=0.5, weight_decay=2.0)
    # The learning rate is the base's, as for any key that both kinds have.
    assert adamw.optimizer == AdamW(learning_rate=0.1, beta1=0.8, weight_decay=2.0)
    assert sgd.train.steps == adamw.train.steps == 200
    with pytest.raises(Refusal, match=r"^s\.yaml:5:3: train\.steps: found steps 7 .*allowed"):
        sweep.at({"train.steps": 7})
    with pytest.raises(Refusal, match=r"^s\.yaml:5:3: train\.steps: found both .*allowed"):
        sweep.at({"train.epochs": 20})
