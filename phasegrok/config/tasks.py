"""The tasks that a sweep file may name, and how much of their data trains."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from phasegrok.config.fields import FILE_PATH, TRACED, Block


class Modular(Block):
    """z = m + n or m * n modulo p, over all p^2 pairs (Doshi et al., section 1.1)."""

    kind: Literal["modular"] = "modular"
    operation: Literal["addition", "multiplication"] = "addition"
    modulus: Annotated[int, Field(ge=2, le=30_000, description="p; the table has p^2 rows")] = 97


class Images(Block):
    """Images and their classes (Doshi et al., appendix H). The test split stays the test set."""

    kind: Literal["images"] = "images"
    source: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4096,
            description="digits (scikit-learn's 8 x 8 scans), or a folder with MNIST's IDX files",
        ),
        FILE_PATH,
    ] = "digits"


class Parity(Block):
    """The product of the first k of n signs, on examples that are drawn independently (thesis).
    train_examples and test_examples take the place of data.data_fraction. A corrupted label is a
    flipped one."""

    kind: Literal["parity"] = "parity"
    bits: Annotated[int, Field(ge=1, le=4096, description="n: number of signs in an example")] = 50
    parity_bits: Annotated[
        int, Field(ge=1, description="k: number of signs in the product; at most n")
    ] = 2
    train_examples: Annotated[
        int, Field(ge=1, le=2**23, description="N: size of the training set")
    ] = 300
    test_examples: Annotated[int, Field(ge=1, le=2**23)] = 1000

    @model_validator(mode="after")
    def _sparse(self) -> Parity:
        if self.parity_bits > self.bits:
            raise ValueError(
                f"found parity_bits {self.parity_bits} with bits {self.bits}; allowed: at most"
                " as many parity_bits as bits"
            )
        return self


class Data(Block):
    """The share of examples that train, and the share of their labels that are corrupted."""

    data_fraction: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="alpha: share of all examples that are used for training (for images: "
            "share of the training split)",
        ),
        TRACED,
    ] = 0.5
    corruption_fraction: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="xi: share of the training labels that are drawn anew, uniformly "
            "(for parity: share of labels flipped)",
        ),
        TRACED,
    ] = 0.0


TOKENLESS = ("images", "parity")  # tasks with numbers as inputs: no embedding, no spectrum


Task = Annotated[Modular | Images | Parity, Field(discriminator="kind")]
