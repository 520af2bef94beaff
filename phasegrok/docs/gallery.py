"""docs/gallery.md: every figure that a shipped sweep reproduces, from the headers of sweeps/."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Entry", "anchor", "entries", "page"]

HEAD = """\
# Gallery

Written by `python -m phasegrok.docs` from the headers of `sweeps/` and from
[reproduction](reproduction.md); do not edit.

Every sweep that comes with phasegrok, by the figure that it reproduces: its command, what one
should see, and how many of the paper's claims hold in its tables. Pictures are of the runs in
`results/reference`, many of them at a reduced size ([which](reproduction.md#commands)). Begin with
`--plan`: it says how long a sweep takes here.
"""
PAPERS: Final = {
    "Doshi et al., To grok or not to grok": "Doshi et al.",
    "Fuangkawinsombut, Beyond Memorization (sparse parity)": "Fuangkawinsombut",
    "Model and training efficiency": "Model and Training Efficiency",
}
PLACE: Final = re.compile(
    r"(?:A small copy of )?((?:Figures?|Appendix|Sections?|Chapter|Table) [^\"]*?) (?:of|at) "
)
WORDS: Final = {
    "yes": "hold",
    "in part": "hold in part",
    "no": "do not hold",
    "not run yet": "not run yet",
}
COMMANDS: Final = "## Commands"


class Entry(NamedTuple):
    """What the header of a sweep file says.

    Attributes:
        name: of the sweep.
        what: the first paragraph.
        more: paragraphs between the commands and the expected time.
        options: words on ``--reduced`` and the like.
        time, see: what it says of itself.
    """

    name: str
    what: str
    more: str
    options: tuple[str, ...]
    time: str
    see: str

    @property
    def place(self) -> str:
        """The figure or section of the paper; empty where the header begins with none."""
        found = PLACE.match(self.what)
        return found[1].split(" (")[0] if found else ""

    def order(self) -> tuple[bool, list[tuple[int, str]], str]:
        """Figures by number and letter, then the rest by name."""
        numbers = re.findall(r"(\d+)([a-z]?)", self.place) if "Figure" in self.place else []
        return not numbers, [(int(number), letter) for number, letter in numbers], self.name


def entries(sweeps: Path) -> list[Entry]:
    """What every sweep file says of itself."""
    return [_entry(path) for path in sorted(sweeps.glob("*.yaml"))]


def _entry(path: Path) -> Entry:
    lines = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        lines.append(line[1:])
    options = tuple(re.findall(r"^ +(--.*(?:\n {10,}.*)*)", "\n".join(lines), re.M))
    text = "\n".join("" if line.startswith("   ") else line.strip() for line in lines)
    head, _, rest = text.partition("Expected time:")
    time, _, see = rest.partition("What one should see:")
    first, *middle = [each for each in map(_flat, head.split("\n\n")) if each]
    return Entry(path.stem, first, " ".join(middle), options, _flat(time), _flat(see))


def _flat(text: str) -> str:
    return " ".join(text.split())


def page(sweeps: Path, reproduction: str) -> str:
    """The page.

    Args:
        sweeps: the folder of sweep files.
        reproduction: text of docs/reproduction.md, which shows pictures and verdicts.
    """
    left, lines = entries(sweeps), [HEAD]
    for title, word in PAPERS.items():
        own = [each for each in left if word in each.what]
        left = [each for each in left if word not in each.what]
        lines.append(f"## {title}\n")
        for each in sorted(own, key=Entry.order):
            lines += _section(each, reproduction)
    assert not left, f"the header of {left[0].name} names none of the papers"
    return "\n".join(lines).rstrip() + "\n"


def _section(entry: Entry, reproduction: str) -> Iterator[str]:
    picture = re.search(
        rf"\]\((\.\./results/reference/{re.escape(entry.name)}/figures/[\w.]+)\)", reproduction
    )
    yield f"### {entry.place}: `{entry.name}`\n" if entry.place else f"### `{entry.name}`\n"
    yield f"{_escaped(entry.what)}{' ' if entry.more else ''}{_escaped(entry.more)}\n"
    if picture:
        yield f"![{entry.name}]({picture[1]})\n"
    yield f"```sh\nphasegrok sweep {entry.name}\n```\n"
    for option in entry.options:
        word, text = re.split(r"\s{2,}", option, maxsplit=1)
        yield f"- `{word}`: {_escaped(_flat(text))}"
    yield f"- Expected time: {_escaped(entry.time)}"
    yield f"- What one should see: {_escaped(entry.see)}"
    yield f"- {_verdicts(entry.name, reproduction)}\n"


def _escaped(text: str) -> str:
    """Text as Markdown that shows it as it is; paths of sweeps as code."""
    text = re.sub(r"([*_<`\\])", r"\\\1", text)
    return re.sub(r"\b(sweeps/[\w\\-]+\.yaml)", lambda m: f"`{m[1]}`".replace("\\", ""), text)


def _verdicts(name: str, reproduction: str) -> str:
    """How many claims about a sweep's tables held, and where they are."""
    counts = dict.fromkeys(WORDS, 0)
    place, shown = "", False
    for section in re.split(r"^(?=##+ )", reproduction, flags=re.M):
        title = section.partition("\n")[0]
        if title.startswith(COMMANDS) or f"`{name}`" not in section + _commands(section):
            continue
        pictured = f"reference/{name}/figures" in section
        if not place or (pictured and not shown):
            place, shown = anchor(title), pictured
        for row in re.findall(r"^\|.*\|$", section, re.M):
            cells = [cell.strip() for cell in row.strip("|").split(" | ")]
            verdict = next(
                (v for v in sorted(WORDS, key=len, reverse=True) if re.match(rf"{v}\b", cells[-1])),
                None,
            )
            if verdict and len(cells) == 6 and f"`{name}`" in cells[4]:
                counts[verdict] += 1
    if not place:
        return "[Reproduction](reproduction.md): no claim rests on it alone."
    said = ", ".join(f"{count} {WORDS[verdict]}" for verdict, count in counts.items() if count)
    return f"[Reproduction](reproduction.md#{place}){': claims about it: ' + said if said else ''}."


def _commands(section: str) -> str:
    """The names of the sweeps whose command a section gives, each in backticks."""
    return " ".join(f"`{name}`" for name in re.findall(r"sweeps/([\w-]+)\.yaml", section))


def anchor(title: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    text = title.lstrip("#").strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
