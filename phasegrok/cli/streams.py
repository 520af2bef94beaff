"""Standard streams that outlive their readers: a sweep does not end because nobody looks any more.

A reader may have left (``| head -1``), the disk behind ``> log`` may be full, a stream may be
closed from the start (``>&-``), and a terminal may know fewer letters than we write.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any, Final

__all__ = ["Lasting", "lasting_streams", "lost", "speak_utf8", "wants_colour", "wants_drawing"]

GONE: Final = (errno.EPIPE, errno.ECONNRESET)  # the reader has what it wanted
NO_COLOURS: Final = ("dumb", "unknown", "")  # values of TERM


class Lasting(io.RawIOBase):
    """A file descriptor whose first failed write is remembered, and ends all writing to it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.error: OSError | None = None

    def write(self, data: Any, /) -> int:
        if self.error is None:
            try:
                return os.write(self.descriptor, data)
            except OSError as error:
                self.error = error
        return len(data)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        with suppress(OSError):
            return self.error is None and os.isatty(self.descriptor)
        return False

    def fileno(self) -> int:
        return self.descriptor


def lasting_streams() -> None:
    """Make stdout and stderr last. A closed one gets /dev/null: else the next file that is opened
    took its number, and what libraries write to stderr went into a table."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    codecs.register_error("phasegrok", _nearest)
    sys.stdout, sys.stderr = _text(1, sys.stdout), _text(2, sys.stderr)


def lost() -> str | None:
    """Why the last of the output could not be written, if that is a loss to anybody."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    with suppress(ValueError, OSError):
        sys.stdout.flush()
    if not isinstance(raw, Lasting) or raw.error is None or raw.error.errno in GONE:
        return None
    return raw.error.strerror or str(raw.error)


def speak_utf8() -> None:
    """Where the locale knows ASCII or Latin letters only, start again in Python's UTF-8 mode.

    Python takes bytes of names apart by the locale, pyarrow puts them together as UTF-8: a folder
    with a Greek name would not be found.
    """
    if os.name != "posix" or sys.flags.utf8_mode or sys.getfilesystemencoding() == "utf-8":
        return
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def wants_drawing() -> bool:
    """Whether stdout is a terminal on which a line can be drawn again and again."""
    return sys.stdout.isatty() and os.environ.get("TERM", "unset") not in NO_COLOURS


def wants_colour() -> bool:
    """Whether stdout is a terminal that shows colours, and whose user wants them (no-color.org)."""
    return wants_drawing() and not os.environ.get("NO_COLOR")


def _text(descriptor: int, before: Any) -> io.TextIOWrapper:
    raw = Lasting(descriptor)
    encoding = getattr(before, "encoding", None) or "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=encoding,
        errors="phasegrok",
        line_buffering=raw.isatty() or descriptor == 2,
    )


def _nearest(error: UnicodeError) -> tuple[str | bytes, int]:
    """Bytes of a name that are no text go out as they came in; other letters as a question mark."""
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    return b"".join(
        bytes([ord(c) - 0xDC00]) if "\udc80" <= c <= "\udcff" else b"?" for c in text
    ), error.end
