"""The model families that a sweep file may name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from phasegrok.config.fields import FILE_PATH, TRACED, Block, Count, Fraction, Positive

Activation = Literal["quadratic", "relu", "gelu", "tanh", "sigmoid", "identity"]


class Mlp(Block):
    """Fully connected network. The default is that of the paper (appendix A, default setting)."""

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
    init_scale: Annotated[
        Positive, Field(description="multiplies every initial weight"), TRACED
    ] = 1.0
    dropout: Annotated[
        Fraction,
        Field(description="share of pre-activations that are set to zero in training"),
        TRACED,
    ] = 0.0


class Transformer(Block):
    """Encoder on the tokens m, n and an equals sign. The answer is read at the equals sign.
    Normalization comes before attention and feed-forward layers (pre-LN). Positions are learned."""

    kind: Literal["transformer"] = "transformer"
    layers: Annotated[int, Field(ge=1, le=64)] = 1
    heads: Annotated[int, Field(ge=1, le=64, description="must divide embedding")] = 4
    embedding: Annotated[Count, Field(description="d: width of the residual stream")] = 128
    feed_forward: Annotated[Count, Field(description="neurons of every feed-forward layer")] = 512
    activation: Activation = "relu"
    normalization: Literal["none", "layer"] = "layer"
    tied: Annotated[
        bool, Field(description="whether the output layer and the embedding share their weights")
    ] = False
    init_scale: Annotated[
        Positive, Field(description="multiplies every initial weight"), TRACED
    ] = 1.0
    dropout: Annotated[
        Fraction,
        Field(
            description="share of what is added to the residual stream that is "
            "set to zero in training"
        ),
        TRACED,
    ] = 0.0

    @model_validator(mode="after")
    def _divides(self) -> Transformer:
        if self.embedding % self.heads:
            raise ValueError(
                f"found heads {self.heads} with embedding {self.embedding}; allowed: heads that"
                " divide embedding"
            )
        return self


class Lstm(Block):
    """Stacked LSTM on the tokens m, n and an equals sign. The answer is read after the last."""

    kind: Literal["lstm"] = "lstm"
    layers: Annotated[int, Field(ge=1, le=64)] = 2
    embedding: Annotated[Count, Field(description="d: dimension of a token's embedding")] = 128
    width: Annotated[Count, Field(description="neurons of every layer")] = 128
    init_scale: Annotated[
        Positive, Field(description="multiplies every initial weight"), TRACED
    ] = 1.0
    dropout: Annotated[
        Fraction,
        Field(
            description="share of the inputs of every layer but the first that are set to zero in "
            "training, the output layer included"
        ),
        TRACED,
    ] = 0.0


class Mixture(Block):
    """w_m1 w_m2 C_mem + w_g1 w_g2 C_gen, where C_mem and C_gen are two trained and frozen networks.
    Only the four factors are trained. w_m1 and w_g1 start at 0 (efficiency study, section 5.1)."""

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
