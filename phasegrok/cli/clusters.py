"""Commands for sweeps on clusters: ``phasegrok slurm``, ``phasegrok compact``."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated

import typer

from phasegrok.cli import where
from phasegrok.cli.exits import exit_codes
from phasegrok.errors import Refusal
from phasegrok.stopping import phase

__all__ = ["compact", "slurm"]


def slurm(
    file: where.SweepFile,
    time: Annotated[str, typer.Option(help="Limit of each task, as Slurm reads it: 4:00:00.")],
    gpus: Annotated[int, typer.Option(min=0, help="Tasks of the array, with one GPU each.")] = 0,
    tasks: Annotated[int, typer.Option(min=0, help="Tasks of the array, without GPUs.")] = 0,
    gpu_type: Annotated[str, typer.Option(help="Kind of GPU, as the cluster names it.")] = "",
    cpus: Annotated[int, typer.Option(min=0, help="Cores of each task.")] = 0,
    mem: Annotated[str, typer.Option(help="Memory of each task: 32G.")] = "",
    at_most: Annotated[int, typer.Option(min=0, help="Tasks that run at the same time.")] = 0,
    sbatch: Annotated[
        list[str] | None,
        typer.Option(metavar="OPTION", help="One more option of sbatch; may be repeated."),
    ] = None,
    setup: Annotated[
        list[str] | None,
        typer.Option(metavar="LINE", help="A line of shell before the sweep; may be repeated."),
    ] = None,
    margin: Annotated[
        int, typer.Option(min=10, help="Seconds before the limit at which a task saves.")
    ] = 120,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="As of `phasegrok sweep`."),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="As of `phasegrok sweep`.")] = None,
    reduced: Annotated[bool, typer.Option("--reduced", help="As of `phasegrok sweep`.")] = False,
    extend: Annotated[bool, typer.Option("--extend", help="As of `phasegrok sweep`.")] = False,
    refine: Annotated[int | None, typer.Option(help="As of `phasegrok sweep`.")] = None,
    reuse: Annotated[list[Path] | None, typer.Option(help="As of `phasegrok sweep`.")] = None,
    mixed: Annotated[bool, typer.Option("--mixed", help="As of `phasegrok sweep`.")] = False,
    no_figures: Annotated[
        bool, typer.Option("--no-figures", help="As of `phasegrok sweep`.")
    ] = False,
    plugin: Annotated[
        list[str] | None,
        typer.Option("--plugin", metavar="MODULE", help="As of `phasegrok sweep`."),
    ] = None,
    submit_: Annotated[
        bool, typer.Option("--submit", help="Submit it; by default it is printed.")
    ] = False,
) -> None:
    """Print, or submit, a Slurm job array whose tasks share a sweep."""
    with exit_codes(output):
        from phasegrok.cli.plugins import load_plugins
        from phasegrok.cli.slurm import Job, script, submit
        from phasegrok.sweep.load import changes_of, home_of, load
        from phasegrok.sweep.shipped import find

        if bool(gpus) == bool(tasks):
            raise Refusal("--gpus, --tasks: found both or none; allowed: one of them, above 0")
        load_plugins(plugin or [])
        path = find(file)
        changes = changes_of(set_, refine)
        checked = load(path, changes, reduced)
        folder = output or home_of(checked.name, reduced)
        arguments = [str(path.absolute()), "--output", str(folder.absolute())]
        for name, given in (
            ("--set", changes),
            ("--reuse", [str(p.absolute()) for p in reuse or []]),
            ("--plugin", plugin or []),
        ):
            arguments += [word for value in given for word in (name, value)]
        arguments += ["--reduced"] * reduced + ["--extend"] * extend + ["--mixed"] * mixed
        arguments += ["--no-figures"] * no_figures
        kind = f"gpu:{gpu_type}:1" if gpu_type else "gpu:1"
        job = Job(
            name=checked.name,
            arguments=arguments,
            output=folder,
            tasks=gpus or tasks,
            gpu=kind if gpus else "",
            time=time,
            cpus=cpus,
            memory=mem,
            at_most=at_most,
            options=sbatch or (),
            setup=setup or (),
            margin=margin,
        )
        if submit_:
            typer.echo(submit(job))
            typer.echo(f"logs     {job.logs}\nhow far  phasegrok status --watch {folder}")
            return
        typer.echo(script(job), nl=False)
        if not job.logs.is_dir():
            typer.echo(f"note: first: mkdir -p {job.logs}, for the logs", err=True)


def compact(
    folder: where.ResultFolder,
) -> None:
    """Merge the parts of a folder's tables into few; nothing of them changes."""
    with exit_codes(folder) as doing:
        from phasegrok.results.compact import compact as merge
        from phasegrok.results.folder import Folder

        results = Folder(folder)
        results.head()  # refuses a folder without results
        doing.trains = True  # as after a sweep, the same command goes on
        with (
            phase("unwind"),
            results.lock(f"compaction, process {os.getpid()} on {socket.gethostname()}"),
        ):
            done = merge(results)
        typer.echo(f"{folder}: {done.before} parts, {done.after} now")
