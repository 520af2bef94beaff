"""A refined sweep: level by level, resumable, the same tables whoever interrupts it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from phasegrok import running
from phasegrok.cli.diagram import folder_diagram
from phasegrok.cli.status import status_text
from phasegrok.cli.text import plan_text, saving_text
from phasegrok.errors import Refusal
from phasegrok.results.folder import Folder
from tests.conftest import MakeSweep
from tests.running.test_extend import parts
from tests.running.watching import start, trained

# After 40 steps a high learning rate has memorized, a low one not yet: Memorization, Confusion. All
# axes are traced, so that each round is one program.
GRID = """
data: {data_fraction: 0.8}
axes:
  optimizer.learning_rate: {start: 0.002, stop: 0.018, num: 9}
  data.corruption_fraction: {start: 0.0, stop: 0.8, num: 5}
  optimizer.weight_decay: [0, 1]
seeds: [0, 1]
engine: {checkpoint_every: 1.0e-9, chunk: 8}
"""
REFINED = GRID + "refine: {levels: 2, axes: [optimizer.learning_rate, data.corruption_fraction]}\n"
CELLS = 9 * 5 * 2
COARSEST = 3 * 2 * 2


def table(out: Path) -> pd.DataFrame:
    return Folder(out).read("runs").sort_values("run", ignore_index=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The refined sweep, without an interruption."""
    return trained(tmp_path_factory.mktemp("refined"), REFINED)


def test_every_cell_has_a_label_and_few_are_trained(whole: Path) -> None:
    folder = Folder(whole)
    cells = folder.cells()
    assert len(cells) == CELLS and cells["subphase"].notna().all()
    trained = cells[~cells["inferred"]]
    assert COARSEST < len(trained) < 0.75 * CELLS and cells["subphase"].nunique() == 2
    assert len(folder.read("runs")) == 2 * len(trained)
    assert cells.loc[cells["inferred"], "test_accuracy"].isna().all()
    assert f"trained {len(trained)} of {CELLS} cells" in saving_text(cells)
    assert f"{2 * len(trained)} of at most {2 * CELLS} (refined) runs are done" in status_text(
        folder
    )
    drawn = folder_diagram(folder, cells)
    assert any(letter in drawn.partition("across")[0] for letter in "cmfpi")


def test_an_interrupted_refinement_goes_on_where_it_was(
    make_sweep: MakeSweep, tmp_path: Path, whole: Path
) -> None:
    """Stopped in the first round and in a later one: the tables of an uninterrupted sweep, bit for
    bit. The same command again trains nothing."""
    sweep, out = make_sweep(REFINED), tmp_path / "out"
    jobs = len(running.prepare(sweep, out, False).manifest.jobs)  # of the coarsest cells
    start(sweep, out, calls=1)
    interrupted = 1
    while len(Folder(out).manifest()["jobs"]) == jobs:  # type: ignore[index]
        start(sweep, out, calls=1)
        interrupted += 1
    start(sweep, out, calls=1)
    assert interrupted > 1
    assert start(sweep, out).trained > 0
    pd.testing.assert_frame_equal(table(out), table(whole), check_exact=True)
    pd.testing.assert_frame_equal(Folder(out).cells(), Folder(whole).cells(), check_exact=True)
    assert start(sweep, out).trained == 0


def test_what_refinement_left_out_can_be_trained_later(
    make_sweep: MakeSweep, tmp_path: Path
) -> None:
    """Without refinement the folder lacks runs: refused, and trained with --extend."""
    out = tmp_path / "out"
    start(make_sweep(REFINED), out)
    before, cells = parts(out), Folder(out).cells()
    with pytest.raises(Refusal, match=r"does not name \(--extend trains them\)"):
        start(make_sweep(GRID), out)
    watch = start(make_sweep(GRID), out, extend=True)
    assert watch.trained == 2 * cells["inferred"].sum()
    assert before.items() <= parts(out).items()
    every = Folder(out).cells()
    assert "inferred" not in every and len(every) == CELLS


def test_the_plan_says_how_much_is_asked_for(make_sweep: MakeSweep, tmp_path: Path) -> None:
    text = plan_text(running.prepare(make_sweep(REFINED), tmp_path / "out", False))
    assert f"every 4th value: {2 * COARSEST} of 180 runs are asked for by now" in text
    assert "9 learning_rate" in text  # the grid that is meant, not the one begun with
