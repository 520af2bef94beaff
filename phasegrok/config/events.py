"""The one change that may happen during training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from phasegrok.config.fields import TRACED, Block, NotNegative

# A training or test set counts as solved above this accuracy (memorization, generalization).
SOLVED = 0.999


# The last two shrink the training set. Each is for the tasks whose size it is.
Settable = Literal[
    "optimizer.weight_decay", "optimizer.learning_rate", "data.data_fraction", "task.train_examples"
]


SHRINKS = ("data.data_fraction", "task.train_examples")


NewValue = Annotated[NotNegative, Field(description="what it is changed to"), TRACED]


class NoEvent(Block):
    """Nothing changes during training."""

    kind: Literal["none"] = "none"


class Memorized(Block):
    """One change once the training set is memorized (thesis, section 3.1). It acts from the first
    logging point with a training accuracy above 0.999."""

    kind: Literal["memorized"] = "memorized"
    set: Annotated[Settable, Field(description="the setting that gets a new value")] = (
        "optimizer.weight_decay"
    )
    value: NewValue = 0.0


class AtStep(Block):
    """One change at a given step. It acts from the first logging point at or after the step."""

    kind: Literal["at_step"] = "at_step"
    at_step: Annotated[
        int, Field(ge=0, le=2**24, description="optimizer step of the change"), TRACED
    ] = 0
    set: Annotated[Settable, Field(description="the setting that gets a new value")] = (
        "optimizer.weight_decay"
    )
    value: NewValue = 0.0


Event = Annotated[NoEvent | Memorized | AtStep, Field(discriminator="kind")]
