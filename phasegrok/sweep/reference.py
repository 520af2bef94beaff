"""The reference of sweep-file keys, written from the declarations in ``phasegrok/config/``.

After a change there, run ``python -m phasegrok.sweep.reference > docs/sweep-files.md``. A test
checks that the page is current.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic.fields import FieldInfo

from phasegrok.config import OTHER_BLOCKS, Experiment, Traced, kinds
from phasegrok.sweep.values import allowed_words

HEAD = """\
# Sweep files: every key

Written by `python -m phasegrok.sweep.reference` from `phasegrok/config/`; do not edit.

A sweep file is a YAML mapping. `name` (letters, digits, `_`, `-`) is required. Every block and key
below may be left out. *Traced* keys are numbers in which the cells of one compiled program may
differ, so sweeping one adds runs. *Static* keys fix shapes or code, so sweeping one adds programs.

- `axes: {PATH: [values], PATH: {start: A, stop: B, num: N}}`: dotted keys from the tables below.
  The axes are crossed in this order. Ranges are rounded to 12 digits. With `scale: log` their
  logarithms are evenly spaced. A list may hold ranges beside values, such as
  `[0, {start: 0.001, stop: 10, num: 21, scale: log}]`.
- `zip: [PATH, PATH]`, or a list of such lists: axes that move together instead of being crossed.
  They have equally many values.
- `variants: {NAME: {PATH: value, ...}, ...}`: named sets of settings, crossed with axes and seeds;
  column `variant`. Each variant is the rest of the file with its own settings instead, and `{}` is
  the rest of the file as it is. A variant that chooses another `kind` drops the keys that only the
  old kind has. Keys that are not set take the defaults of the new kind. A path may be an axis or in
  variants, not both.
- `seeds: [0, 1, ...]` or `{start: 0, stop: 199, num: 200}`: default `[0]`.
- `reduced: {PATH: value, axes: {...}, variants: {NAME: {...}}}`: what `--reduced` changes. A path
  is changed for all variants, except for those that set it. A variant is replaced or added as a
  whole, and `null` drops it.
- Anchors, aliases, tags, duplicate keys and non-finite numbers are refused.
"""


class Key(NamedTuple):
    """A key of a block.

    Attributes:
        name: without the block.
        traced: whether one compiled program takes several values.
        allowed: what it may be, in words.
        default: as a sweep file would have it; empty where there is none.
        meaning: in words; empty where the name says it.
    """

    name: str
    traced: bool
    allowed: str
    default: str
    meaning: str


class Part(NamedTuple):
    """A block, one kind of it, or a key that is in no block (``keys`` is that key alone)."""

    block: str
    kind: str
    meaning: str
    keys: tuple[Key, ...]


def parts() -> Iterator[Part]:
    """Everything that a sweep file may hold, in the order of the reference."""
    more = {name: FieldInfo(annotation=block) for name, block in OTHER_BLOCKS.items()}
    for name, info in [*Experiment.model_fields.items(), *more.items()]:
        members = kinds(info.annotation)
        for member in members:
            kind = member.model_fields.get("kind")
            meaning = " ".join((member.__doc__ or "").split())
            keys = tuple(_key(name, *field) for field in member.model_fields.items())
            yield Part(name, str(kind.default) if kind else "", meaning, keys)
        if not members:
            default = default_text(info.default)
            yield Part(name, "", "", (Key("", False, allowed_words(name), default, ""),))


def _key(block: str, name: str, info: FieldInfo) -> Key:
    traced = any(isinstance(m, Traced) for m in info.metadata)
    given = info.default is not None and not info.is_required()
    default = default_text(info.default) if given else ""
    return Key(name, traced, allowed_words(f"{block}.{name}"), default, info.description or "")


def section(part: Part) -> Iterator[str]:
    """One block's table."""
    yield f"\n## `{part.block}`" + (f", kind `{part.kind}`" if part.kind else "") + "\n"
    yield f"{part.meaning}\n"
    yield "| key | | allowed | default | |"
    yield "|---|---|---|---|---|"
    for key in part.keys:
        default = f"`{key.default}`" if key.default else ""
        meaning = key.meaning.replace("|", r"\|")  # a bar would end the cell
        mark = "traced" if key.traced else "static"
        row = f"| `{key.name}` | {mark} | {key.allowed} | {default} | {meaning} |"
        yield row.replace("|  |", "| |")


def default_text(default: Any) -> str:
    """A default as a sweep file would have it."""
    if isinstance(default, tuple):
        return f"[{', '.join(map(str, default))}]"
    return str(default).lower() if isinstance(default, bool) else str(default)


def page() -> str:
    """The whole reference as Markdown."""
    lines = [HEAD.rstrip()]
    for part in parts():
        if part.keys[0].name:
            lines += section(part)
        else:
            [key] = part.keys
            lines.append(f"\n## `{part.block}`\n\n{key.allowed}; default `{key.default}`; static.")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
