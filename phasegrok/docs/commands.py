"""docs/commands.md: every command with its arguments and options, from the command itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from phasegrok.cli.main import app

__all__ = ["commands", "page"]

HEAD = """\
# Commands

Written by `python -m phasegrok.docs` from the command itself; do not edit. What commands promise
(exit codes, signals, what a plan estimates) is in [contracts](contracts.md#commands).

`phasegrok COMMAND --help` shows the same in the terminal. `python -m phasegrok.sweep FILE ...` is
`phasegrok sweep FILE ...`.
"""


def commands() -> dict[str, Any]:
    """Every command by name, in the order of ``phasegrok --help``."""
    group: Any = typer.main.get_command(app)
    return {name: each for name, each in group.commands.items() if not each.hidden}


def page(makefile: str) -> str:
    """The page.

    Args:
        makefile: text of the Makefile, whose targets it lists too.
    """
    lines = [HEAD, *_overview(), *(line for each in commands().items() for line in _command(*each))]
    return "\n".join([*lines, *_targets(makefile)]).rstrip() + "\n"


def _overview() -> Iterator[str]:
    yield "| command | |\n|---|---|"
    for name, command in commands().items():
        yield f"| [`phasegrok {name}`](#phasegrok-{name}) | {_first(command.help)} |"
    yield ""


def _command(name: str, command: Any) -> Iterator[str]:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    yield f"## `phasegrok {name}`\n"
    yield f"{_line(command.help)}\n"
    usage = ["phasegrok", name, *map(_argument, arguments), *(["[OPTIONS]"] if options else [])]
    yield "```text\n" + " ".join(usage) + "\n```\n"
    if command.params:
        yield "| | | default |\n|---|---|---|"
        for each in arguments:
            yield f"| `{_value(each)}` | {_line(each.help)} | |"
        for each in options:
            yield f"| `{_option(each)}` | {_line(each.help)} | {_default(each)} |"
        yield ""


def _argument(argument: Any) -> str:
    return _value(argument) if argument.required else f"[{_value(argument)}]"


def _value(parameter: Any) -> str:
    """The word that stands for a parameter's value."""
    return str(parameter.metavar or parameter.name.upper()).strip("{}[]")


def _option(option: Any) -> str:
    name = ", ".join([*option.opts, *option.secondary_opts])
    return name if option.is_flag else f"{name} {_value(option)}"


def _default(option: Any) -> str:
    return "" if option.is_flag or option.default in (None, "") else f"`{option.default}`"


def _line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", r"\|")


def _first(text: str | None) -> str:
    return _line(text).split("; ")[0].rstrip(".")


def _targets(makefile: str) -> Iterator[str]:
    yield "## `make`\n"
    yield "From a clone. The first target that needs it makes `.venv` and installs everything.\n"
    yield "| target | |\n|---|---|"
    for name, text in re.findall(r"^([a-z%-]+):.*?## (.*)$", makefile, re.M):
        yield f"| `make {name.replace('%', 'NAME')}` | {_line(text)} |"
