"""The reference of sweep-file keys, written from the declarations in ``phasegrok/config/``.

After a change there, run ``python -m phasegrok.sweep.reference > docs/sweep-files.md``. A test
checks that the page is current.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo

from phasegrok.config import OTHER_BLOCKS, Block, Experiment, Traced, kinds
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


def section(path: str, title: str, block: type[Block]) -> Iterator[str]:
    """One block's table."""
    yield f"\n## {title}\n"
    yield " ".join((block.__doc__ or "").split()) + "\n"
    yield "| key | | allowed | default | |"
    yield "|---|---|---|---|---|"
    for name, info in block.model_fields.items():
        mark = "traced" if any(isinstance(m, Traced) for m in info.metadata) else "static"
        given = info.default is not None and not info.is_required()
        default = f"`{default_text(info.default)}`" if given else ""
        meaning = (info.description or "").replace("|", r"\|")  # a bar would end the cell
        allowed = allowed_words(f"{path}.{name}")
        row = f"| `{name}` | {mark} | {allowed} | {default} | {meaning} |"
        yield row.replace("|  |", "| |")


def default_text(default: Any) -> str:
    """A default as a sweep file would have it."""
    if isinstance(default, tuple):
        return f"[{', '.join(map(str, default))}]"
    return str(default).lower() if isinstance(default, bool) else str(default)


def page() -> str:
    """The whole reference as Markdown."""
    lines = [HEAD.rstrip()]
    more = {name: FieldInfo(annotation=block) for name, block in OTHER_BLOCKS.items()}
    for name, info in [*Experiment.model_fields.items(), *more.items()]:
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
