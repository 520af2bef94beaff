"""Who writes to a result folder: one process alone, or several that each have a piece of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from phasegrok.files.lock import hold, hold_briefly

__all__ = ["Had", "Shared"]


class Had(Protocol):
    """What a process has: a folder, or a piece of its work."""

    def check(self) -> object:
        """Raise :class:`~phasegrok.errors.Locked` where another process has it by now."""


class Shared:
    """A folder that is written to by whoever has it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: Had | None = None

    @contextmanager
    def lock(self, holder: str) -> Iterator[None]:
        """Hold the folder, see :mod:`phasegrok.files.lock`.

        Raises:
            Locked: another process holds it; the message says which.
        """
        with hold(self.path, holder) as held, self.writing_for(held):
            yield

    @contextmanager
    def lock_briefly(self, holder: str, turn: Callable[[], object]) -> Iterator[None]:
        """Hold the folder for a moment, see :func:`phasegrok.files.lock.hold_briefly`."""
        with hold_briefly(self.path, holder, turn) as held, self.writing_for(held):
            yield

    @contextmanager
    def writing_for(self, held: Had) -> Iterator[None]:
        """Write results only as long as this process has what they belong to."""
        self._held = held
        try:
            yield
        finally:
            self._held = None

    @property
    def token(self) -> str:
        """What tells this process's hold from others; empty where it has none."""
        return str(getattr(self._held, "token", ""))

    def check_held(self) -> None:
        """Refuse to write results to a folder that another machine took over meanwhile.

        Raises:
            Locked: it says who has it now.
        """
        if self._held:
            self._held.check()
