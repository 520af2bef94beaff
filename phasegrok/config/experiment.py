"""A whole experiment: its blocks, and which of them go together."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import model_validator

from phasegrok.config.events import SHRINKS, Event, NoEvent
from phasegrok.config.fields import Block, value_at
from phasegrok.config.models import Mlp, Model
from phasegrok.config.optimizers import AdamW, Optimizer
from phasegrok.config.schedules import Constant, Schedule
from phasegrok.config.tasks import Data, Modular, Task
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
    schedule: Schedule = Constant()

    @model_validator(mode="after")
    def _suits(self) -> Experiment:
        """Refuse what does not go together: every block says itself what suits it."""
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        yield from self.model.problems(self)
        yield from self.task.problems(self)
        found = value_at(self, "event.set") or ""
        if found.startswith("optimizer.") and value_at(self, found) is None:
            yield (
                f"found event.set {found} with optimizer.kind {self.optimizer.kind}; allowed: a key"
                " that this optimizer has"
            )
        found, allowed = value_at(self, "event.set"), self.task.sized_by
        if found in SHRINKS and found != allowed:
            yield (
                f"found event.set {found} with task.kind {self.task.kind}; allowed: {allowed},"
                " which this task's training set is sized by"
            )
