"""The model families that a sweep file may name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

from pydantic import Field, model_validator

from phasegrok.config.fields import (
    FILE_PATH,
    TRACED,
    Block,
    Count,
    Fraction,
    Positive,
    kinds,
    value_at,
)
from phasegrok.config.tasks import TASKS

if TYPE_CHECKING:
    from phasegrok.config.experiment import Experiment

InitScale = Annotated[Positive, Field(description="multiplies every initial weight"), TRACED]
Activation = Annotated[
    Literal["quadratic", "relu", "gelu", "tanh", "sigmoid", "identity"],
    Field(description="of hidden layers; quadratic is x^2"),
]


class ModelBlock(Block):
    """What a model's block says of the model besides its keys. The defaults suit a network that
    embeds tokens."""

    # Whether inputs must be pairs of tokens.
    needs_tokens: ClassVar[bool] = True
    # Whether there are layers of neurons to look into once it is trained.
    has_neurons: ClassVar[bool] = True

    def problems(self, experiment: Experiment) -> Iterator[str]:
        """Why the rest of an experiment does not go with this model, the first reason first."""
        if self.needs_tokens and not experiment.task.has_tokens:
            allowed = " or ".join(k for k, block in MODELS.items() if not block.needs_tokens)
            yield (
                f"found model.kind {experiment.model.kind} with task.kind {experiment.task.kind};"
                f" allowed: {allowed}, where inputs are no tokens"
            )


class Mlp(ModelBlock):
    """Fully connected network. The default is that of the paper (appendix A, default setting)."""

    needs_tokens: ClassVar[bool] = False

    kind: Literal["mlp"] = "mlp"
    embedding: Annotated[
        Count | None,
        Field(
            description="d: dimension of a learned embedding that both tokens share; null: no "
            "embedding, the first layer has its own weights for each token"
        ),
    ] = None
    width: Annotated[Count, Field(description="N: neurons of every hidden layer")] = 500
    depth: Annotated[int, Field(ge=2, le=64, description="number of weight layers")] = 2
    activation: Activation = "quadratic"
    bias: Annotated[bool, Field(description="a bias on every hidden layer")] = False
    normalization: Annotated[
        Literal["none", "batch", "layer"],
        Field(
            description="normalization after every hidden activation, with learned scale and shift"
        ),
    ] = "none"
    initialization: Annotated[
        Literal["paper", "lazy", "kaiming", "uniform", "analytic"],
        Field(
            description="paper: N(0, (16 N)^(-2/3)); lazy: N(0, 2 / N^(2/3)); "
            "kaiming: N(0, 2 / fan_in); uniform: U(-1, 1) / sqrt(fan_in); "
            "analytic: the periodic solution of equation 2 (for parity: the thesis' networks)"
        ),
    ] = "paper"
    init_scale: InitScale = 1.0
    dropout: Annotated[
        Fraction,
        Field(description="share of pre-activations that are set to zero in training"),
        TRACED,
    ] = 0.0

    def problems(self, experiment: Experiment) -> Iterator[str]:
        """Embeddings need tokens; known weights solve some networks on some tasks."""
        if self.embedding is not None and not experiment.task.has_tokens:
            yield (
                f"found model.embedding {self.embedding} with task.kind {experiment.task.kind};"
                " allowed: null, where inputs are no tokens"
            )
        if self.initialization == "analytic":
            yield from self._unsolved(experiment)

    def _unsolved(self, experiment: Experiment) -> Iterator[str]:
        solved = experiment.task.solved_by()
        if not solved:
            tasks = tuple(kind for kind, block in TASKS.items() if "solved_by" in vars(block))
            solved = {"task.kind": tasks}
        for path, allowed in {
            **solved,
            "model.depth": (2,),
            "model.normalization": ("none",),
        }.items():
            found = value_at(experiment, path)
            if found not in allowed:
                yield (
                    f"found model.initialization analytic with {path} {found}; allowed:"
                    f" {path} {' or '.join(map(str, allowed))}, for which a solution is known"
                )


class Transformer(ModelBlock):
    """Encoder on the tokens m and n, by default with an equals sign after them, where the answer is
    read. Normalization comes before attention and feed-forward layers (pre-LN). Positions are
    learned. Weight matrices begin as N(0, 1 / fan_in)."""

    kind: Literal["transformer"] = "transformer"
    layers: Annotated[int, Field(ge=1, le=64, description="blocks of attention and MLP")] = 1
    heads: Annotated[int, Field(ge=1, le=64, description="must divide embedding")] = 4
    embedding: Annotated[Count, Field(description="d: width of the residual stream")] = 128
    feed_forward: Annotated[Count, Field(description="neurons of every feed-forward layer")] = 512
    activation: Activation = "relu"
    normalization: Literal["none", "layer"] = "layer"
    feed_forward_bias: Annotated[
        bool, Field(description="biases in the feed-forward layers; the others have none")
    ] = True
    reads: Annotated[
        Literal["equals", "last"],
        Field(
            description="where the answer is read: at an equals sign after both tokens, or at the "
            "last token, without an equals sign"
        ),
    ] = "equals"
    tied: Annotated[
        bool, Field(description="whether the output layer and the embedding share their weights")
    ] = False
    embedding_init: Annotated[
        Literal["width", "unit"],
        Field(
            description="variance of the initial embeddings of tokens and positions: 1 / d, or 1 "
            "(a tied embedding begins as the output layer, with 1 / d)"
        ),
    ] = "width"
    attention_scale: Annotated[
        Literal["root", "full"],
        Field(
            description="what attention scores are divided by: the root of a head's width, "
            "d / heads, or that width"
        ),
    ] = "root"
    output_scale: Annotated[
        Literal["none", "width"], Field(description="what the outputs are divided by: nothing or d")
    ] = "none"
    init_scale: InitScale = 1.0
    dropout: Annotated[
        Fraction,
        Field(description="share of what dropout_at names that is set to zero in training"),
        TRACED,
    ] = 0.0
    dropout_at: Annotated[
        Literal["residual", "everywhere"],
        Field(
            description="residual: what attention and feed-forward layers add to the residual "
            "stream; everywhere: the embeddings and the attention weights as well"
        ),
    ] = "residual"

    @model_validator(mode="after")
    def _divides(self) -> Transformer:
        if self.embedding % self.heads:
            raise ValueError(
                f"found heads {self.heads} with embedding {self.embedding}; allowed: heads that"
                " divide embedding"
            )
        return self


class Lstm(ModelBlock):
    """Stacked LSTM on the tokens m, n and an equals sign. The answer is read after the last."""

    kind: Literal["lstm"] = "lstm"
    layers: Annotated[int, Field(ge=1, le=64, description="LSTMs, one on the other")] = 2
    embedding: Annotated[Count, Field(description="d: dimension of a token's embedding")] = 128
    width: Annotated[Count, Field(description="neurons of every layer")] = 128
    init_scale: InitScale = 1.0
    dropout: Annotated[
        Fraction,
        Field(
            description="share of the inputs of every layer but the first that are set to zero in "
            "training, the output layer included"
        ),
        TRACED,
    ] = 0.0


class Mixture(ModelBlock):
    """w_m1 w_m2 C_mem + w_g1 w_g2 C_gen, where C_mem and C_gen are two trained and frozen networks.
    Only the four factors are trained. w_m1 and w_g1 start at 0 (efficiency study, section 5.1)."""

    needs_tokens: ClassVar[bool] = False
    has_neurons: ClassVar[bool] = False

    kind: Literal["mixture"] = "mixture"
    memorizing: Annotated[
        str,
        Field(min_length=1, max_length=4096, description="C_mem: DIR/weights/RUN/STEP.npz"),
        FILE_PATH,
    ]
    generalizing: Annotated[
        str, Field(min_length=1, max_length=4096, description="C_gen: another such file"), FILE_PATH
    ]
    memorizing_scale: Annotated[Positive, Field(description="w_m2 at the start"), TRACED] = 1.0
    generalizing_scale: Annotated[Positive, Field(description="w_g2 at the start"), TRACED] = 1.0


Model = Annotated[Mlp | Transformer | Lstm | Mixture, Field(discriminator="kind")]

MODELS: Final[dict[str, type[ModelBlock]]] = {
    block.model_fields["kind"].default: block
    for block in kinds(Model)
    if issubclass(block, ModelBlock)
}
