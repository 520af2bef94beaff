"""The command: ``phasegrok sweep|figures|status``, and ``python -m phasegrok.sweep FILE``.

Thin on purpose: it reads arguments and calls the rooms. Heavy imports happen inside the commands,
so that ``--help`` is instant.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from phasegrok.cli import where
from phasegrok.cli.clusters import compact, slurm
from phasegrok.cli.exits import exit_codes
from phasegrok.cli.figures import figures
from phasegrok.cli.learn import help_, keys, list_
from phasegrok.cli.new import new
from phasegrok.cli.start import begin, end
from phasegrok.errors import Refusal, counted
from phasegrok.stopping import STATE, Interrupted, phase, waited

Plugins = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="MODULE",
        help="A Python module with a task, model, optimizer or measurement; may be repeated.",
    ),
]
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


app.command("list")(list_)
app.command()(new)
app.command()(keys)


@app.command()
def sweep(
    file: where.SweepFile,
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
    measure: Annotated[
        bool,
        typer.Option(
            "--measure", help="With --plan: compile, and measure a few steps for the time."
        ),
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Move old results aside and start again.")
    ] = False,
    extend: Annotated[
        bool,
        typer.Option("--extend", help="Keep the runs that the folder has; train the others."),
    ] = False,
    refine: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            help="Begin on every 2^K-th value (2: every 4th), and go on only between phases.",
        ),
    ] = None,
    reuse: Annotated[
        list[Path] | None,
        typer.Option(help="Copy the same runs from this folder; may be repeated."),
    ] = None,
    any_device: where.AnyDevice = False,
    shard: where.ShardOf = None,
    workers: where.Workers = 0,
    scheduler: where.Scheduler = "",
    scheduler_file: where.SchedulerFile = None,
    no_shared_files: where.NotShared = False,
    mixed: where.Mixed = False,
    dashboard: where.Dashboard = 0,
    tls_ca: where.TlsCa = None,
    tls_cert: where.TlsCert = None,
    tls_key: where.TlsKey = None,
    plugin: Plugins = None,
    no_figures: Annotated[
        bool,
        typer.Option("--no-figures", help="Draw no files; `phasegrok figures DIR` draws them."),
    ] = False,
) -> None:
    """Train a sweep, or what is missing of it, and draw its phase diagram."""
    with exit_codes() as doing:
        if measure and not plan:
            raise Refusal("--measure: found without --plan; allowed: --plan --measure")
        from phasegrok.cli.plugins import load_plugins, needs_plugin

        place = where.Where(
            shard=shard,
            mixed=mixed,
            fresh=fresh,
            shared_files=not no_shared_files,
            workers=workers,
            scheduler=scheduler,
            scheduler_file=scheduler_file,
            dashboard=dashboard,
            tls=(tls_ca, tls_cert, tls_key),
        )
        place.check()
        if plugin:
            place.begin()  # before a plugin's module begins JAX
        from phasegrok.config.engine import ANY_DEVICE
        from phasegrok.sweep.load import changes_of, home_of, load
        from phasegrok.sweep.shipped import find

        load_plugins(plugin or [])
        changes = changes_of(set_, refine) + [ANY_DEVICE] * (any_device or mixed)
        doing.then = f"phasegrok sweep {file} --plan"
        with needs_plugin(find(file), output, reduced):
            checked = load(find(file), changes, reduced)
        doing.then = ""
        folder = output or home_of(checked.name, reduced)
        doing.folder = folder

        from phasegrok.cli.finished import show_finished
        from phasegrok.results.folder import Folder
        from phasegrok.running.finished import finished_runs

        if not (plan or fresh or reuse) and (runs := finished_runs(Folder(folder), checked)):
            typer.echo(f"{checked.name}: all {runs} runs are done, and every file is whole")
            show_finished(folder, False, draw=not no_figures)
            return

        # Only now, with the file found good: this import takes seconds.
        place.begin()
        from phasegrok import running
        from phasegrok.cli.progress import Progress
        from phasegrok.cli.settings import settings_text
        from phasegrok.cli.text import plan_text

        # Planning may compile, and a thread inside the compiler hears no signals.
        how: dict[str, Any] = {"extend": extend, "reuse": reuse or [], "shared": place.shared}
        plan_it = partial(running.prepare, checked, folder, fresh, typer.echo, **how)
        with place.opened(typer.echo) as train:
            prepared = waited(plan_it)
            if plan:
                typer.echo(f"{settings_text(checked)}\n")
                estimated = running.measured_time if measure else running.estimated_time
                typer.echo(plan_text(prepared, waited(estimated, prepared)))
                return
            doing.trains = True
            with phase("exit", SAVED):
                watch = Progress(prepared)
                with watch:
                    changed = train(prepared, watch, plan_it)
                if STATE.caught:  # when everything was done, and before anybody looked
                    raise Interrupted
                show_finished(folder, changed, place.shared, not no_figures)


app.command()(figures)


@app.command()
def boundaries(
    folder: where.ResultFolder,
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
        typer.echo(boundaries_text(table, results.head().crossed))
        typer.echo(
            f"wrote {folder / BOUNDARIES}: {counted(len(table), 'row')}, one for every slice,"
            " pair of phases and value"
        )


@app.command()
def timeline(
    folder: where.ResultFolder,
) -> None:
    """Write labels_by_step.parquet: the phase of every cell at every logged step."""
    with exit_codes(folder):
        from phasegrok.analysis.timeline import labels_by_step
        from phasegrok.results.folder import Folder

        results = Folder(folder)
        axes = results.head().axes
        if not (results.parts("runs") and results.parts("curves")):
            raise Refusal(
                f"{folder}: holds no curves, so there are no labels over time; allowed: a folder"
                f" with its curves (phasegrok status --verify {folder} says what is not there)"
            )
        table = labels_by_step(results.read("runs"), results.read("curves"), axes)
        with phase("unwind"):
            results.write_table("labels_by_step.parquet", table)
        typer.echo(f"wrote {folder / 'labels_by_step.parquet'}: {len(table)} rows")


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
    folder: where.ResultFolder,
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
    folder: where.ResultFolder,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every file; exit code 1 if one is damaged.")
    ] = False,
    retrain: Annotated[
        int, typer.Option(min=0, help="With --verify: train so many runs again, and compare.")
    ] = 0,
    plugin: Plugins = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Say it again and again, until the sweep is done.")
    ] = False,
    every: Annotated[float, typer.Option(min=0.1, help="With --watch: seconds between.")] = 5.0,
    diagram: Annotated[
        bool | None,
        typer.Option(help="Draw what is there; by default where not too much has to be read."),
    ] = None,
) -> None:
    """Say how far a sweep has come and who works on it, and show the diagram of what is there."""
    with exit_codes(folder):
        if retrain and not verify:
            raise Refusal(
                f"--retrain: found no --verify; allowed: both together (phasegrok status --verify"
                f" --retrain {retrain} {folder})"
            )
        if verify:
            from phasegrok.cli.audit import is_sound

            if not is_sound(folder, retrain, plugin or []):
                raise typer.Exit(1)
            return
        from phasegrok.cli.status import show_status, watch_status
        from phasegrok.results.folder import Folder

        if watch:
            watch_status(Folder(folder), every, diagram)
        else:
            show_status(Folder(folder), diagram)


app.command()(slurm)
app.command()(compact)
app.command("help", hidden=True)(help_)


def main() -> None:
    """``python -m phasegrok.sweep FILE ...``: the same as ``phasegrok sweep FILE ...``."""
    sys.argv.insert(1, "sweep")
    app(prog_name="python -m phasegrok.sweep" if "--help" not in sys.argv else "phasegrok")


if __name__ == "__main__":
    main()
