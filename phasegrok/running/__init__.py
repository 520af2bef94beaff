"""Run a sweep into its result folder: train chunk by chunk, save, resume, label.

The one place where compiled programs, files and the terminal meet. The names below are imported
when they are first used: whether a folder is finished can be said without JAX.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from phasegrok.running.chunk import Reporter, Silent
    from phasegrok.running.estimate import Estimate, estimated_time, measured_time
    from phasegrok.running.loop import run
    from phasegrok.running.prepared import Prepared
    from phasegrok.running.preparing import prepare
    from phasegrok.running.rates import job_work
    from phasegrok.running.session import Interrupted

__all__ = [
    "Estimate",
    "Interrupted",
    "Prepared",
    "Reporter",
    "Silent",
    "estimated_time",
    "job_work",
    "measured_time",
    "prepare",
    "run",
]

_HOMES = {
    "Estimate": "estimate",
    "Interrupted": "session",
    "Prepared": "prepared",
    "Reporter": "chunk",
    "Silent": "chunk",
    "estimated_time": "estimate",
    "job_work": "rates",
    "measured_time": "estimate",
    "prepare": "preparing",
    "run": "loop",
}


def __getattr__(name: str) -> Any:
    """A name of this room, from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
