"""A whole experiment: its blocks, and which of them go together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import model_validator

from phasegrok.config.events import SHRINKS, Event, NoEvent
from phasegrok.config.fields import Block, value_at
from phasegrok.config.models import Mlp, Model
from phasegrok.config.optimizers import AdamW, Optimizer
from phasegrok.config.tasks import TOKENLESS, Data, Modular, Parity, Task
from phasegrok.config.training import Loss, Train


class Experiment(Block):
    """Everything that decides a run's numbers, seed and precision aside."""

    task: Task = Modular()
    data: Data = Data()
    model: Model = Mlp()
    loss: Loss = "mse"
    optimizer: Optimizer = AdamW()
    train: Train = Train()
    event: Event = NoEvent()

    @model_validator(mode="after")
    def _suits(self) -> Experiment:
        """Not every model suits every task, and equation 2 solves one network on one task."""
        task = self.task.kind
        if task in TOKENLESS and self.model.kind not in ("mlp", "mixture"):
            raise ValueError(
                f"found model.kind {self.model.kind} with task.kind {task}; allowed: mlp or"
                " mixture, where inputs are no tokens"
            )
        if task in TOKENLESS and value_at(self, "model.embedding") is not None:
            raise ValueError(
                f"found model.embedding {value_at(self, 'model.embedding')} with task.kind {task};"
                " allowed: null, where inputs are no tokens"
            )
        if self.loss == "hinge" and task != "parity":
            raise ValueError(
                f"found loss hinge with task.kind {task}; allowed: hinge with parity, whose"
                " networks have one output"
            )
        if task == "parity" and "data_fraction" in self.data.model_fields_set:
            raise ValueError(
                "found data.data_fraction with a parity task; allowed: no fraction, since all of"
                " its train_examples train"
            )
        shrinks = value_at(self, "event.set")
        allowed = "task.train_examples" if task == "parity" else "data.data_fraction"
        if shrinks in SHRINKS and shrinks != allowed:
            raise ValueError(
                f"found event.set {shrinks} with task.kind {task}; allowed: {allowed}, which this"
                " task's training set is sized by"
            )
        if value_at(self, "model.initialization") == "analytic":
            for path, needed in self._solved():
                found = value_at(self, path)
                if found not in needed:
                    raise ValueError(
                        f"found model.initialization analytic with {path} {found}; allowed:"
                        f" {path} {' or '.join(str(value) for value in needed)}, for which"
                        " a solution is known"
                    )
        return self

    def _solved(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """What the networks must be whose weights are known without training: of equation 2 on
        modular addition, and of the thesis' chapter 4 on sparse parity."""
        task = self.task
        if isinstance(task, Parity):
            width = 2**task.parity_bits
            yield "model.width", (2, 4) if task.parity_bits == 2 else (width,)
            yield "model.activation", ("relu",)
            yield "model.bias", (True,)
        else:
            yield "task.kind", ("modular",)
            yield "task.operation", ("addition",)
            yield "model.activation", ("quadratic",)
            yield "model.bias", (False,)
            yield "model.embedding", (None,)
        yield "model.depth", (2,)
        yield "model.normalization", ("none",)
