"""What the papers claim, held against result tables: ``python -m phasegrok.reproduction``.

Each claim is a sentence of a paper, a number measured from tables, and whether it held. The
tables in docs/reproduction.md, each between two marks, are written by this command, and a test
holds them to the results.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from phasegrok.reproduction import (
    diagrams,
    efficiency,
    folders,
    hypothesis,
    parity,
    refinement,
    variants,
)
from phasegrok.reproduction.base import NOT_RUN, Claim, word

__all__ = ["SECTIONS", "Claim", "begin", "counts", "end", "every_claim", "table", "written"]

SECTIONS: Final[dict[str, Callable[[Path], Iterator[Claim]]]] = {
    "hypothesis": hypothesis.claims,
    "diagrams": diagrams.claims,
    "refinement": refinement.claims,
    "variants": variants.claims,
    "parity": parity.claims,
    "efficiency": efficiency.claims,
}


PARTS: Final = ("counts", *SECTIONS, "folders")
TITLES: Final = {
    "hypothesis": "Hypothesis 2.1",
    "diagrams": "Phase diagrams",
    "refinement": "Refinement (ours)",
    "variants": "Regularizers, losses, activations and architectures",
    "parity": "Sparse parity",
    "efficiency": "Model and training efficiency",
}


def begin(section: str) -> str:
    return f"<!-- {section}: written by `python -m phasegrok.reproduction`; do not edit -->"


def end(section: str) -> str:
    return f"<!-- end of {section} -->"


def table(claims: Iterable[Claim]) -> str:
    """Claims as a Markdown table, with the reason of every verdict that is not yes below it."""
    claims = list(claims)
    lines = [
        "| source | claim | measured | holds if | tables | held |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {claim.source} | {claim.text} | {claim.measured} | {claim.holds_if} | {claim.tables} |"
        f" {claim.cell} |"
        for claim in claims
    ]
    reasons = [
        f"- *{claim.source}, {claim.text}* ({claim.verdict}): {claim.why}"
        for claim in claims
        if claim.why
    ]
    return "\n".join([*lines, "", *reasons] if reasons else lines)


def counts(sections: Mapping[str, list[Claim]]) -> str:
    """How many claims have which verdict, by section, as a Markdown table."""
    verdicts = [word(True), word(None), word(False), NOT_RUN]
    lines = ["| | claims | " + " | ".join(verdicts) + " |", "|---|" + "---|" * (len(verdicts) + 1)]
    everything = [claim for claims in sections.values() for claim in claims]
    for title, claims in [*sections.items(), ("all", everything)]:
        numbers = [sum(claim.verdict == verdict for claim in claims) for verdict in verdicts]
        cells = " | ".join(map(str, [len(claims), *numbers]))
        lines.append(f"| {TITLES.get(title, title)} | {cells} |")
    return "\n".join(lines)


def every_claim(root: Path) -> dict[str, list[Claim]]:
    """The claims of every section, from the result folders under ``root``."""
    return {section: list(claims(root)) for section, claims in SECTIONS.items()}


def parts(root: Path, sections: Mapping[str, list[Claim]]) -> dict[str, str]:
    """What stands between each pair of marks, of claims about the folders under ``root``."""
    tables = {section: table(claims) for section, claims in sections.items()}
    used = folders.named([claim for claims in sections.values() for claim in claims])
    return {"counts": counts(sections), **tables, "folders": folders.table(root, used)}


def written(document: str, root: Path, sections: Mapping[str, list[Claim]] | None = None) -> str:
    """``document`` with what stands between the marks written anew.

    Args:
        document: with marks.
        root: of the result folders.
        sections: from :func:`every_claim`; by default found here.

    Raises:
        ValueError: a part's marks are not there.
    """
    for name in PARTS:
        if begin(name) not in document.partition(end(name))[0]:
            raise ValueError(f"the marks of {name} are not in the document")
    for name, text in parts(root, sections or every_claim(root)).items():
        before, first, rest = document.partition(begin(name))
        _, last, after = rest.partition(end(name))
        document = f"{before}{first}\n{text}\n{last}{after}"
    return document


def main() -> None:
    """Write the tables into a document, or print them."""
    parser = argparse.ArgumentParser(prog="python -m phasegrok.reproduction", description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results/reference"))
    parser.add_argument("--write", type=Path, metavar="DOCUMENT", help="docs/reproduction.md")
    given = parser.parse_args()
    if given.write is None:
        print("\n\n".join(parts(given.results, every_claim(given.results)).values()))
    else:
        given.write.write_text(written(given.write.read_text(), given.results))
