"""``phasegrok list``, ``keys`` and ``help``: what there is, and what it means."""

from __future__ import annotations

import math
import re
import shutil
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from phasegrok.cli.exits import exit_codes
from phasegrok.errors import Refusal, counted, short

if TYPE_CHECKING:
    from phasegrok.sweep.reference import Part
    from phasegrok.sweep.shipped import Shipped

__all__ = ["help_", "keys", "keys_text", "list_", "shipped_text", "sweep_text"]

FIRST = "quickstart"


def list_(
    words: Annotated[
        str,
        typer.Argument(
            metavar="[WORD]", help="The name of one, to read about it; or a word that some have."
        ),
    ] = "",
) -> None:
    """Show the sweeps that come with phasegrok: figure, number of runs, time."""
    with exit_codes():
        from phasegrok.sweep.shipped import shipped

        every = shipped()
        found = [each for each in every if each.name == words]
        found = found or [each for each in every if words.lower() in _words_of(each)]
        if not found:
            raise Refusal(
                f"{short(words)}: found no sweep with this word in its name or first sentence;"
                " allowed: no word, which lists all"
            )
        typer.echo(sweep_text(found[0]) if len(found) == 1 else shipped_text(found))


def _words_of(each: Shipped) -> str:
    """What a word is looked for in: titles of papers apart, which many have."""
    return re.sub('"[^"]*"', "", f"{each.name} {each.header.what}").lower()


def keys(
    word: Annotated[
        str, typer.Argument(metavar="[WORD]", help="A key, a block, or a part of their names.")
    ] = "",
) -> None:
    """Show what a sweep file may hold: every key, what it allows, its default, what it means."""
    with exit_codes():
        from phasegrok.sweep import hints
        from phasegrok.sweep.reference import parts

        every = list(parts())
        found = list(_with(every, hints.SHORT_NAMES.get(word.lower(), word)))
        if not found:
            blocks = ", ".join(dict.fromkeys(part.block for part in every))
            raise Refusal(f"{short(word)}: found no key with this in its name; blocks: {blocks}")
        typer.echo(keys_text(found))


def help_(
    context: typer.Context,
    command: Annotated[str, typer.Argument(metavar="[COMMAND]", help="To read about.")] = "",
) -> None:
    """Show what a command does, as --help after it."""
    top = context.parent
    assert top is not None
    with exit_codes():
        if not command:
            typer.echo(top.get_help())
            return
        known = top.command.commands  # type: ignore[attr-defined]
        if command not in known:
            raise Refusal(f"{short(command)}: found no such command; allowed: {', '.join(known)}")
        with type(top)(known[command], info_name=command, parent=top) as inner:
            typer.echo(inner.get_help())


def shipped_text(found: list[Shipped]) -> str:
    """A line for each, under its paper."""
    from phasegrok.machine import cores
    from phasegrok.sweep.headers import by_paper

    scale = _scale()
    by_name = {each.name: each for each in found}
    names = max(len(name) for name in by_name) + 2
    lines = [
        *textwrap.wrap(
            "Times are about what these sweeps take on this machine's"
            f" {counted(cores(), 'core')}, counted from shapes; a GPU is not counted. Many have a"
            " smaller grid of their own for --reduced.",
            _width(),
        ),
        "",
        f"{'':{names + 2}}{'runs':>6}{'time':>9}{'reduced to':>13}{'time':>9}  figure",
    ]
    places = max(12, _width() - names - 41)
    if FIRST in by_name:
        lines += ["begin with", _row(by_name[FIRST], names, scale, places)]
    for paper, own in by_paper([each.header for each in found]).items():
        rows = [_row(by_name[each.name], names, scale, places) for each in own]
        if rows:
            lines += [paper, *rows]
    return "\n".join(
        [
            *lines,
            "",
            "phasegrok list NAME             what one shows, and what one should see",
            "phasegrok sweep NAME --plan     what it will train here, and how long that takes",
            "phasegrok sweep NAME            train it",
        ]
    )


def _row(each: Shipped, names: int, scale: float, places: int) -> str:
    from phasegrok.sweep.sizes import about

    size = each.size
    reduced = f"{size.reduced_runs:>13}{about(size.reduced_seconds * scale):>9}"
    if not size.reduced_runs:
        reduced = " " * 22
    place = each.header.place.replace("Figures ", "").replace("Figure ", "")
    place = textwrap.shorten(place, places, placeholder=" ...")
    time = about(size.seconds * scale)
    return f"  {each.name:{names}}{size.runs:>6}{time:>9}{reduced}  {place}".rstrip()


def sweep_text(each: Shipped) -> str:
    """Everything that a sweep's header says, and its size."""
    from phasegrok.sweep.sizes import about

    header, size, scale = each.header, each.size, _scale()
    runs = counted(size.runs, "run")
    if math.isfinite(size.seconds):
        runs += f", about {about(size.seconds * scale)} here"
    lines = [f"{each.name}: {header.what}", header.more, runs]
    if size.reduced_runs:
        time = about(size.reduced_seconds * scale)
        lines[-1] += f"; with --reduced {counted(size.reduced_runs, 'run')}, about {time}"
    lines += [f"{option}: {words}" for option, words in header.options]
    if header.see:
        lines.append(f"What one should see: {header.see}")
    text = [textwrap.fill(line, _width()) for line in lines if line]
    last = f"phasegrok sweep {each.name} --plan\nphasegrok new mine --from {each.name}"
    return "\n\n".join([*text, f"file  {each.path}", last])


def _scale() -> float:
    """How much longer than on two cores of the reference a sweep takes here."""
    from phasegrok.machine import REFERENCE_CORE, core_speed, cores

    return 2 / cores() * REFERENCE_CORE.products / core_speed().products


def _with(every: list[Part], word: str) -> Iterator[Part]:
    """The parts, with those of their keys, that have a word in their name; exact ones alone where
    there are any."""
    exact = word in {f"{p.block}.{k.name}" for p in every for k in p.keys} | {
        p.block for p in every
    }
    for part in every:
        if part.block == word or (not exact and word in (part.block, part.kind)):
            yield part
            continue
        paths = {f"{part.block}.{key.name}".rstrip("."): key for key in part.keys}
        kept = tuple(
            key for path, key in paths.items() if (path == word if exact else word in path)
        )
        if kept:
            yield part._replace(keys=kept, meaning="")


def keys_text(found: list[Part]) -> str:
    """A paragraph for each key."""
    lines = []
    for part in found:
        title = part.block + (f", kind {part.kind}" if part.kind else "")
        lines += ["", title, *_indented(part.meaning, 2)] if part.keys[0].name else [""]
        for key in part.keys:
            path = f"{part.block}.{key.name}".rstrip(".")
            default = f"; default {key.default}" if key.default else ""
            mark = "; traced" if key.traced else ""
            lines.append(f"  {path}: {key.allowed}{default}{mark}")
            lines += _indented(key.meaning, 6)
    ends = "traced: cells that differ in it train in one compiled program"
    return "\n".join([*lines[1:], "", ends])


def _indented(text: str, by: int) -> list[str]:
    return textwrap.wrap(text, _width(), initial_indent=" " * by, subsequent_indent=" " * by)


def _width() -> int:
    return min(shutil.get_terminal_size((100, 40)).columns, 110)
