"""The command: ``phasegrok sweep|figures|status``, and ``python -m phasegrok.sweep FILE``.

Thin on purpose: it reads arguments and calls the rooms. Heavy imports happen inside the commands,
so that ``--help`` is instant.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from phasegrok.cli.exits import exit_codes
from phasegrok.cli.start import begin, end
from phasegrok.errors import Refusal
from phasegrok.files.atomic import replacing
from phasegrok.stopping import STATE, Interrupted, phase, waited

ANY_DEVICE = "engine.platform=any"
SAVED = "what is published stays, the same command goes on"


class Command(typer.Typer):
    """The command as a process; called by ``CliRunner`` it is none."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        begin()
        try:
            super().__call__(*args, **kwargs)
        except SystemExit as left:
            training = sys.argv[1:2] == ["sweep"] and not {"--plan", "--help"} & {*sys.argv}
            end(left.code if isinstance(left.code, int) else 0, training)


app = Command(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Train thousands of tiny networks over a grid and see the phases.",
)


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """What there is without a command."""
    if version:
        from phasegrok import __version__

        typer.echo(f"phasegrok {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        from phasegrok.cli.text import FIRST_STEPS

        typer.echo(f"{context.get_help()}\n\n{FIRST_STEPS}")


@app.command("list")
def list_() -> None:
    """Show the sweeps that come with phasegrok: figure, number of runs, time."""
    with exit_codes():
        from phasegrok.cli.text import shipped_text

        typer.echo(shipped_text())


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Of the sweep; the file is NAME.yaml, here.")],
    base: Annotated[
        str, typer.Option("--from", metavar="SWEEP", help="The sweep that it begins as.")
    ] = "quickstart",
) -> None:
    """Write a commented sweep file to begin with."""
    with exit_codes():
        from phasegrok.sweep.shipped import template

        text, path = template(name, base), Path(f"{name}.yaml")
        if path.exists():
            raise Refusal(f"{path}: is there already; allowed: another name")
        with replacing(path) as file:
            file.write(text.encode())
        typer.echo(f"wrote {path}\nnext: phasegrok sweep {path} --plan")


@app.command()
def sweep(
    file: Annotated[
        str, typer.Argument(help="A sweep file, or the name of one that `phasegrok list` shows.")
    ],
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
    extend: Annotated[
        bool,
        typer.Option(
            "--extend", help="Keep the runs of a folder that the sweep has more of; train the new."
        ),
    ] = False,
    refine: Annotated[
        int | None,
        typer.Option(help="Begin on every 2^K-th value and go on only between phases."),
    ] = None,
    reuse: Annotated[
        list[Path] | None,
        typer.Option(help="Take runs that this folder holds too; may be repeated."),
    ] = None,
    any_device: Annotated[
        bool,
        typer.Option(
            "--any-device", help="Go on where there is no accelerator of the kind that began it."
        ),
    ] = False,
) -> None:
    """Train a sweep, or what is missing of it, and draw its phase diagram."""
    with exit_codes() as doing:
        from phasegrok.sweep.load import load
        from phasegrok.sweep.shipped import find

        changes = [*(set_ or []), *([] if refine is None else [f"refine.levels={refine}"])]
        changes += [ANY_DEVICE] if any_device else []
        checked = load(find(file), changes, reduced)
        folder = output or Path("results") / (checked.name + ("-reduced" if reduced else ""))
        doing.folder = folder

        # Only now, with the file found good: this import takes seconds.
        from phasegrok.train.devices import use_all_cores

        use_all_cores()
        from phasegrok import running
        from phasegrok.cli.progress import Progress
        from phasegrok.cli.text import plan_text

        # Planning may compile, and a thread inside the compiler hears no signals.
        plan_it = partial(running.prepare, note=typer.echo, extend=extend, reuse=reuse or [])
        prepared = waited(plan_it, checked, folder, fresh)
        if plan:
            typer.echo(plan_text(prepared, waited(running.estimated_time, prepared)))
            return
        doing.trains = True
        with phase("exit", SAVED):
            watch = Progress(prepared)
            with watch:
                changed = running.run(prepared, watch, fresh)
            if STATE.caught:  # when everything was done, and before anybody looked
                raise Interrupted
            _show(folder, changed)


@app.command()
def figures(
    folder: Annotated[Path, typer.Argument(help="A result folder, such as results/wd.")],
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--at",
            metavar="AXIS=VALUE",
            help="Also draw the cells there one by one, in a large sweep too; remembered.",
        ),
    ] = None,
    step: Annotated[
        int | None,
        typer.Option(help="Draw the diagram as it was at this step, into figures/step-STEP."),
    ] = None,
    scale: Annotated[
        str, typer.Option(help="Where a diagram's values stand: category, linear or log.")
    ] = "category",
) -> None:
    """Draw the figures of a result folder again, from its tables alone."""
    with exit_codes(folder):
        from phasegrok import figures as drawing
        from phasegrok.figures.cells import closeup
        from phasegrok.figures.layout import SCALES
        from phasegrok.results.folder import Folder

        placed = next((each for each in SCALES if each == scale), None)
        if placed is None:
            raise Refusal(f"--scale {scale}: found no such scale; allowed: {', '.join(SCALES)}")
        with phase("unwind"):
            if step is not None:
                for path in drawing.draw_at(folder, step, placed):
                    typer.echo(f"wrote {path}")
                return
            results = Folder(folder)
            head, cells = results.head(), results.cells()
            if at:
                chosen = dict(_point(text) for text in at)
                closeup(cells, head.axes, chosen)
                results.write_text(drawing.CLOSEUP, json.dumps(chosen) + "\n")
            for path in drawing.draw(folder, placed):
                typer.echo(f"wrote {path}")


@app.command()
def boundaries(
    folder: Annotated[Path, typer.Argument(help="A result folder with runs.")],
    label: Annotated[
        str, typer.Option(help="Which label: subphase, phase or direct_phase.")
    ] = "subphase",
) -> None:
    """Write boundaries.parquet, the lines between phases, and show where networks generalize."""
    with exit_codes(folder):
        from phasegrok.cli.text import boundaries_text
        from phasegrok.results.folder import BOUNDARIES, Folder

        results = Folder(folder)
        table = results.boundaries(label)
        with phase("unwind"):
            results.write_table(BOUNDARIES, table)
        typer.echo(boundaries_text(table, results.head().axes))
        typer.echo(f"wrote {folder / BOUNDARIES}: {len(table)} rows")


@app.command()
def timeline(
    folder: Annotated[Path, typer.Argument(help="A result folder with curves.")],
) -> None:
    """Write labels_by_step.parquet: the phase of every cell at every logged step."""
    with exit_codes(folder):
        from phasegrok.analysis.timeline import labels_by_step
        from phasegrok.results.folder import Folder

        results = Folder(folder)
        axes = results.head().axes
        if not (results.parts("runs") and results.parts("curves")):
            raise Refusal(f"{folder}: holds no curves, so there are no labels over time")
        table = labels_by_step(results.read("runs"), results.read("curves"), axes)
        with phase("unwind"):
            results.write_table("labels_by_step.parquet", table)
        typer.echo(f"wrote {folder / 'labels_by_step.parquet'}: {len(table)} rows")


def _point(text: str) -> tuple[str, str]:
    """AXIS=VALUE; a config path stands for the column that it names."""
    from phasegrok.config import PATHS, column

    axis, equals, value = text.partition("=")
    if not equals:
        raise Refusal(f"--at {text}: missing `=`; required: AXIS=VALUE")
    axis = axis.strip()
    return column(axis) if axis in PATHS else axis.rpartition(".")[2], value.strip()


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A result folder.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another, over the same axes.")],
    label: Annotated[
        str, typer.Option(help="What is compared: subphase, phase or direct_phase.")
    ] = "subphase",
    output: Annotated[
        Path | None, typer.Option(help="Write the tables and a difference map into this folder.")
    ] = None,
) -> None:
    """Say where two sweeps differ; exit code 1 where a label does."""
    with exit_codes(output):
        from phasegrok.cli.compare import compare_folders

        same, text = compare_folders(first, second, label, output)
        typer.echo(text)
        if not same:
            raise typer.Exit(1)


@app.command()
def explore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A result folder.")],
    other: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR2]", help="Another over the same axes, to compare."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The HTML file; by default explore.html in DIR.")
    ] = None,
    open_: Annotated[
        bool, typer.Option("--open/--no-open", help="Show it in a browser, where there is one.")
    ] = True,
) -> None:
    """Write one or two result folders as a single HTML file to look around in."""
    with exit_codes(folder):
        from phasegrok.cli.explore import explored, show

        with phase("unwind"):
            path, text = explored([folder] if other is None else [folder, other], output)
        typer.echo(text)
        if open_ and (said := show(path)):
            typer.echo(said)


@app.command()
def status(
    folder: Annotated[Path, typer.Argument(help="A result folder, finished or not.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every file; exit code 1 if one is damaged.")
    ] = False,
    retrain: Annotated[
        int, typer.Option(min=0, help="With --verify: train so many runs again, and compare.")
    ] = 0,
) -> None:
    """Say how far a sweep has come, and show the diagram of what is there."""
    with exit_codes(folder):
        if retrain and not verify:
            raise Refusal("--retrain: found no --verify; allowed: both together")
        if verify:
            _verify(folder, retrain)
            return
        from phasegrok.cli.diagram import folder_diagram
        from phasegrok.cli.text import status_text
        from phasegrok.results.folder import Folder

        results = Folder(folder)
        typer.echo(status_text(results))
        if results.published():
            typer.echo(folder_diagram(results, results.label()))


def _verify(folder: Path, retrain: int) -> None:
    """Say which files are whole, and whether numbers come out the same again."""
    from phasegrok.train.devices import use_all_cores

    use_all_cores()
    from phasegrok.cli.text import audit_text
    from phasegrok.running.audit import audit

    with phase("unwind"):  # runs are trained again in a folder that is removed
        found = audit(folder, retrain)
    typer.echo(audit_text(found))
    if not found.sound:
        raise typer.Exit(1)


def _show(folder: Path, changed: bool) -> None:
    """Draw a finished sweep in files, if they are not of these tables, and in the terminal."""
    from phasegrok import figures as drawing
    from phasegrok.cli.diagram import folder_diagram
    from phasegrok.cli.text import saving_text, written_text
    from phasegrok.results.folder import Folder

    with phase("unwind"):
        written = [] if changed else drawing.drawn(folder)
        written = written or drawing.draw(folder)
        results = Folder(folder)
        cells = results.cells()
    typer.echo(f"\n{folder_diagram(results, cells)}\n")
    if "inferred" in cells:
        typer.echo(saving_text(cells))
    typer.echo(written_text(folder, written))


def main() -> None:
    """``python -m phasegrok.sweep FILE ...``: the same as ``phasegrok sweep FILE ...``."""
    sys.argv.insert(1, "sweep")
    app(prog_name="python -m phasegrok.sweep" if "--help" not in sys.argv else "phasegrok")


if __name__ == "__main__":
    main()
