"""Every sweep file of the repository is one that a user can run."""

from __future__ import annotations

from pathlib import Path

import pytest

from phasegrok.sweepfile import load

FILES = sorted((Path(__file__).parents[1] / "sweeps").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_loads_and_says_what_it_is(file: Path) -> None:
    """It is accepted, under its own name, as is its reduced variant; its header names the figure or
    section, the command, the time, and what to see."""
    text = file.read_text()
    sweep = load(file)
    assert sweep.name == file.stem
    if "\nreduced:" in text:
        assert load(file, reduced=True) != sweep
    head = text[: text.index("\nname:")]
    assert head.startswith("# ") and f"sweeps/{file.name}" in head
    assert all(words in head for words in ("Expected time", "What one should see", "make "))
    assert not [line for line in text.splitlines() if len(line) > 120]
