"""Plugins on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path

from phasegrok import plugins
from phasegrok.errors import Damaged, Refusal
from phasegrok.sweep.yaml import read_file

__all__ = ["load_plugins", "needs_plugin"]


def load_plugins(modules: Sequence[str]) -> None:
    """Import the plugins that are named, and those of installed packages.

    Raises:
        Refusal: one of them cannot be used.
    """
    if not modules and not entry_points(group=plugins.GROUP):
        return  # a sweep file may be refused without JAX
    from phasegrok.train.devices import use_all_cores

    use_all_cores()  # before a plugin's module starts JAX
    plugins.load(modules)


@contextmanager
def needs_plugin(file: Path, output: Path | None, reduced: bool) -> Iterator[None]:
    """Where a sweep file is refused, and its folder was begun with a plugin that is not loaded, say
    that."""
    try:
        yield
    except Refusal:
        _check(file, output, reduced)
        raise


def _check(file: Path, output: Path | None, reduced: bool) -> None:
    from phasegrok.results.folder import Folder
    from phasegrok.sweep.load import home_of

    try:
        name = read_file(file).value["name"].value
        folder = Folder(output or home_of(name, reduced))
        needed = folder.head().plugins
    except (Refusal, Damaged, KeyError):
        return
    plugins.check_loaded(needed, str(folder.path))
