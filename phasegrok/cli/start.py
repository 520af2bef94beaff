"""The command as a process: what is in place before anything slow is imported, and how it ends."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from phasegrok.cli.streams import lasting_streams, lost, speak_utf8
from phasegrok.stopping import BUSY, STATE, catch

__all__ = ["begin", "end", "main"]

IO_FAILED = 74  # EX_IOERR


def begin() -> None:
    """Signals are heard, streams last, names are UTF-8. A second call changes nothing."""
    if STATE.phase == "exit" and catch():
        speak_utf8()
        lasting_streams()


def end(code: int, trained: bool) -> NoReturn:
    """Leave with an exit code. From here on no signal changes it.

    Args:
        code: of the command.
        trained: whether what it printed is beside the point.
    """
    STATE.phase = "over"
    STATE.unwound.set()
    if code == 0 and (why := lost()) and not trained:
        print(f"error: standard output: {why}", file=sys.stderr)
        code = IO_FAILED
    if BUSY:  # a compiler cannot be stopped; leaving by Python's way would wait for it
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def main() -> None:
    """``phasegrok ...``."""
    begin()
    from phasegrok.cli.main import app

    app()
