"""What phasegrok tells a user instead of a traceback, and how such a line is put together."""

from __future__ import annotations

from pathlib import Path
from typing import Final

MAX_QUOTED: Final = 60  # characters of a text that a message quotes


class Refusal(Exception):
    """Input that cannot be used. One line says where, what was found, and what is allowed.

    The command prints it and exits with code 2. Nothing has been written by then. Whatever a file
    or an argument holds, the line is printable.
    """

    def __init__(self, line: str) -> None:
        super().__init__(escaped(line))


class Damaged(Refusal):
    """A file of a result folder that does not hold what was written to it.

    A command that only reads is refused by it. A sweep sets the file aside, and trains again what
    it held.
    """

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(
            f"{path}: damaged: {escaped(reason)}; the other files are safe; allowed: the file as it"
            " was written, or the sweep's own command again, which sets this file aside and trains"
            " anew what it held"
        )


class Locked(Exception):
    """The result folder belongs to another running process. The command exits with code 3."""


def escaped(text: str) -> str:
    """Text in which every character that is not printable is a backslash escape."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )


def short(text: str) -> str:
    """Escaped text, cut to about 60 characters."""
    line = escaped(text[: MAX_QUOTED + 1])
    return line if len(line) <= MAX_QUOTED else line[: MAX_QUOTED - 3] + "..."


def refusal(where: str, key: str, what: str) -> Refusal:
    """The one line: where, which key, and what was found and is allowed."""
    return Refusal(": ".join(part for part in (where, short(key), escaped(what)) if part))
