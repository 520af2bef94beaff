"""What phasegrok tells a user instead of a traceback, and how such a line is put together."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
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


class Refusals(Refusal):
    """Several mistakes in one input, a line each: all of them can be mended before the next try."""

    MOST: Final = 10  # of more the last line says how many there are

    def __init__(self, found: Sequence[Refusal]) -> None:
        lines = [str(each) for each in found[: self.MOST]]
        if more := len(found) - len(lines):
            lines.append(f"and {more} more mistakes; allowed: none")
        Exception.__init__(self, "\n".join(lines))


class Mistakes:
    """Collects refusals, so that one try tells all that is wrong.

    ``with mistakes:`` around every independent check keeps its refusal and goes on.
    """

    def __init__(self) -> None:
        self._found: list[Refusal] = []

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Refusal):
            return False
        self._found.append(error)
        return True

    def refuse(self) -> None:
        """Raise what was collected, if anything was."""
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            raise Refusals(sorted(self._found, key=_place))


def _place(refusal: Refusal) -> tuple[int, int]:
    """Line and column that a refusal names; those that name none come last."""
    found = re.match(r".*?:(\d+):(\d+): ", str(refusal))
    return (int(found[1]), int(found[2])) if found else (sys.maxsize, 0)


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


def no_results(where: object) -> Refusal:
    """A folder that should be one of results, and is none."""
    return Refusal(
        f"{where}: no results here; allowed: a folder that a sweep wrote (phasegrok sweep"
        " quickstart writes results/quickstart)"
    )


def no_runs(where: object) -> Refusal:
    """A result folder without a finished run."""
    return Refusal(
        f"{where}: no finished runs yet; run the sweep first (phasegrok status {where} says how far"
        " it is, the command that began it goes on)"
    )


class Locked(Exception):
    """The result folder belongs to another running process. The command exits with code 3."""


class Displaced(Locked):
    """A piece of work belongs to another process now. What is published is kept."""


class Gone(Exception):
    """A service that the sweep was run by does not answer any more. The command exits with code 75:
    the same command goes on."""

    def __init__(self, line: str) -> None:
        super().__init__(escaped(line))


def counted(number: int, word: str) -> str:
    """A number and its word, which has an ``s`` unless the number is 1."""
    return f"{number} {word}{'' if number == 1 else 's'}"


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
