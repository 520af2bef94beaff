"""The sweep files that come with the package: one for every figure of the papers."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from typing import NamedTuple

from phasegrok.errors import Refusal, short
from phasegrok.sweep.headers import Header, beginning, header
from phasegrok.sweep.sizes import Size, read_sizes

__all__ = ["Shipped", "find", "shipped", "template"]

# In a checkout they are a folder beside the package, in an installation data beside the scripts.
HOMES = (
    Path(__file__).parents[2] / "sweeps",
    Path(sys.prefix) / "share" / "phasegrok" / "sweeps",
)
NAME = re.compile(r"[A-Za-z0-9_-]+")


class Shipped(NamedTuple):
    """A sweep file that comes with the package: where it is, what it says, how large it is."""

    path: Path
    header: Header
    size: Size

    @property
    def name(self) -> str:
        """What ``phasegrok sweep`` finds it by."""
        return self.path.stem


def shipped() -> list[Shipped]:
    """All of them, by name.

    Raises:
        Refusal: there are none.
    """
    home = _home()
    sizes = read_sizes(home)
    return [
        Shipped(path, header(path), sizes.get(path.stem) or _size(path))
        for path in sorted(home.glob("*.yaml"))
    ]


def _size(path: Path) -> Size:
    """Of a file that somebody put beside the others: its runs, which are 0 where it is no sweep."""
    from phasegrok.sweep.load import load

    try:
        return Size(math.prod(load(path).factors), math.inf)
    except Refusal:
        return Size(0, math.inf)


def _home() -> Path:
    home = next((each for each in HOMES if any(each.glob("*.yaml"))), None)
    if home is None:
        raise Refusal(f"{HOMES[-1]}: found no sweep files; allowed: an installation with them")
    return home


def find(name: str) -> Path:
    """The file that a name or a path means: a file that is there, else a shipped one.

    Raises:
        Refusal: there is neither; the line says what is near.
    """
    path = Path(name)
    if path.exists() or path.suffix or len(path.parts) != 1:
        return path
    known = {each.stem: each for each in _home().glob("*.yaml")}
    if name in known:
        return known[name]
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(known), n=3)
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
    said = beginning(text)
    body = text[len(said) :]
    if not re.search(r"^name:", body, re.M):
        raise Refusal(f"{base}: found no sweep file; allowed: a name that `phasegrok list` shows")
    body = re.sub(r"^name:.*$", f"name: {name}", body, count=1, flags=re.M)
    words = (line[1:].strip() for line in said.splitlines())
    began = "".join(f"#   {line}".rstrip() + "\n" for line in words)
    return (
        f"# {name}: begun from {Path(base).stem}.\n"
        "#\n"
        f"#   phasegrok sweep {name}.yaml --plan    what it will train, and how long that takes\n"
        f"#   phasegrok sweep {name}.yaml           train it; the same again resumes\n"
        "#   phasegrok keys                            every key, what it allows, its default\n"
        "#\n# Any key can be an axis. phasegrok keys WORD shows some.\n"
        f"#\n# What {Path(base).stem} says of itself:\n#\n{began}{body}"
    )
