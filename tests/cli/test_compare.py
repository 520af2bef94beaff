"""``phasegrok compare``: lines, files and exit codes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.cli.test_reading import invoke

HOME = Path(__file__).parents[2] / "results" / "reference"


def test_a_folder_is_itself() -> None:
    done = invoke("compare", HOME / "quickstart", HOME / "quickstart")
    assert done.exit_code == 0
    assert "subphase: 0 of 80 cells differ" in done.output
    assert "moved by +0 ± 0.2 over" in done.output


def test_addition_and_multiplication(tmp_path: Path) -> None:
    """Two sweeps that differ: named cells, counts of pairs, a table and a map; exit code 1."""
    before = sorted(path for path in HOME.rglob("*") if path.is_file())
    done = invoke(
        "compare", HOME / "relu-wd", HOME / "multiplication", "--output", tmp_path / "new" / "out"
    )
    assert done.exit_code == 1
    table = pd.read_parquet(tmp_path / "new" / "out" / "comparison.parquet")
    differ = int((~table["same"]).sum())
    assert f"subphase: {differ} of {len(table)} cells differ" in done.output and differ > 0
    assert "Coexistence -> Forgetting" in done.output
    with Image.open(tmp_path / "new" / "out" / "difference.png") as picture:
        colours = picture.convert("RGB").getcolors(1 << 16) or []
    assert len(colours) > 20
    assert before == sorted(path for path in HOME.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("images", "images-dropout"), "weight_decay: found"),
        (("images", "nowhere"), "nowhere: no results here"),
        (("images", "images", "--label", "colour"), "--label colour: found no such label"),
    ],
)
def test_what_cannot_be_compared(arguments: tuple[str, ...], words: str) -> None:
    a, b, *more = arguments
    done = invoke("compare", HOME / a, HOME / b, *more)
    assert done.exit_code == 2 and words in done.output and len(done.output.splitlines()) == 1
