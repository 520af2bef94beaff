"""From a model's block of the sweep file to the model."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from phasegrok import tasks
from phasegrok.config import ModelBlock, TaskBlock
from phasegrok.models.base import Model
from phasegrok.registry import Registry
from phasegrok.tasks import Task

MODELS: Final[Registry[Callable[[Any, Task], Model]]] = Registry("model")


@lru_cache(maxsize=256)
def build(config: ModelBlock, task_config: TaskBlock) -> Model:
    """The model that ``config`` describes, shaped for a task; cached, since both are static.

    Raises:
        Refusal: files that either of them names cannot be used.
    """
    model: Model = MODELS[type(config)](config, tasks.build(task_config))
    return model
