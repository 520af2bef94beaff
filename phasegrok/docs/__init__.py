"""The pages of docs/ that follow from the code: ``python -m phasegrok.docs`` writes all of them.

Each is held to its generator by a test, so none can grow old.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from phasegrok.docs import commands, gallery, notebook, tables
from phasegrok.sweep import reference

__all__ = ["PAGES", "pages"]

PAGES: Final = (
    "sweep-files.md",
    "commands.md",
    "tables.md",
    "gallery.md",
    "notebook.ipynb",
)


def pages(root: Path) -> dict[str, str]:
    """The text of every generated page, by its name in docs/.

    Args:
        root: a checkout, with docs/, sweeps/ and the Makefile.
    """
    docs = root / "docs"
    texts = (
        reference.page(),
        commands.page((root / "Makefile").read_text()),
        tables.page(),
        gallery.page(root / "sweeps", (docs / "reproduction.md").read_text()),
        notebook.notebook((docs / "notebook.md").read_text()),
    )
    return dict(zip(PAGES, texts, strict=True))
