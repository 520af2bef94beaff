"""A session: what the manifest says of it, and how it is asked to stop."""

from __future__ import annotations

import signal

import numpy as np
import pytest

from phasegrok.run.session import Session, interruptible


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
        "chunks",
        "compile_seconds",
        "device_seconds",
        "seconds",
        "ended",
    ]


def test_the_second_signal_is_immediate() -> None:
    """The first is collected for the loop to find; afterwards the old handlers are back."""
    before = signal.getsignal(signal.SIGTERM)
    caught: list[int] = []
    with interruptible(caught):
        signal.raise_signal(signal.SIGTERM)
        assert caught == [signal.SIGTERM]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) == before
