"""Tasks: what is to be learned, as tables of examples.

Every module of this package may hold tasks. Each registers itself in
:data:`~phasegrok.tasks.base.TASKS`; this file names none.
"""

from __future__ import annotations

from functools import lru_cache

from phasegrok.config import Experiment, TaskBlock
from phasegrok.registry import import_all
from phasegrok.tasks.base import TASKS, Size, Table, Task

__all__ = ["TASKS", "Size", "Table", "Task", "build", "of"]

import_all(__name__, __path__)


@lru_cache(maxsize=256)
def build(config: TaskBlock) -> Task:
    """The task that ``config`` describes; cached, since it is static.

    Raises:
        Refusal: its data cannot be read; the message begins with the key that names them.
    """
    task: Task = TASKS[type(config)](config)
    return task


def of(experiment: Experiment) -> Task:
    """The task of an experiment."""
    return build(experiment.task)
