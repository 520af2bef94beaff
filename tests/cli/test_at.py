"""Which cells `--at` chooses, remembers and forgets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phasegrok.cli.at import choose_cells, chosen_values
from phasegrok.errors import Refusal
from phasegrok.figures.context import read_context
from phasegrok.results.folder import Folder
from tests.figures.made import AXES, paper_grid, result_folder


def test_all_values_of_an_axis_are_remembered(tmp_path: Path) -> None:
    """One value stands alone, as in folders of earlier versions; several are a list, each once, and
    of every axis. The next choice takes their place."""
    folder = result_folder(tmp_path, paper_grid([0.0, 5.0]), AXES)
    results = Folder(folder)
    choose_cells(results, ["weight_decay=5", "data_fraction=0.1", "data.data_fraction=0.5"])
    remembered = json.loads((folder / "closeup.json").read_text())
    assert remembered == {"weight_decay": "5", "data_fraction": ["0.1", "0.5"]}
    assert results.closeup() == remembered
    cells = read_context(folder, write=False).single
    assert len(cells) == 8  # two fractions, four corruptions
    assert {cell.values["data_fraction"] for cell in cells} == {0.1, 0.5}
    choose_cells(results, ["weight_decay=0"])
    assert results.closeup() == {"weight_decay": "0"}
    assert chosen_values(["a=1", "a=1"]) == {"a": "1"}


def test_axes_that_move_together_are_chosen_by_the_first(tmp_path: Path) -> None:
    """As pictures name them; nothing is remembered that drawing would refuse."""
    folder = result_folder(tmp_path, paper_grid([0.0, 5.0]), AXES)
    zipped = [["data.data_fraction", "optimizer.weight_decay"]]
    manifest = {"name": "made", "axes": AXES, "sweep": {"zip": zipped}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(Refusal, match="--at weight_decay: found no such axis"):
        choose_cells(Folder(folder), ["weight_decay=5"])
    assert not (folder / "closeup.json").exists()


def test_cells_are_forgotten(tmp_path: Path) -> None:
    """Then the large sweep is a diagram alone again; to forget nothing is no mistake."""
    results = Folder(result_folder(tmp_path, paper_grid([0.0, 5.0]), AXES))
    choose_cells(results, ["weight_decay=0"])
    for _ in range(2):
        choose_cells(results, ["none"])
        assert results.closeup() is None and read_context(tmp_path, write=False).single == []


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (["none", "weight_decay=0"], "--at none: found other cells beside it; allowed: none alone"),
        (["nothing"], "required: AXIS=VALUE, or none to forget"),
        (["corruption_fraction=0.2", "corruption_fraction=0.4", "corruption_fraction=0.9"], "add"),
    ],
)
def test_refused_choices_leave_what_was_chosen(tmp_path: Path, at: list[str], words: str) -> None:
    """Of too many cells the axis to add is named, with a value that can be copied."""
    results = Folder(result_folder(tmp_path, paper_grid([0.0, 5.0]), AXES))
    choose_cells(results, ["weight_decay=0"])
    with pytest.raises(Refusal) as refused:
        choose_cells(results, at)
    assert words in str(refused.value) and results.closeup() == {"weight_decay": "0"}
    if words == "add":
        assert "; add --at data_fraction=0.3 (or another value), which leaves 6" in str(
            refused.value
        )
