"""How a process is asked to stop, and what it still does then. Loads nothing of what takes long.

A terminal, a user or a cluster asks by a signal. What the first one does depends on what there is
to save, which the code says by a :func:`phase`. Handlers are in place from the command's first
moment, so there is no phase in which a signal is a traceback or half a file.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final, Literal, TypeVar

__all__ = [
    "BUSY",
    "DEADLINE",
    "INTERRUPTED",
    "STATE",
    "Interrupted",
    "Stopped",
    "Stopping",
    "catch",
    "caught_meanwhile",
    "phase",
    "waited",
]

INTERRUPTED: Final = 130  # a person asked, or a polite kill
DEADLINE: Final = 75  # EX_TEMPFAIL: a cluster is about to take the machine away; run it again

# Where one is ignored when the command starts, as `nohup` does with the first, it stays so.
_DEADLINES: Final = ("SIGHUP", "SIGUSR1", "SIGUSR2")
_REQUESTS: Final = ("SIGINT", "SIGTERM")
# A stop at once unwinds, so that locks and unfinished files are cleaned. It may not take longer.
UNWINDING_SECONDS: Final = 5.0

# exit: nothing is held and nothing written, so the process ends where it is.
# unwind: files are being written; an exception cleans up.
# save: the first signal is noted, and whoever trains looks for it; a second one unwinds.
# over: how the process ends is decided.
Phase = Literal["exit", "unwind", "save", "over"]
Given = TypeVar("Given")


class Stopped(KeyboardInterrupt):
    """Stop at once. What is published stays, and so does the newest checkpoint."""


class Interrupted(Exception):
    """A signal asked to stop: everything trained so far has been saved."""


@dataclass
class Stopping:
    """What signals have asked for until now."""

    phase: Phase = "exit"
    caught: list[int] = field(default_factory=list)
    stopped: bool = False  # a stop at once is on its way through the code
    fate: str = ""  # what a process that ends where it is says of the results
    unwound: threading.Event = field(default_factory=threading.Event)

    @property
    def code(self) -> int:
        """The exit code: the first signal says whose wish it was."""
        named = {getattr(signal, name, None) for name in _DEADLINES}
        return DEADLINE if self.caught and self.caught[0] in named else INTERRUPTED

    def on_signal(self, number: int, frame: FrameType | None = None) -> None:
        if self.phase == "over" or self.stopped:
            return  # a hammered Ctrl-C does not disturb the cleaning
        first = not self.caught
        self.caught.append(number)
        name = signal.Signals(number).name
        if self.phase == "save" and first:
            again = "Ctrl-C again" if number == signal.SIGINT else "a second signal"
            _say(f"{name}: saving what is trained so far; {again} stops at once")
            return
        if self.phase == "exit":
            _say(f"{name}: stopped; {self.fate or 'nothing was written'}")
            os._exit(self.code)
        _say(f"{name}: stopping at once")
        self.stopped = True
        threading.Thread(target=self._insist, daemon=True).start()
        raise Stopped

    def _insist(self) -> None:
        """End the process where unwinding hangs, in a file system that does not answer."""
        if not self.unwound.wait(UNWINDING_SECONDS):
            os._exit(self.code)

    def on_unraisable(self, report: Any) -> None:
        """A stop that came where Python can only drop exceptions, such as a destructor, comes
        again a moment later."""
        if not isinstance(report.exc_value, Stopped):
            sys.__unraisablehook__(report)
            return
        self.stopped = False
        threading.Timer(0.01, _to_main_thread, (self.caught[-1],)).start()


STATE = Stopping()  # of this process, as handlers are
BUSY: Final[set[threading.Thread]] = set()  # computing; the process ends without waiting for them


def catch() -> dict[int, Any]:
    """Handle signals from now on.

    Returns:
        What handled them before; of a second call, nothing.
    """
    before: dict[int, Any] = {}
    if threading.current_thread() is not threading.main_thread():
        return before
    for name in (*_REQUESTS, *_DEADLINES):
        number: signal.Signals | None = getattr(signal, name, None)  # Windows has few of them
        if number is None or (handler := signal.getsignal(number)) == STATE.on_signal:
            continue
        if handler != signal.SIG_IGN or name in _REQUESTS:
            before[number] = signal.signal(number, STATE.on_signal)
    sys.unraisablehook = STATE.on_unraisable
    return before


@contextmanager
def caught_meanwhile() -> Iterator[Stopping]:
    """Handle signals while this lasts, as far as they are not handled already."""
    before = catch()
    try:
        yield STATE
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if before:
            sys.unraisablehook = sys.__unraisablehook__
            STATE.unwound.set()
            STATE.caught, STATE.stopped, STATE.unwound = [], False, threading.Event()


@contextmanager
def phase(name: Phase, fate: str = "") -> Iterator[Stopping]:
    """What a signal does while this lasts; see :attr:`Stopping.fate`."""
    before = STATE.phase, STATE.fate
    STATE.phase, STATE.fate = name, fate
    try:
        yield STATE
    finally:
        if STATE.phase != "over":
            STATE.phase, STATE.fate = before


def waited(call: Callable[..., Given], *args: Any, until: list[int] | None = None) -> Given:
    """What ``call(*args)`` gives, computed in another thread.

    A thread that waits runs signal handlers, one inside compiled code or the compiler does not.

    Args:
        call: what takes long; it writes no files.
        args: of ``call``.
        until: signals; as soon as there is one, the result is not waited for any longer.

    Raises:
        Interrupted: because of ``until``.
    """
    given: list[Given] = []
    failed: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        try:
            given.append(call(*args))
        except BaseException as error:
            failed.append(error)
        finally:
            BUSY.discard(threading.current_thread())
            done.set()

    thread = threading.Thread(target=work, daemon=True)
    BUSY.add(thread)
    thread.start()
    while not done.wait(None if until is None else 0.02):
        if until:
            raise Interrupted
    if failed:
        raise failed[0]
    return given[0]


def _to_main_thread(number: int) -> None:
    """Send a signal so that it also ends a wait of the main thread."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, number)
    else:
        signal.raise_signal(number)


def _say(line: str) -> None:
    """A line on stderr, straight to the file: Python's own streams may be in use just now."""
    # A terminal may stand in the middle of a line.
    start = "\n" if _is_terminal(2) else ""
    with suppress(OSError):
        os.write(2, f"{start}{line}\n".encode())


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
