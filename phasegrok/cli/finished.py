"""What is drawn and said at the end of a sweep."""

from __future__ import annotations

from pathlib import Path

import typer

from phasegrok.stopping import phase

__all__ = ["show_finished"]


def show_finished(folder: Path, changed: bool, shared: bool = False, draw: bool = True) -> None:
    """Draw a finished sweep in files, if they are not of these tables, and in the terminal.

    Args:
        folder: of results.
        changed: whether any table is another one than before.
        shared: whether other processes work on the folder: one of them draws.
        draw: whether files are drawn.
    """
    if shared and not changed:
        typer.echo(f"{folder}: done; another process labels and draws it")
        return
    from phasegrok import figures as drawing
    from phasegrok.cli.diagram import folder_diagram
    from phasegrok.cli.text import rounding_text, saving_text, written_text
    from phasegrok.results.folder import Folder

    with phase("unwind"):
        written = [] if changed else drawing.drawn(folder)
        if draw:
            written = written or drawing.draw(folder)
        results = Folder(folder)
        cells = results.read_file(results.cells_path.name)  # labelled at the sweep's end
    typer.echo(f"\n{folder_diagram(results, cells)}\n")
    if "inferred" in cells:
        typer.echo(saving_text(cells))
    if line := rounding_text(results.head().sweep, cells):
        typer.echo(line)
    typer.echo(written_text(folder, written))
