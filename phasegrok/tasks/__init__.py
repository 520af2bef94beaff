"""Tasks: what is to be learned, as tables of examples."""

from __future__ import annotations

from functools import lru_cache

from phasegrok.config import Experiment, Images, Modular, Parity
from phasegrok.tasks.base import Size, Table, Task
from phasegrok.tasks.images import ImagesTask
from phasegrok.tasks.modular import ModularTask
from phasegrok.tasks.parity import ParityTask

__all__ = ["Size", "Table", "Task", "build", "of"]


@lru_cache(maxsize=256)
def build(config: Modular | Images | Parity) -> Task:
    """The task that ``config`` describes; cached, since it is static."""
    match config:
        case Modular():
            return ModularTask(config)
        case Images():
            return ImagesTask(config)
        case Parity():
            return ParityTask(config)


def of(experiment: Experiment) -> Task:
    """The task of an experiment."""
    return build(experiment.task)
