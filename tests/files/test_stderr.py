"""Lines of native code that are no news stay off the terminal; all others come out."""

from __future__ import annotations

import os
import threading

import pytest

from phasegrok.files.stderr import without_lines


def test_only_lines_with_the_words_are_gone(capfd: pytest.CaptureFixture[str]) -> None:
    """Written straight to the descriptor, from this thread and another, and two at a time."""

    def other() -> None:
        with without_lines("noise"):
            os.write(2, b"E1126 noise.cc:1] b\nheard too\n")

    thread = threading.Thread(target=other)
    with without_lines("noise"):
        thread.start()
        os.write(2, b"E1126 noise.cc:1] a\nheard\n")
    thread.join()
    os.write(2, b"noise after\n")
    assert sorted(capfd.readouterr().err.splitlines()) == ["heard", "heard too", "noise after"]


def test_errors_pass_and_stderr_is_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), without_lines("noise"):
        os.write(2, b"noise\nlast words")
        _ = 1 // 0
    os.write(2, b"; back\n")
    assert capfd.readouterr().err == "last words; back\n"
