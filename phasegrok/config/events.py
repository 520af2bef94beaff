"""The one change that may come while training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from phasegrok.config.fields import TRACED, Block, NotNegative

# A training or test set counts as solved above this accuracy (memorization, generalization).
SOLVED = 0.999


# Of the last two, which shrink the training set, each suits the tasks that have it.
Settable = Literal[
    "optimizer.weight_decay", "optimizer.learning_rate", "data.data_fraction", "task.train_examples"
]


SHRINKS = ("data.data_fraction", "task.train_examples")


class NoEvent(Block):
    """Nothing changes while training."""

    kind: Literal["none"] = "none"


class Memorized(Block):
    """One change once the training set is memorized (thesis, section 3.1): from the first logging
    point with training accuracy above 0.999 on."""

    kind: Literal["memorized"] = "memorized"
    set: Annotated[Settable, Field(description="what gets a new value")] = "optimizer.weight_decay"
    value: Annotated[NotNegative, TRACED] = 0.0


class AtStep(Block):
    """One change from the first logging point at or after a step on."""

    kind: Literal["at_step"] = "at_step"
    at_step: Annotated[int, Field(ge=0, le=2**24), TRACED] = 0
    set: Annotated[Settable, Field(description="what gets a new value")] = "optimizer.weight_decay"
    value: Annotated[NotNegative, TRACED] = 0.0


Event = Annotated[NoEvent | Memorized | AtStep, Field(discriminator="kind")]
