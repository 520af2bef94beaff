"""The committed reference page says what the code says."""

from __future__ import annotations

from pathlib import Path

from phasegrok.config import PATHS
from phasegrok.sweep.reference import page


def test_the_reference_page_is_current() -> None:
    """``docs/sweep-files.md`` equals what the declarations give, and names every key."""
    text = page()
    committed = Path(__file__).parents[2] / "docs" / "sweep-files.md"
    assert committed.read_text() == text, (
        "run: python -m phasegrok.sweep.reference > docs/sweep-files.md"
    )
    for path in PATHS:
        assert f"`{path.rpartition('.')[2]}`" in text
