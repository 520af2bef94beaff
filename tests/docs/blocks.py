"""The pages, and the blocks of code in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
# A command in the text, or in a table; one with a word in capitals is a pattern.
INLINE: Final = re.compile(r"`((?:phasegrok|python -m phasegrok\.sweep) [^`]+)`", re.S)
PATTERN: Final = re.compile(r"\b[A-Z]{1,}\b|\.\.\.")


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of a language in a page."""
    return [code for found, code in FENCED.findall(page.read_text()) if found == language]


def commands(page: Path) -> Iterator[list[str]]:
    """Every command line of a page, as a shell splits it, without the comment behind it."""
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            if words := shlex.split(line, comments=True):
                yield words


def inline_commands(page: Path) -> Iterator[list[str]]:
    """Every command in the text of a page that could be typed as it is."""
    for text in INLINE.findall(FENCED.sub("", page.read_text())):
        if not PATTERN.search(text) and not text.startswith("phasegrok.") and "--help" not in text:
            yield shlex.split(text)
