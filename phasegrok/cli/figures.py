"""``phasegrok figures``: the pictures of a result folder, from its tables alone."""

from __future__ import annotations

from typing import Annotated

import typer

from phasegrok.cli import where
from phasegrok.cli.exits import exit_codes
from phasegrok.errors import Refusal
from phasegrok.stopping import phase

__all__ = ["figures"]


def figures(
    folder: where.ResultFolder,
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--at",
            metavar="AXIS=VALUE",
            help="Also draw the cells there one by one; may be repeated. Remembered until the next"
            " --at; `--at none` forgets.",
        ),
    ] = None,
    step: Annotated[
        int | None,
        typer.Option(help="Draw the diagram as it was at this step, into figures/step-STEP."),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            help="Draw the diagram by this label, into figures/LABEL: subphase or direct_phase."
        ),
    ] = None,
    scale: Annotated[
        str, typer.Option(help="Where a diagram's values stand: category, linear or log.")
    ] = "category",
) -> None:
    """Draw the figures of a result folder again, from its tables alone."""
    with exit_codes(folder):
        from phasegrok import figures as drawing
        from phasegrok.cli.at import choose_cells, remembered
        from phasegrok.figures.layout import SCALES
        from phasegrok.results.folder import FIGURES, Folder

        placed = next((each for each in SCALES if each == scale), None)
        if placed is None:
            raise Refusal(f"--scale {scale}: found no such scale; allowed: {', '.join(SCALES)}")
        if at and (step is not None or label is not None):
            raise Refusal("--at: found --step or --label beside it; allowed: one at a time")
        with phase("unwind"):
            if step is not None or label is not None:
                written = drawing.draw_at(folder, step, placed, label)
                seen = written[0].relative_to(folder / FIGURES).parts[0]
                if step is not None and seen != f"step-{step}":
                    typer.echo(
                        f"note: nothing was logged at step {step}; the last before is"
                        f" {seen.removeprefix('step-')}"
                    )
                for path in written:
                    typer.echo(f"wrote {path}")
                return
            results = Folder(folder)
            results.head()  # nothing is drawn of a folder without results
            if at:
                choose_cells(results, at)
            before = drawing.files(folder)
            written = drawing.draw(folder, placed)
            for path in written:
                typer.echo(f"wrote {path}")
            for path in before:
                if not path.exists():
                    typer.echo(f"removed {path}, which these tables do not have")
            if chosen := remembered(results):
                typer.echo(f"cells at {chosen} are drawn one by one, next time too; --at none: not")
