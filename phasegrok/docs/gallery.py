"""docs/gallery.md: every figure that a shipped sweep reproduces, from the headers of sweeps/."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from phasegrok.sweep.headers import OTHERS, Header, by_paper, header
from phasegrok.sweep.sizes import Size, about, read_sizes

__all__ = ["anchor", "page"]

HEAD = """\
# Gallery

Written by `python -m phasegrok.docs` from the headers of `sweeps/` and from
[reproduction](reproduction.md); do not edit.

Every sweep that comes with phasegrok, by the figure that it reproduces: its command, what one
should see, and how many of the paper's claims hold in its tables. Pictures are of the runs in
`results/reference`, many of them at a reduced size ([which](reproduction.md#commands)). Times
are counted from shapes, for two cores of an Intel Xeon; `--plan` says how long a sweep takes here.
"""
WORDS: Final = {
    "yes": "hold",
    "in part": "hold in part",
    "no": "do not hold",
    "not run yet": "not run yet",
}
COMMANDS: Final = "## Commands"


def page(sweeps: Path, reproduction: str) -> str:
    """The page.

    Args:
        sweeps: the folder of sweep files.
        reproduction: text of docs/reproduction.md, which shows pictures and verdicts.
    """
    headers, sizes = [header(path) for path in sorted(sweeps.glob("*.yaml"))], read_sizes(sweeps)
    lines = [HEAD]
    papers = by_paper(headers)
    others = papers.pop(OTHERS)
    assert not others, f"the header of {others[0].name} names none of the papers"
    for title, own in papers.items():
        lines.append(f"## {title}\n")
        for each in own:
            lines += _section(each, sizes[each.name], reproduction)
    return "\n".join(lines).rstrip() + "\n"


def _section(entry: Header, size: Size, reproduction: str) -> Iterator[str]:
    picture = re.search(
        rf"\]\((\.\./results/reference/{re.escape(entry.name)}/figures/[\w.]+)\)", reproduction
    )
    yield f"### {entry.place}: `{entry.name}`\n" if entry.place else f"### `{entry.name}`\n"
    yield f"{_escaped(entry.what)}{' ' if entry.more else ''}{_escaped(entry.more)}\n"
    if picture:
        yield f"![{entry.name}]({picture[1]})\n"
    yield f"```sh\nphasegrok sweep {entry.name}\n```\n"
    for word, text in entry.options:
        yield f"- `{word}`: {_escaped(text)}"
    yield f"- Size: {_size(size)}"
    yield f"- What one should see: {_escaped(entry.see)}"
    yield f"- {_verdicts(entry.name, reproduction)}\n"


def _size(size: Size) -> str:
    text = f"{size.runs} runs, {about(size.seconds)} on two CPU cores"
    if size.reduced_runs:
        text += f"; `--reduced`: {size.reduced_runs} runs, {about(size.reduced_seconds)}"
    return f"{text}."


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
