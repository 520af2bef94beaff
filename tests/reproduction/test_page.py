"""The table of claims is what the committed results say."""

from __future__ import annotations

from pathlib import Path

import pytest

from phasegrok.reproduction import Claim, begin, end, written
from phasegrok.reproduction.words import spread

ROOT = Path(__file__).parents[2]


def test_the_document_holds_what_the_tables_say() -> None:
    """docs/reproduction.md written again from results/reference is the file as it stands: no number
    in it was typed by hand, and none is out of date."""
    document = (ROOT / "docs" / "reproduction.md").read_text()
    assert written(document, ROOT / "results" / "reference") == document


def test_hypothesis_holds() -> None:
    """No claim of sections 2 and 2.1 is refuted: the science that the project exists for."""
    document = (ROOT / "docs" / "reproduction.md").read_text()
    table = document.partition(begin("hypothesis"))[2].partition(end("hypothesis"))[0]
    rows = table.strip().splitlines()[2:]
    assert len(rows) > 20
    refuted = [row for row in rows if row.endswith("| no |") and "| 2" in row[:5]]
    assert not refuted


def test_marks_are_needed() -> None:
    """A document without them is not overwritten."""
    with pytest.raises(ValueError, match="the marks of hypothesis"):
        written("no marks", ROOT)


def test_words() -> None:
    """Verdicts in words; mean and sample deviation, 0 for a single run."""
    assert [Claim("", "", "", held).verdict for held in (True, False, None)] == [
        "yes",
        "no",
        "in part",
    ]
    assert spread([1, 2, 3]) == "2.000 ± 1.000" and spread([0.5], 1) == "0.5 ± 0.0"
