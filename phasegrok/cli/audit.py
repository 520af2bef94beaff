"""What ``phasegrok status --verify`` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from phasegrok.stopping import phase

__all__ = ["is_sound"]


def is_sound(folder: Path, retrain: int, modules: Sequence[str]) -> bool:
    """Say which files are whole, and whether numbers come out the same again.

    Args:
        folder: of results.
        retrain: how many runs to train again.
        modules: plugins.
    """
    from phasegrok.train.devices import use_all_cores

    use_all_cores()
    from phasegrok.cli.plugins import load_plugins
    from phasegrok.cli.text import audit_text
    from phasegrok.running.audit import audit

    load_plugins(modules)
    with phase("unwind"):  # runs are trained again in a folder that is removed
        found = audit(folder, retrain)
    typer.echo(audit_text(found))
    return found.sound
