"""One start of the command on a folder: its clocks, its signals, its name.

Compiled code and the compiler run in a thread of their own, so that signals are heard meanwhile.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import jax
import numpy as np

from phasegrok.running.rates import Rates
from phasegrok.stopping import STATE, Interrupted, caught_meanwhile, phase, waited

__all__ = ["Interrupted", "Session", "interruptible", "now", "whoami"]

Given = TypeVar("Given")


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def whoami() -> str:
    """What the lock says of this process."""
    return f"process {os.getpid()} on {socket.gethostname()} since {now()}"


@dataclass
class Session:
    """What one start of the command did; see :class:`~phasegrok.results.head.SessionHead`."""

    started: str = field(default_factory=now)
    host: str = field(default_factory=socket.gethostname)
    share: str = ""
    chunk: str = ""
    chunks: int = 0
    runs: int = 0
    diverged: int = 0
    mixed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)  # chunks that are skipped, and why
    compile_seconds: float = 0.0
    device_seconds: float = 0.0
    signals: list[int] = field(default_factory=list)  # that asked to stop
    begun: float = field(default_factory=time.perf_counter)
    rates: Rates | None = None  # what it learns of this machine

    def heed(self) -> None:
        """Go on, unless a signal asked to stop.

        Raises:
            Interrupted: one did.
        """
        if self.signals:
            raise Interrupted

    def timed(self, call: Callable[..., Any], *args: Any) -> Any:
        """Call compiled code, wait for it, and count its time; the last of what it gives are
        records, and come back as NumPy."""
        start = time.perf_counter()
        *rest, records = waited(_to_the_end, call, args)
        self.device_seconds += time.perf_counter() - start
        return *rest, records

    def compiled(self, call: Callable[..., Given], *args: Any) -> Given:
        """What ``call`` gives, its time counted as compilation.

        Raises:
            Interrupted: a signal came before or meanwhile. There is nothing to save then, so the
                compiler, which nothing can stop, is not waited for.
        """
        start = time.perf_counter()
        self.heed()
        given = waited(call, *args, until=self.signals)
        self.compile_seconds += time.perf_counter() - start
        return given

    def to_json(self) -> dict[str, Any]:
        """The session's own file, as of now."""
        return {
            "started": self.started,
            "host": self.host,
            "pid": os.getpid(),
            "share": self.share,
            "chunk": self.chunk,
            "chunks": self.chunks,
            "runs": self.runs,
            "diverged": self.diverged,
            "mixed": list(self.mixed),
            "compile_seconds": self.compile_seconds,
            "device_seconds": self.device_seconds,
            "seconds": round(time.perf_counter() - self.begun, 3),
            "ended": now(),
        }


def _to_the_end(call: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    *rest, records = call(*args)
    return *rest, jax.tree.map(np.asarray, records)


@contextmanager
def interruptible(caught: list[int]) -> Iterator[None]:
    """Collect signals in a list that the loop looks at; a second one is immediate."""
    with caught_meanwhile(), phase("save"):
        STATE.caught = caught
        yield
