"""What the papers claim, held against result tables: ``python -m phasegrok.reproduction``.

Each claim is a sentence of a paper, a number measured from tables, and whether it held. The
tables in docs/reproduction.md, each between two marks, are written by this command, and a test
holds them to the results.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from phasegrok.reproduction import efficiency, hypothesis, parity, variants
from phasegrok.reproduction.base import Claim

__all__ = ["Claim", "begin", "end", "table", "written"]

SECTIONS: Final[dict[str, Callable[[Path], Iterator[Claim]]]] = {
    "hypothesis": hypothesis.claims,
    "variants": variants.claims,
    "parity": parity.claims,
    "efficiency": efficiency.claims,
}


def begin(section: str) -> str:
    return f"<!-- {section}: written by `python -m phasegrok.reproduction`; do not edit -->"


def end(section: str) -> str:
    return f"<!-- end of {section} -->"


def table(section: str, root: Path) -> str:
    """The claims of a section as Markdown, from the result folders under ``root``."""
    lines = ["| source | claim | measured | held |", "|---|---|---|---|"]
    lines += [
        f"| {claim.source} | {claim.text} | {claim.measured} | {claim.verdict} |"
        for claim in SECTIONS[section](root)
    ]
    return "\n".join(lines)


def written(document: str, root: Path) -> str:
    """``document`` with what stands between the marks written anew.

    Raises:
        ValueError: a section's marks are not there.
    """
    for section in SECTIONS:
        before, first, rest = document.partition(begin(section))
        _, last, after = rest.partition(end(section))
        if not (first and last):
            raise ValueError(f"the marks of {section} are not in the document")
        document = f"{before}{first}\n{table(section, root)}\n{last}{after}"
    return document


def main() -> None:
    """Write the tables into a document, or print them."""
    parser = argparse.ArgumentParser(prog="python -m phasegrok.reproduction", description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results/reference"))
    parser.add_argument("--write", type=Path, metavar="DOCUMENT", help="docs/reproduction.md")
    given = parser.parse_args()
    if given.write is None:
        print("\n\n".join(table(section, given.results) for section in SECTIONS))
    else:
        given.write.write_text(written(given.write.read_text(), given.results))
