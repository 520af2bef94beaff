"""The table of claims is what the committed results say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from phasegrok.reproduction import Claim, counts, every_claim, table, written
from phasegrok.reproduction.base import Results, Verdict, rows
from phasegrok.reproduction.words import spread

ROOT = Path(__file__).parents[2]
Sections = dict[str, list[Claim]]


@pytest.fixture(scope="module")
def sections() -> Sections:
    """Every claim of the page, from the committed tables."""
    return every_claim(ROOT / "results" / "reference")


def test_the_document_holds_what_the_tables_say(sections: Sections) -> None:
    """docs/reproduction.md written again from results/reference is the file as it stands: no number
    in it was typed by hand, and none is out of date."""
    document = (ROOT / "docs" / "reproduction.md").read_text()
    assert written(document, ROOT / "results" / "reference", sections) == document


def test_hypothesis_holds(sections: Sections) -> None:
    """No claim of sections 2 and 2.1 is refuted: the science that the project exists for."""
    found = [claim for claim in sections["hypothesis"] if claim.source.startswith("2")]
    assert len(found) > 5
    assert not [claim for claim in found if claim.held is False]


def test_every_verdict_is_explained(sections: Sections) -> None:
    """A verdict that tables turn from yes to no, or back, fails here until its reason is written or
    dropped. So no verdict of any section changes in silence."""
    wrong = [
        f"{section}: {claim.source}: {claim.text}: {claim.verdict}"
        for section, claims in sections.items()
        for claim in claims
        if claim.run and (claim.held is not True) != bool(claim.why)
    ]
    assert not wrong


def test_every_row_says_when_it_holds_and_where_its_numbers_come_from(sections: Sections) -> None:
    wrong = [
        f"{section}: {claim.source}: {claim.text}"
        for section, claims in sections.items()
        for claim in claims
        if not claim.tables or (claim.run and not claim.rule)
    ]
    assert not wrong


def test_rows_of_a_missing_folder_are_pending(tmp_path: Path) -> None:
    """Nothing is silently missing: the claim stands there, not run yet."""

    def more(results: Results) -> Iterator[Claim]:
        """More is better."""
        yield Claim("", "", "", True)

    (row,) = rows(more, Results(tmp_path / "nothing"), source="Fig. 1")
    assert (row.source, row.text, row.verdict) == ("Fig. 1", "More is better", "not run yet")
    assert row.tables == "`nothing`"


@pytest.mark.parametrize(
    ("seeds", "runs", "weak"), [(1, 1, "w; one seed"), (2, 1, "w"), (1, 1000, "w")]
)
def test_one_seed_and_few_cells_are_weak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeds: int, runs: int, weak: str
) -> None:
    def more(results: Results) -> Iterator[Claim]:
        yield Claim("", "", "", True, weak="w", tables="t")

    sweep = {"seeds": list(range(seeds)), "task": {"kind": "x"}, "model": {"kind": "mlp"}}
    manifest = {"runs": 0, "sweep": {**sweep, "axes": {}}}
    monkeypatch.setattr(Results, "manifest", manifest)
    monkeypatch.setattr(Results, "complete", True)
    results = Results(tmp_path)
    results["runs"] = pd.DataFrame({"run": range(runs)})
    (row,) = rows(more, results, source="")
    assert row.weak == weak


def test_counts_are_of_verdicts() -> None:
    def of(held: Verdict, run: bool = True) -> Claim:
        return Claim("", "", "", held, run=run)

    found = counts(
        {"one": [of(True), of(None), of(False), of(False)], "two": [of(None, run=False)]}
    )
    assert found.splitlines()[2:] == [
        "| one | 4 | 1 | 1 | 2 | 0 |",
        "| two | 1 | 0 | 0 | 0 | 1 |",
        "| all | 5 | 1 | 1 | 2 | 1 |",
    ]


def test_reasons_and_other_thresholds_are_written() -> None:
    claim = Claim("F", "x", "1", False, rule="y", also=(("at 2", True),), why="Z.", weak="w")
    lines = table([claim]).splitlines()
    assert lines[2] == "| F | x | 1 | y; weak: w |  | no (at 2: yes) |"
    assert lines[-1] == "- *F, x* (no): Z."


def test_marks_are_needed() -> None:
    """A document without them is not overwritten."""
    with pytest.raises(ValueError, match="the marks of counts"):
        written("no marks", ROOT)


def test_words() -> None:
    """Verdicts in words; mean and sample deviation, 0 for a single run."""
    assert [Claim("", "", "", held).verdict for held in (True, False, None)] == [
        "yes",
        "no",
        "in part",
    ]
    assert spread([1, 2, 3]) == "2.000 ± 1.000" and spread([0.5], 1) == "0.5 ± 0.0"
