"""The reference of sweep-file keys, written from the declarations in ``phasegrok/config/``.

``python -m phasegrok.sweep.reference > docs/sweep-files.md`` after a change there; a test holds the
page to the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo

from phasegrok.config import Block, Experiment, Traced, kinds
from phasegrok.sweep.values import OTHER_BLOCKS, allowed_words

HEAD = """\
# Sweep files: every key

Written by `python -m phasegrok.sweep.reference` from `phasegrok/config/`; do not edit.

A sweep file is a YAML mapping. `name` (letters, digits, `_`, `-`) is required; every block and key
below may be left out. *Traced* keys are numbers that all cells of a compiled program may differ in:
sweeping one adds runs. *Static* keys fix shapes or code: sweeping one adds programs.

- `axes: {PATH: [values], PATH: {start: A, stop: B, num: N}}`: dotted keys from the tables below,
  crossed in order. Ranges are rounded to 12 digits.
- `variants: {NAME: {PATH: value, ...}, ...}`: named sets of settings, crossed with axes and seeds;
  column `variant`. Each is what the rest of the file says with its own settings instead, `{}` that
  itself. Choosing another `kind` drops what only the old one has; unsaid keys have the new kind's
  defaults. A path is an axis or in variants, not both.
- `seeds: [0, 1, ...]` or `{start: 0, stop: 199, num: 200}`: default `[0]`.
- `reduced: {PATH: value, axes: {...}, variants: {NAME: {...}}}`: what `--reduced` changes. Paths
  are changed for all variants, whose own values stay; a variant is replaced or added whole, `null`
  drops it.
- Anchors, aliases, tags, duplicate keys and non-finite numbers are refused.
"""


def section(path: str, title: str, block: type[Block]) -> Iterator[str]:
    """One block's table."""
    yield f"\n## {title}\n"
    yield " ".join((block.__doc__ or "").split()) + "\n"
    yield "| key | | allowed | default | |"
    yield "|---|---|---|---|---|"
    for name, info in block.model_fields.items():
        mark = "traced" if any(isinstance(m, Traced) for m in info.metadata) else "static"
        given = info.default is not None and not info.is_required()
        default = f"`{shown(info.default)}`" if given else ""
        yield (
            f"| `{name}` | {mark} | {allowed_words(f'{path}.{name}')} | {default}"
            f" | {info.description or ''} |"
        ).replace("|  |", "| |")


def shown(default: Any) -> str:
    """A default as a sweep file would say it."""
    if isinstance(default, tuple):
        return f"[{', '.join(map(str, default))}]"
    return str(default)


def page() -> str:
    """The whole reference as Markdown."""
    lines = [HEAD.rstrip()]
    others = {name: FieldInfo(annotation=block) for name, block in OTHER_BLOCKS.items()}
    for name, info in [*Experiment.model_fields.items(), *others.items()]:
        members = kinds(info.annotation)
        for member in members:
            kind = member.model_fields.get("kind")
            title = f"`{name}`" + (f", kind `{kind.default}`" if kind else "")
            lines += section(name, title, member)
        if not members:
            lines.append(
                f"\n## `{name}`\n\n{allowed_words(name)}; default `{info.default}`; static."
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
