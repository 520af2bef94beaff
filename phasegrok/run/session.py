"""One start of the command on a folder: its clocks, its signals, its name."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import jax
import numpy as np


class Interrupted(Exception):
    """Ctrl-C or a polite kill: everything trained so far has been saved."""


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def whoami() -> str:
    """What the lock says of this process."""
    return f"process {os.getpid()} on {socket.gethostname()} since {now()}"


@dataclass
class Session:
    """What one start of the command did, for the manifest."""

    started: str = field(default_factory=now)
    host: str = field(default_factory=socket.gethostname)
    chunks: int = 0
    compile_seconds: float = 0.0
    device_seconds: float = 0.0
    signals: list[int] = field(default_factory=list)  # that asked to stop
    begun: float = field(default_factory=time.perf_counter)

    def timed(self, call: Callable[..., Any], *args: Any) -> Any:
        """Call compiled code, wait for it, and count its time; the last of what it gives are
        records, and come back as NumPy."""
        start = time.perf_counter()
        *rest, records = call(*args)
        records = jax.tree.map(np.asarray, records)
        self.device_seconds += time.perf_counter() - start
        return *rest, records

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Count the time spent inside as compilation."""
        start = time.perf_counter()
        yield
        self.compile_seconds += time.perf_counter() - start

    def to_json(self) -> dict[str, Any]:
        """The session's entry in the manifest, as of now."""
        return {
            "started": self.started,
            "host": self.host,
            "chunks": self.chunks,
            "compile_seconds": self.compile_seconds,
            "device_seconds": self.device_seconds,
            "seconds": round(time.perf_counter() - self.begun, 3),
            "ended": now(),
        }


@contextmanager
def interruptible(caught: list[int]) -> Iterator[None]:
    """Collect SIGINT and SIGTERM in a list that the loop looks at; a second one is immediate."""

    def catch(number: int, frame: FrameType | None) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)

    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(s, catch) for s in signals]
    try:
        yield
    finally:
        for s, handler in zip(signals, before, strict=True):
            signal.signal(s, handler)
