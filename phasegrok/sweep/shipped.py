"""The sweep files that come with the package: one for every figure of the papers."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from phasegrok.errors import Refusal, short

__all__ = ["Shipped", "find", "shipped", "template"]

# In a checkout they are a folder beside the package, in an installation data beside the scripts.
HOMES = (
    Path(__file__).parents[2] / "sweeps",
    Path(sys.prefix) / "share" / "phasegrok" / "sweeps",
)
NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Shipped:
    """A sweep file that comes with the package.

    Attributes:
        path: of the file.
        what: its first sentence: the figure, and what is swept.
        time: how long it takes, as its header says.
        reduced: whether it has smaller settings of its own, for ``--reduced``.
    """

    path: Path
    what: str
    time: str
    reduced: bool

    @property
    def name(self) -> str:
        return self.path.stem


def shipped() -> list[Shipped]:
    """All of them, by name.

    Raises:
        Refusal: there are none.
    """
    home = next((each for each in HOMES if any(each.glob("*.yaml"))), None)
    if home is None:
        raise Refusal(f"{HOMES[-1]}: found no sweep files; allowed: an installation with them")
    return [_read(path) for path in sorted(home.glob("*.yaml"))]


def find(name: str) -> Path:
    """The file that a name or a path means: a file that is there, else a shipped one.

    Raises:
        Refusal: there is neither; the line says what is near.
    """
    path = Path(name)
    if path.exists() or path.suffix or len(path.parts) != 1:
        return path
    known = {each.name: each.path for each in shipped()}
    if name in known:
        return known[name]
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=3)
    meant = f" (did you mean {' or '.join(near)}?)" if near else ""
    raise Refusal(
        f"{short(name)}: no such file, and no sweep of this name{meant}; allowed: the path of a"
        " sweep file (YAML), or a name that `phasegrok list` shows"
    )


def template(name: str, base: str) -> str:
    """The text of a new sweep file: a shipped one with another name.

    Raises:
        Refusal: the name cannot be one, or there is no such sweep.
    """
    if not NAME.fullmatch(name):
        raise Refusal(f"{short(name)}: found no name of a sweep; allowed: {NAME.pattern}")
    text = find(base).read_text(encoding="utf-8")
    header = "".join(_header(text))
    body = text[len(header) :]
    if not re.search(r"^name:", body, re.M):
        raise Refusal(f"{base}: found no sweep file; allowed: a name that `phasegrok list` shows")
    body = re.sub(r"^name:.*$", f"name: {name}", body, count=1, flags=re.M)
    words = (line[1:].strip() for line in header.splitlines())
    began = "".join(f"#   {line}".rstrip() + "\n" for line in words)
    return (
        f"# {name}: begun from {Path(base).stem}.\n"
        "#\n"
        f"#   phasegrok sweep {name}.yaml --plan    what it will train, and how long that takes\n"
        f"#   phasegrok sweep {name}.yaml           train it; the same again resumes\n"
        "#\n"
        "# Every key, its range and its default: docs/sweep-files.md. Any key can be an axis.\n"
        f"#\n# What {Path(base).stem} says of itself:\n#\n{began}{body}"
    )


def _read(path: Path) -> Shipped:
    text = path.read_text(encoding="utf-8")
    lines = [line.lstrip("#").strip() for line in _header(text)]
    first = " ".join(_until(lines, ""))
    time = " ".join(_until(lines[_index(lines, "Expected time:") :], ""))
    time = re.split(r"; |, and |\. ", time.partition("Expected time:")[2].strip())[0]
    return Shipped(path, first, time.rstrip("."), bool(re.search(r"^reduced:", text, re.M)))


def _header(text: str) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        if not line.startswith("#"):
            return
        yield line


def _until(lines: list[str], end: str) -> Iterator[str]:
    for line in lines:
        if line == end:
            return
        yield line


def _index(lines: list[str], start: str) -> int:
    return next((i for i, line in enumerate(lines) if start in line), len(lines))
