"""A session: what the manifest says of it, and how it is asked to stop."""

from __future__ import annotations

import signal
import threading
import time

import numpy as np
import pytest

from phasegrok.running.session import Interrupted, Session, interruptible


def test_it_counts_the_time_in_compiled_code() -> None:
    """Records come back as NumPy; everything before them is left as it is."""
    session, state = Session(), object()
    kept, records = session.timed(lambda x: (state, {"loss": x}), 2.0)
    assert kept is state and isinstance(records["loss"], np.ndarray)
    assert session.device_seconds > 0
    said = session.to_json()
    assert list(said) == [
        "started",
        "host",
        "pid",
        "share",
        "chunk",
        "chunks",
        "runs",
        "diverged",
        "mixed",
        "compile_seconds",
        "device_seconds",
        "seconds",
        "ended",
    ]


def test_the_second_signal_is_immediate(capfd: pytest.CaptureFixture[str]) -> None:
    """The first is collected for the loop to find, and answered at once; a third does not disturb
    the cleaning. Afterwards the old handlers are back."""
    before = signal.getsignal(signal.SIGTERM)
    caught: list[int] = []
    with interruptible(caught):
        signal.raise_signal(signal.SIGTERM)
        assert caught == [signal.SIGTERM]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGUSR1)
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) == before
    lines = capfd.readouterr().err.split("\n")
    assert [line.partition(":")[0] for line in lines if line] == ["SIGTERM", "SIGUSR1"]


def test_what_was_ignored_stays_so() -> None:
    """As after ``nohup``."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    caught: list[int] = []
    try:
        with interruptible(caught):
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert not caught


def test_the_compiler_is_not_waited_for() -> None:
    """It goes on in its thread, as nothing can stop it, and the loop leaves at once; what it finds
    wrong is raised in the loop."""
    session, begun, over = Session(), threading.Event(), threading.Event()

    def compiler() -> None:
        begun.set()
        over.wait(60)

    with interruptible(session.signals):
        threading.Thread(target=lambda: begun.wait() and signal.raise_signal(15)).start()
        with pytest.raises(Interrupted):
            session.compiled(compiler)
    assert not over.is_set() and session.signals == [15]
    over.set()
    with pytest.raises(ZeroDivisionError):
        Session().compiled(lambda: 1 // 0)


def test_a_stop_that_python_drops_comes_again() -> None:
    """In a destructor an exception can only be dropped: a moment later there is another."""

    class Late:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    with interruptible(caught := [2]):
        late = [Late()]
        with pytest.raises(KeyboardInterrupt):
            late.clear()
            for _ in range(200):
                time.sleep(0.01)
    assert caught == [2, 15, 15]
