"""The optimizers that a sweep file may name."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from phasegrok.config.fields import TRACED, Block, Fraction, NotNegative, Positive, kinds

UpdateNoise = Annotated[
    NotNegative,
    Field(
        description="standard deviation of Gaussian noise that is added to every step's update, "
        "before the learning rate multiplies it"
    ),
    TRACED,
]


WeightNoise = Annotated[
    NotNegative,
    Field(
        description="standard deviation of Gaussian noise on the weights at which every step's "
        "gradient is taken"
    ),
    TRACED,
]


LearningRate = Annotated[Positive, Field(description="step size"), TRACED]


Beta1 = Annotated[Fraction, Field(description="decay rate of the mean of gradients"), TRACED]


Beta2 = Annotated[Fraction, Field(description="decay rate of the mean of squares"), TRACED]


Epsilon = Annotated[Positive, Field(description="added to the root in Adam's quotient"), TRACED]


WeightDecay = Annotated[
    NotNegative, Field(description="how strongly weights are pulled towards zero"), TRACED
]


class OptimizerBlock(Block):
    """The block of an optimizer. It has a traced ``learning_rate``."""


class AdamW(OptimizerBlock):
    """Adam with decoupled weight decay (multiplied by the learning rate) on every weight."""

    kind: Literal["adamw"] = "adamw"
    learning_rate: LearningRate = 0.01
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.98
    epsilon: Epsilon = 1e-8
    weight_decay: WeightDecay = 0.0
    decay_towards: Annotated[
        Literal["zero", "init"],
        Field(description="zero, or init: the initial weights of the network"),
    ] = "zero"
    update_noise: UpdateNoise = 0.0
    weight_noise: WeightNoise = 0.0


class Adam(OptimizerBlock):
    """Adam. Its weight decay is coupled: an L2 term in the gradient."""

    kind: Literal["adam"] = "adam"
    learning_rate: LearningRate = 0.01
    beta1: Beta1 = 0.9
    beta2: Beta2 = 0.98
    epsilon: Epsilon = 1e-8
    weight_decay: WeightDecay = 0.0
    update_noise: UpdateNoise = 0.0
    weight_noise: WeightNoise = 0.0


class Sgd(OptimizerBlock):
    """Gradient descent with heavy-ball momentum. Its weight decay is coupled, as with adam."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: LearningRate = 0.1
    momentum: Annotated[
        Fraction, Field(description="share of the last update that the next one keeps"), TRACED
    ] = 0.0
    weight_decay: WeightDecay = 0.0
    l1: Annotated[
        NotNegative,
        Field(description="factor of the sum of all weights' absolute values in the loss"),
        TRACED,
    ] = 0.0
    update_noise: UpdateNoise = 0.0
    weight_noise: WeightNoise = 0.0


Optimizer = Annotated[AdamW | Adam | Sgd, Field(discriminator="kind")]

OPTIMIZERS: Final[dict[str, type[OptimizerBlock]]] = {
    block.model_fields["kind"].default: block
    for block in kinds(Optimizer)
    if issubclass(block, OptimizerBlock)
}
