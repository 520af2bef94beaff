"""How the commands end: one line and an exit code, never a traceback."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from phasegrok.cli.start import IO_FAILED
from phasegrok.errors import Gone, Locked, Refusal, escaped
from phasegrok.stopping import DEADLINE, STATE, Interrupted

__all__ = ["LOCKED", "REFUSED", "Doing", "exit_codes"]

REFUSED: Final = 2
LOCKED: Final = 3

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CLOSED: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
PLACED: Final = re.compile(r".*?(:\d+:\d+|--set .*): ")  # a mistake in a file or a --set
# A file that is not whole yet, as files/atomic.py names it.
HIDDEN: Final = re.compile(r"\.(.+)\.\d+-[0-9a-f]{8}\.tmp")


@dataclass
class Doing:
    """What a command is doing, for the line at its end."""

    folder: Path | None = None
    trains: bool = False
    then: str = ""  # the command to try once what is refused is mended


@contextmanager
def exit_codes(folder: Path | None = None) -> Iterator[Doing]:
    """Turn every foreseen end into one line on stderr and its exit code."""
    doing = Doing(folder)
    try:
        yield doing
    except Refusal as refusal:
        lines = str(refusal).split("\n")  # several where a file has several mistakes
        if doing.then and PLACED.match(lines[0]):
            lines[-1] += f"; then: {escaped(doing.then)}"
        raise _ended("\n".join(f"error: {line}" for line in lines), REFUSED) from None
    except Locked as locked:
        raise _ended(f"error: {locked}", LOCKED) from None
    except Gone as gone:
        raise _ended(f"error: {gone}", DEADLINE) from None
    except Interrupted:
        line = "interrupted; everything is saved, the same command resumes"
        raise _ended(line, STATE.code) from None
    except KeyboardInterrupt:
        raise _ended(_stopped(doing), STATE.code) from None
    except OSError as error:
        if STATE.stopped:
            raise _ended(_stopped(doing), STATE.code) from None
        raise _ended(_failed(error, doing), IO_FAILED) from None
    except Exception:
        if not STATE.stopped:
            raise
        # Code between the signal and here made another exception of it.
        raise _ended(_stopped(doing), STATE.code) from None


def _ended(line: str, code: int) -> typer.Exit:
    typer.echo(line, err=True)
    return typer.Exit(code)


def _stopped(doing: Doing) -> str:
    if not doing.trains:
        return "interrupted; the same command begins again"
    return "interrupted; what is published and the last checkpoint stay, the same command resumes"


def _failed(error: OSError, doing: Doing) -> str:
    """What failed, where, and how to go on."""
    where = str(error.filename) if isinstance(error.filename, str) else str(doing.folder or "")
    if hidden := HIDDEN.fullmatch(Path(where).name):
        where = str(Path(where).with_name(hidden[1]))
    elif doing.folder and error.filename is None:
        where = str(doing.folder)
    why = escaped((error.strerror or str(error) or type(error).__name__).splitlines()[0])
    line = f"error: {where}: {why}" if where else f"error: {why}"
    if not doing.trains:
        return line
    # pyarrow gives some errors without their number.
    if error.errno in FULL or "No space left" in why or "quota" in why:
        when = "once there is space"
    elif error.errno in CLOSED or "ermission denied" in why or "Read-only" in why:
        when = "once it may be written"
    else:
        when = "once that is mended"
    return f"{line}; what was published is whole, and the same command goes on {when}"
