"""The tasks that a sweep file may name, and how much of their data trains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, model_validator

from phasegrok.config.fields import FILE_PATH, TRACED, Block, kinds

if TYPE_CHECKING:
    from phasegrok.config.experiment import Experiment

DATA_FRACTION: Final = "data.data_fraction"


class TaskBlock(Block):
    """What a task's block says of the task besides its keys. The defaults suit a table of all
    pairs of tokens."""

    # Whether inputs are pairs of tokens. Only those can be embedded, and only over tokens do
    # weights have a spectrum.
    has_tokens: ClassVar[bool] = True
    # The dotted path of the key that says how many examples train.
    sized_by: ClassVar[str] = DATA_FRACTION
    # Whether networks have one output, whose sign is the answer, as the hinge loss needs it.
    one_output: ClassVar[bool] = False
    # Whether a corrupted label is the other one of two. It is then never right by luck.
    flips_labels: ClassVar[bool] = False

    def solved_by(self) -> Mapping[str, tuple[Any, ...]]:
        """What an experiment must say so that weights are known that solve it without training.

        Returns:
            Allowed values by dotted path; empty where no such weights are known.
        """
        return {}

    def problems(self, experiment: Experiment) -> Iterator[str]:
        """Why the rest of an experiment does not go with this task, the first reason first."""
        kind = experiment.task.kind
        if experiment.loss == "hinge" and not self.one_output:
            allowed = " or ".join(k for k, block in TASKS.items() if block.one_output)
            yield (
                f"found loss hinge with task.kind {kind}; allowed: hinge with {allowed}, whose"
                " networks have one output"
            )
        if self.sized_by != DATA_FRACTION and "data_fraction" in experiment.data.model_fields_set:
            yield (
                f"found data.data_fraction with a {kind} task; allowed: no fraction, since all of"
                f" its {self.sized_by.rpartition('.')[2]} train"
            )


class Modular(TaskBlock):
    """z = m + n or m * n modulo p, over all p^2 pairs (Doshi et al., section 1.1)."""

    kind: Literal["modular"] = "modular"
    operation: Annotated[
        Literal["addition", "multiplication"], Field(description="of m and n, modulo p")
    ] = "addition"
    modulus: Annotated[int, Field(ge=2, le=30_000, description="p; the table has p^2 rows")] = 97

    def solved_by(self) -> Mapping[str, tuple[Any, ...]]:
        """Equation 2 solves addition with the quadratic network."""
        return {
            "task.operation": ("addition",),
            "model.activation": ("quadratic",),
            "model.bias": (False,),
            "model.embedding": (None,),
        }


class Images(TaskBlock):
    """Images and their classes (Doshi et al., appendix H). The test split stays the test set."""

    has_tokens: ClassVar[bool] = False

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


# By k: widths below 2^k at which a network is known that computes the parity of k bits.
FEW_NEURONS: Final[Mapping[int, tuple[int, ...]]] = {2: (2,), 3: (3, 4)}


class Parity(TaskBlock):
    """The product of the first k of n signs, on examples that are drawn independently (thesis).
    train_examples and test_examples take the place of data.data_fraction. A corrupted label is a
    flipped one."""

    has_tokens: ClassVar[bool] = False
    sized_by: ClassVar[str] = "task.train_examples"
    one_output: ClassVar[bool] = True
    flips_labels: ClassVar[bool] = True

    kind: Literal["parity"] = "parity"
    bits: Annotated[int, Field(ge=1, le=4096, description="n: number of signs in an example")] = 50
    parity_bits: Annotated[
        int, Field(ge=1, description="k: number of signs in the product; at most n")
    ] = 2
    train_examples: Annotated[
        int, Field(ge=1, le=2**23, description="N: size of the training set")
    ] = 300
    test_examples: Annotated[int, Field(ge=1, le=2**23, description="size of the test set")] = 1000
    test_set: Annotated[
        Literal["seed", "fixed"],
        Field(
            description="seed: every seed has test examples of its own; fixed: all runs share one "
            "test set, as in the thesis, whose test set has 100 examples"
        ),
    ] = "seed"

    @model_validator(mode="after")
    def _sparse(self) -> Parity:
        if self.parity_bits > self.bits:
            raise ValueError(
                f"found parity_bits {self.parity_bits} with bits {self.bits}; allowed: at most"
                " as many parity_bits as bits"
            )
        return self

    def solved_by(self) -> Mapping[str, tuple[Any, ...]]:
        """Chapter 4 of the thesis has a network of 2^k neurons. Fewer are known for small k."""
        return {
            "model.width": (*FEW_NEURONS.get(self.parity_bits, ()), 2**self.parity_bits),
            "model.activation": ("relu",),
            "model.bias": (True,),
        }


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


Task = Annotated[Modular | Images | Parity, Field(discriminator="kind")]

TASKS: Final[dict[str, type[TaskBlock]]] = {
    block.model_fields["kind"].default: block
    for block in kinds(Task)
    if issubclass(block, TaskBlock)
}
