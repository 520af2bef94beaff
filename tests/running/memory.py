"""A device with little memory."""

from __future__ import annotations

from typing import Any

import jax
import pytest

from phasegrok.running import halve
from phasegrok.train.engine import Engine


def little_memory(monkeypatch: pytest.MonkeyPatch, runs: int, *, says: str = halve.SAYS) -> None:
    """A device that holds so many runs and says what XLA says of more."""
    segment = Engine.segment

    def limited(engine: Engine, *given: Any) -> Any:
        if engine.layout.chunk > runs:
            raise jax.errors.JaxRuntimeError(f"{says}: Out of memory while trying to allocate")
        return segment(engine, *given)

    monkeypatch.setattr(Engine, "segment", limited)
