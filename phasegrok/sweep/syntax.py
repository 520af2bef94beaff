"""What is most likely meant where a text is no YAML: a colon, a quote, a bracket, an indentation.

The parser notices a mistake where it can read no further, often a line or many after it. A person
wants to be told of the line that has to change.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from phasegrok.errors import short

__all__ = ["Mistake", "diagnose"]

KEY: Final = r"[A-Za-z_][\w.-]*"
_HAS_COLON: Final = re.compile(r":(\s|$)")
_NO_SPACE: Final = re.compile(rf"({KEY}):([^\s:].*)")
_NO_COLON: Final = re.compile(rf"({KEY})\s*=?\s+(\S.*)")
CLOSING: Final = {"{": "}", "[": "]"}


class Mistake(NamedTuple):
    """Where it is, line and column from 1, and what was found and is allowed."""

    line: int
    column: int
    what: str


def diagnose(error: Exception, text: str) -> Mistake | None:
    """The likely mistake behind an error of the YAML parser; None where nothing is recognized."""
    problem = str(getattr(error, "problem", "") or "")
    context = str(getattr(error, "context", "") or "")
    at, start = _mark(error, "problem_mark"), _mark(error, "context_mark")
    lines = text.splitlines()
    if "quoted scalar" in context and "end of stream" in problem and start:
        return _open_quote(*start)
    if r"'\t'" in problem and at:
        return Mistake(*at, "found a tab; allowed: spaces to indent")
    if "simple key" in context and start:
        return _no_colon(lines, start[0])
    if "mapping values are not allowed" in problem and at:
        return _colon_too_many(lines, *at)
    if "parsing a flow" in context and at and start:
        return _flow(lines, at, start, problem)
    if "expected <block end>" in problem and at:
        return _block(lines, *at, problem)
    return None


def _mark(error: Exception, name: str) -> tuple[int, int] | None:
    mark = getattr(error, name, None)
    return None if mark is None else (mark.line + 1, mark.column + 1)


def _open_quote(line: int, column: int) -> Mistake:
    return Mistake(line, column, "found a quote that is never closed; allowed: one more at its end")


def _no_colon(lines: list[str], line: int) -> Mistake | None:
    """A line that should be ``key: value``."""
    if not 0 < line <= len(lines):
        return None
    bare = lines[line - 1].strip()
    column = len(lines[line - 1]) - len(lines[line - 1].lstrip()) + 1
    if glued := _NO_SPACE.fullmatch(bare):
        meant = f"{glued[1]}: {glued[2]}"
        return Mistake(
            line,
            column,
            f"found no space after the colon of {short(bare)}; allowed: {short(meant)}",
        )
    if _HAS_COLON.search(bare):
        return None
    parts = _NO_COLON.fullmatch(bare)
    meant = f"{parts[1]}: {parts[2]}" if parts else f"{bare}:"
    return Mistake(line, column, f"found no colon in {short(bare)}; allowed: {short(meant)}")


def _colon_too_many(lines: list[str], line: int, column: int) -> Mistake | None:
    """A colon that no key can have: the line above lacks one, or has a value already."""
    above = next((n for n in range(line - 1, 0, -1) if _content(lines[n - 1])), 0)
    here = lines[line - 1] if line <= len(lines) else ""
    if _HAS_COLON.search(here[: column - 1]):
        what = "found a second colon in one line; allowed: one key: value, or quotes around a text"
        return Mistake(line, column, what)
    if above and not _HAS_COLON.search(lines[above - 1]):
        return _no_colon(lines, above)
    if above and _indent(here) > _indent(lines[above - 1]):
        what = "found a key indented under one that has a value; allowed: keys of a block in line"
        return Mistake(line, _indent(here) + 1, what)
    return None


def _flow(
    lines: list[str], at: tuple[int, int], start: tuple[int, int], problem: str
) -> Mistake | None:
    """A bracket that is not closed, or not by its own, or a comma that is missing."""
    opening = lines[start[0] - 1][start[1] - 1 : start[1]] if start[0] <= len(lines) else ""
    closing = CLOSING.get(opening)
    if closing is None:
        return None
    found = problem.rpartition("got ")[2].strip("'")
    if found in CLOSING.values():
        return Mistake(*at, f"found {found}; allowed: {closing}, which closes the {opening} before")
    if at[0] > start[0]:
        what = f"found {opening} that is never closed; allowed: {closing} at its end"
        return Mistake(*start, what)
    return Mistake(*at, "found no comma before this; allowed: commas between entries")


def _block(lines: list[str], line: int, column: int, problem: str) -> Mistake | None:
    """A block that goes on where none can: after a quote, a bracket, or an indentation."""
    found = problem.rpartition("found ")[2].strip("'")
    if found in CLOSING.values():
        return Mistake(line, column, f"found {found} that nothing opens; allowed: none here")
    for number, text in enumerate(lines[:line], start=1):
        for quote in "\"'":
            opened = re.search(rf"(?:^|[\s:,\[{{]){quote}", text)
            if opened and text.count(quote) % 2:
                return _open_quote(number, opened.end())
    if "mapping" in found or "sequence" in found:
        what = "found another indentation than of the keys above; allowed: keys of a block in line"
        return Mistake(line, column, what)
    return None


def _content(line: str) -> bool:
    bare = line.strip()
    return bool(bare) and not bare.startswith("#")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
