"""What native code writes to standard error, without lines that are no news to anybody."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["without_lines"]

_ONE: threading.Lock = threading.Lock()  # there is one descriptor 2


@contextmanager
def without_lines(words: str) -> Iterator[None]:
    """Keep lines with some words off standard error while this lasts, which should be moments.

    All else that the process writes there meanwhile, from any thread, comes out at the end.
    """
    with _ONE, tempfile.TemporaryFile() as held:
        try:
            before = os.dup(2)
        except OSError:  # it is closed
            yield
            return
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(before, 2)
            held.seek(0)
            lines = held.read().splitlines(keepends=True)
            kept = b"".join(line for line in lines if words.encode() not in line)
            with suppress(OSError):
                if kept:
                    os.write(before, kept)
            os.close(before)
