"""Something small that is done every few seconds beside everything else: heartbeats, entries."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["repeating"]


@contextmanager
def repeating(every: float, call: Callable[[], object], patience: float = 1.0) -> Iterator[None]:
    """Call something every so many seconds while this lasts, in a thread of its own.

    Args:
        every: seconds between calls; the first comes after so many.
        call: raises nothing.
        patience: seconds that a last call is waited for at the end.
    """
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(every):
            call()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(patience)
