"""``phasegrok new NAME``: a sweep file to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phasegrok.cli.exits import exit_codes
from phasegrok.errors import Refusal
from phasegrok.files.atomic import write_whole

__all__ = ["new"]


def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Of the sweep; the file is NAME.yaml, here.")
    ],
    base: Annotated[
        str, typer.Option("--from", metavar="SWEEP", help="The sweep that it begins as.")
    ] = "quickstart",
) -> None:
    """Write a commented sweep file to begin with."""
    with exit_codes():
        from phasegrok.sweep.shipped import template

        text, path = template(name, base), Path(f"{name}.yaml")
        if path.exists():
            raise Refusal(
                f"{path}: is there already; allowed: another name, or this file as it is"
                f" (phasegrok sweep {path} --plan)"
            )
        write_whole(path, text.encode())
        typer.echo(f"wrote {path}\nnext: phasegrok sweep {path} --plan")
