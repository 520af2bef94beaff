"""What the papers claim, held against result tables: ``python -m phasegrok.claims``.

Each claim is a sentence of a paper, a number measured from tables, and whether it held. The
section of docs/reproduction.md between the two marks is written by this command, and a test holds
it to the tables.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from phasegrok.claims import hypothesis
from phasegrok.claims.base import Claim, spread

__all__ = ["Claim", "page", "spread", "written"]

BEGIN = "<!-- written by `python -m phasegrok.claims`; do not edit -->"
END = "<!-- end of what `python -m phasegrok.claims` writes -->"


def page(root: Path) -> str:
    """The table of claims as Markdown, from the result folders under ``root``."""
    return "\n".join([BEGIN, *_table(hypothesis.claims(root)), END])


def _table(claims: Iterator[Claim]) -> Iterator[str]:
    yield "| source | claim | measured | held |"
    yield "|---|---|---|---|"
    for claim in claims:
        yield f"| {claim.source} | {claim.text} | {claim.measured} | {claim.verdict} |"


def written(document: str, root: Path) -> str:
    """``document`` with the part between the marks written anew.

    Raises:
        ValueError: the marks are not there.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("the marks of the table of claims are not in the document")
    return before + page(root) + after


def main() -> None:
    """Write the table into a document, or print it."""
    parser = argparse.ArgumentParser(prog="python -m phasegrok.claims", description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results/reference"))
    parser.add_argument("--write", type=Path, metavar="DOCUMENT", help="docs/reproduction.md")
    given = parser.parse_args()
    if given.write is None:
        print(page(given.results))
    else:
        given.write.write_text(written(given.write.read_text(), given.results))
