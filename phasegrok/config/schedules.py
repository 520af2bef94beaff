"""How the learning rate changes over a training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from phasegrok.config.fields import TRACED, Block

WarmupSteps = Annotated[
    int,
    Field(
        ge=0,
        le=2**24,
        description="optimizer steps over which the rate rises in a line from 0; at most as many "
        "as there are",
    ),
    TRACED,
]
FinalFraction = Annotated[
    float,
    Field(ge=0, le=1, description="share of the learning rate that is left after the last step"),
    TRACED,
]


class Constant(Block):
    """The learning rate stays as it is."""

    kind: Literal["constant"] = "constant"


class Warmup(Block):
    """The learning rate rises in a line from 0, and stays (optax: `warmup_constant_schedule`)."""

    kind: Literal["warmup"] = "warmup"
    warmup_steps: WarmupSteps = 0


class Linear(Block):
    """A warm-up, and then a line down (optax: two `linear_schedule`, joined)."""

    kind: Literal["linear"] = "linear"
    warmup_steps: WarmupSteps = 0
    final_fraction: FinalFraction = 0.0


class Cosine(Block):
    """A warm-up, and then half a period of a cosine (optax: `warmup_cosine_decay_schedule`)."""

    kind: Literal["cosine"] = "cosine"
    warmup_steps: WarmupSteps = 0
    final_fraction: FinalFraction = 0.0


Schedule = Annotated[Constant | Warmup | Linear | Cosine, Field(discriminator="kind")]
