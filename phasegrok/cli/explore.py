"""``phasegrok explore DIR [DIR2]``: what is said of the page, and a browser to show it."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from phasegrok.errors import counted, escaped
from phasegrok.explore import explore

__all__ = ["explored", "show"]

# Variables that are there where windows can be: X, Wayland.
DISPLAYS: Final = ("DISPLAY", "WAYLAND_DISPLAY")
# Of a terminal on another machine: a browser there would be seen by nobody.
REMOTE: Final = ("SSH_CONNECTION", "SSH_TTY", "SLURM_JOB_ID")


def explored(folders: Sequence[Path], output: Path | None) -> tuple[Path, str]:
    """Write the page, and say where it is, how large, and what it leaves out.

    Raises:
        Refusal: a folder holds no results, or the two cannot be compared.
    """
    written = explore(folders, output)
    size = f"{written.size / 1e6:.1f} MB" if written.size >= 1e5 else f"{written.size / 1e3:.0f} kB"
    cells = " and ".join(counted(number, "cell") for number in written.cells)
    lines = [f"wrote {written.path}: {size}, {cells}"]
    lines += [f"note: {note}" for notes in written.notes for note in notes]
    return written.path, "\n".join(map(escaped, lines))


def show(path: Path) -> str | None:
    """Open a file in a browser, where this terminal's user would see one; else how to look."""
    hint = "open it in any browser"
    windows = sys.platform in ("darwin", "win32") or any(map(os.environ.get, DISPLAYS))
    if not windows or any(map(os.environ.get, REMOTE)):
        return hint
    with suppress(webbrowser.Error, OSError):
        browser = webbrowser.get()
        # One that draws in the terminal shows no diagram, and would take the terminal.
        if isinstance(browser, webbrowser.GenericBrowser) and not isinstance(
            browser, webbrowser.BackgroundBrowser
        ):
            return hint
        if browser.open(path.resolve().as_uri()):
            return None
    return hint
