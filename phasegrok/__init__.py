"""phasegrok: phase diagrams of thousands of tiny trainings as one batched JAX program.

The names below are the public Python interface. They are imported when they are first used, so
that ``import phasegrok`` itself loads neither JAX nor pandas nor matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from phasegrok.analysis.phases import classify, label_cells
    from phasegrok.api import Estimate, Results, estimate, load, run
    from phasegrok.errors import Refusal
    from phasegrok.results.examples import split
    from phasegrok.sweep.load import load as load_sweep
    from phasegrok.sweep.sweep import Sweep

__all__ = [
    "Estimate",
    "Refusal",
    "Results",
    "Sweep",
    "__version__",
    "classify",
    "estimate",
    "label_cells",
    "load",
    "load_sweep",
    "run",
    "split",
]

__version__ = "0.1.0"

_HOMES = {
    "Estimate": ("phasegrok.api", "Estimate"),
    "Refusal": ("phasegrok.errors", "Refusal"),
    "Results": ("phasegrok.api", "Results"),
    "Sweep": ("phasegrok.sweep.sweep", "Sweep"),
    "classify": ("phasegrok.analysis.phases", "classify"),
    "estimate": ("phasegrok.api", "estimate"),
    "label_cells": ("phasegrok.analysis.phases", "label_cells"),
    "load": ("phasegrok.api", "load"),
    "run": ("phasegrok.api", "run"),
    "split": ("phasegrok.results.examples", "split"),
    "load_sweep": ("phasegrok.sweep.load", "load"),
}


def __getattr__(name: str) -> Any:
    """A public name, from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
