"""The command: ``phasegrok sweep|figures|status``, and ``python -m phasegrok.sweep FILE``.

Thin on purpose: it reads arguments, calls the rooms, and turns refusals into one line and an
exit code. Heavy imports happen inside the commands, so that ``--help`` is instant.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from phasegrok.errors import Locked, Refusal

REFUSED, LOCKED, INTERRUPTED = 2, 3, 130

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train thousands of tiny networks over a grid and see the phases.",
)


@contextmanager
def exit_codes() -> Iterator[None]:
    """Every foreseen end as one line on stderr and its exit code; never a traceback."""
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


@app.command()
def sweep(
    file: Annotated[Path, typer.Argument(help="A sweep file, such as sweeps/wd.yaml.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one value; may be repeated."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The result folder; by default results/NAME.")
    ] = None,
    reduced: Annotated[
        bool, typer.Option("--reduced", help="Apply the file's own smaller settings.")
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show programs, memory and time; train nothing.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Move old results aside and start again.")
    ] = False,
) -> None:
    """Train a sweep, or what is missing of it, and draw its phase diagram."""
    with exit_codes():
        from phasegrok.sweep.load import load

        checked = load(file, set_ or [], reduced)
        folder = output or Path("results") / (checked.name + ("-reduced" if reduced else ""))

        # Only now, with the file found good: this import takes seconds.
        from phasegrok.train.engine import use_all_cores

        use_all_cores()
        from phasegrok import run
        from phasegrok.cli import progress

        prepared = run.prepare(checked, folder, fresh, note=typer.echo)
        if plan:
            typer.echo(progress.plan_text(prepared, run.estimate_seconds(prepared)))
            return
        watch = progress.Progress(prepared)
        try:
            with watch:
                run.run(prepared, watch, fresh)
        except run.Interrupted:
            typer.echo("interrupted; everything is saved, the same command resumes", err=True)
            raise typer.Exit(INTERRUPTED) from None
        show(folder)


@app.command()
def figures(
    folder: Annotated[Path, typer.Argument(help="A result folder, such as results/wd.")],
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--at",
            metavar="AXIS=VALUE",
            help="Of a large sweep, draw the cells there one by one too; remembered.",
        ),
    ] = None,
) -> None:
    """Draw a result folder's figures again, from its tables alone."""
    with exit_codes():
        from phasegrok import figures as drawing
        from phasegrok.figures.cells import closeup
        from phasegrok.results.folder import Folder

        results = Folder(folder)
        results.require_manifest()
        cells = results.cells()
        if at:
            chosen = dict(_point(text) for text in at)
            closeup(cells, results.require_manifest()["axes"], chosen)
            results.write_text(drawing.CLOSEUP, json.dumps(chosen) + "\n")
        for path in drawing.draw(folder):
            typer.echo(f"wrote {path}")


def _point(text: str) -> tuple[str, str]:
    """AXIS=VALUE; a config path stands for the column that it names."""
    from phasegrok.config import PATHS, column

    axis, equals, value = text.partition("=")
    if not equals:
        raise Refusal(f"--at {text}: found no `=`; allowed: AXIS=VALUE")
    axis = axis.strip()
    return column(axis) if axis in PATHS else axis.rpartition(".")[2], value.strip()


@app.command()
def status(
    folder: Annotated[Path, typer.Argument(help="A result folder, finished or not.")],
) -> None:
    """Say how far a sweep has come, and show the diagram of what is there."""
    with exit_codes():
        from phasegrok.cli import progress
        from phasegrok.results.folder import Folder

        results = Folder(folder)
        typer.echo(progress.status_text(results))
        if results.published():
            typer.echo(progress.diagram(results, results.label()))


def show(folder: Path) -> None:
    """Draw a finished sweep in files and in the terminal."""
    from phasegrok import figures as drawing
    from phasegrok.cli import progress
    from phasegrok.results.folder import Folder

    written = drawing.draw(folder)
    results = Folder(folder)
    typer.echo("")
    typer.echo(progress.diagram(results, results.cells()))
    typer.echo("")
    typer.echo(f"tables   {folder}/runs, curves, cells.parquet")
    pictures = ", ".join(str(p.relative_to(folder)) for p in written if p.suffix == ".png")
    typer.echo(f"figures  {folder}/{pictures} (and PDF)")


def main() -> None:
    """``python -m phasegrok.sweep FILE ...``: the same as ``phasegrok sweep FILE ...``."""
    sys.argv.insert(1, "sweep")
    app(prog_name="python -m phasegrok.sweep" if "--help" not in sys.argv else "phasegrok")


if __name__ == "__main__":
    main()
