"""The length of a training, its batches and its loss."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from phasegrok.config.fields import Block, Count

Loss = Literal["mse", "cross_entropy", "brier", "hinge"]


class Train(Block):
    """The length of a training, its batches, and how often the network is measured."""

    steps: Annotated[
        Count | None,
        Field(description="optimizer steps; 2000 if neither steps nor epochs are given"),
    ] = None
    epochs: Annotated[
        Count | None,
        Field(
            description="passes over the training set, instead of steps; "
            "log_every then counts epochs"
        ),
    ] = None
    batch_size: Annotated[
        Literal["full"] | Count, Field(description="examples of a step; full: the training set")
    ] = "full"
    last_batch: Annotated[
        Literal["drop", "keep"],
        Field(description="whether to train on the incomplete last batch of an epoch"),
    ] = "drop"
    log_every: Annotated[
        Count, Field(description="the network is measured every so many steps, and at step 0")
    ] = 20
    scaling: Annotated[
        Literal["none", "paper"],
        Field(
            description="paper: learning rate * sqrt(B / 256), steps and log_every * 256 / B "
            "(appendix A.1, minibatch training)"
        ),
    ] = "none"

    def batches_per_epoch(self, n_train: Any) -> Any:
        """Steps in one pass over ``n_train`` rows, which is a number or an array of numbers."""
        if self.batch_size == "full":
            return n_train * 0 + 1
        extra = self.batch_size - 1 if self.last_batch == "keep" else 0
        return (n_train + extra) // self.batch_size

    @model_validator(mode="before")
    @classmethod
    def _default_length(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("steps") is None and not values.get("epochs"):
            return {**values, "steps": 2000}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Train:
        if self.steps is not None and self.epochs is not None:
            raise ValueError(
                f"found both steps {self.steps} and epochs {self.epochs}; "
                "allowed: one of them (null removes the other)"
            )
        length, unit = (self.steps, "steps") if self.steps else (self.epochs, "epochs")
        assert length is not None
        if length % self.log_every:
            raise ValueError(
                f"found {unit} {length} with log_every {self.log_every}; "
                f"allowed: {unit} that are a multiple of log_every"
            )
        if self.scaling == "paper" and self.epochs is not None:
            raise ValueError("found scaling paper with epochs; allowed: scaling paper with steps")
        return self
