"""What the header of a sweep file says: its figure and paper, and what one should see."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["OTHERS", "PAPERS", "Header", "beginning", "by_paper", "header"]

# The documents whose figures the sweeps reproduce, and the words by which a header names them.
PAPERS: Final = {
    "Doshi et al., To grok or not to grok": "Doshi et al.",
    "Fuangkawinsombut, Beyond Memorization (sparse parity)": "Fuangkawinsombut",
    "Towards Understanding the Mystery behind Grokking (model and training efficiency)": (
        "Model and Training Efficiency"
    ),
}
OTHERS: Final = "Others"
PLACE: Final = re.compile(
    r"(?:A small copy of )?((?:Figures?|Appendix|Sections?|Chapter|Table) [^\"]*?) (?:of|at) "
)


class Header(NamedTuple):
    """What the header of a sweep file says.

    Attributes:
        name: of the sweep.
        what: the first paragraph: the figure, and what is swept.
        more: paragraphs between the commands and what one should see.
        options: what ``--reduced`` and the like do, with the words of each.
        see: what one should see.
        reduced: whether the file has smaller settings of its own, for ``--reduced``.
    """

    name: str
    what: str
    more: str
    options: tuple[tuple[str, str], ...]
    see: str
    reduced: bool

    @property
    def place(self) -> str:
        """The figure or section of the paper; empty where the header begins with none."""
        found = PLACE.match(self.what)
        return found[1].split(" (")[0] if found else ""

    def order(self) -> tuple[bool, list[tuple[int, str]], str]:
        """Figures by number and letter, then the rest by name."""
        numbers = re.findall(r"(\d+)([a-z]?)", self.place) if "Figure" in self.place else []
        return not numbers, [(int(number), letter) for number, letter in numbers], self.name


def beginning(text: str) -> str:
    """The comment that a sweep file begins with, as it stands."""
    return "".join(takewhile(lambda line: line.startswith("#"), text.splitlines(keepends=True)))


def header(path: Path) -> Header:
    """What a sweep file says of itself."""
    whole = path.read_text(encoding="utf-8")
    lines = [line[1:] for line in beginning(whole).splitlines()]
    found = re.findall(r"^ +(--.*?) {2,}(.*(?:\n {10,}.*)*)", "\n".join(lines), re.M)
    options = tuple((option, _flat(words)) for option, words in found)
    text = "\n".join("" if line.startswith("   ") else line.strip() for line in lines)
    head, _, see = text.partition("What one should see:")
    first, *middle = [each for each in map(_flat, head.split("\n\n")) if each] or [""]
    reduced = bool(re.search(r"^reduced:", whole, re.M))
    return Header(path.stem, first, " ".join(middle), options, _flat(see), reduced)


def by_paper(headers: list[Header]) -> dict[str, list[Header]]:
    """Those of every paper, in the order of its figures; under ``OTHERS`` those that name none."""
    left, found = headers, {}
    for title, word in PAPERS.items():
        found[title] = sorted((each for each in left if word in each.what), key=Header.order)
        left = [each for each in left if word not in each.what]
    return found | {OTHERS: left}


def _flat(text: str) -> str:
    return " ".join(text.split())
