"""How the commands end: one line and an exit code, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

from phasegrok.errors import Locked, Refusal

__all__ = ["INTERRUPTED", "LOCKED", "REFUSED", "exit_codes"]

REFUSED: Final = 2
LOCKED: Final = 3
INTERRUPTED: Final = 130


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn every foreseen end into one line on stderr and its exit code."""
    try:
        yield
    except Refusal as refusal:
        typer.echo(f"error: {refusal}", err=True)
        raise typer.Exit(REFUSED) from None
    except Locked as locked:
        typer.echo(f"error: {locked}", err=True)
        raise typer.Exit(LOCKED) from None
    except KeyboardInterrupt:
        typer.echo("interrupted; the same command resumes from the last checkpoint", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"error: {where}{error.strerror or error}", err=True)
        raise typer.Exit(REFUSED) from None
