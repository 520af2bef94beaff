"""Axes that move together: from the file to the tables and the pictures."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from phasegrok.config.identity import identity
from phasegrok.errors import Refusal
from phasegrok.figures.context import read_context
from phasegrok.plan.plan import swept_columns
from phasegrok.plan.runs import expand
from phasegrok.results.folder import Folder
from phasegrok.sweep.load import dump, load
from tests.conftest import MakeSweep
from tests.running.watching import start

AXES = """
axes:
  data.data_fraction: [0.3, 0.5]
  optimizer.learning_rate: [0.01, 0.02, 0.04]
  optimizer.weight_decay: [0, 1, 1]
zip: [optimizer.learning_rate, optimizer.weight_decay]
"""


def test_axes_move_together_and_are_crossed_with_the_others(make_sweep: MakeSweep) -> None:
    """Two fractions times three pairs; a value of a follower may come twice."""
    sweep = make_sweep(AXES)
    frame = expand(sweep).frame
    found = frame[["data_fraction", "learning_rate", "weight_decay"]].to_numpy().tolist()
    pairs = [[0.01, 0], [0.02, 1], [0.04, 1]]
    assert found == [[alpha, *pair] for alpha in (0.3, 0.5) for pair in pairs]
    assert swept_columns(sweep) == ["data_fraction", "learning_rate", "weight_decay"]
    assert sweep.factors == (1, 2, 3, 1) and frame["run"].is_unique


def test_a_group_stands_where_its_first_axis_does(make_sweep: MakeSweep) -> None:
    """The order of the file is that of the tables, whichever axis of a group is named first; static
    axes move as well."""
    sweep = make_sweep(
        "axes: {train.steps: [10, 20], data.data_fraction: [0.3, 0.5], model.width: [3, 3]}\n"
        "zip: [[train.steps, model.width]]\n"
    )
    frame = expand(sweep).frame
    assert frame[["steps", "data_fraction", "width"]].to_numpy().tolist() == [
        [10, 0.3, 3],
        [10, 0.5, 3],
        [20, 0.3, 3],
        [20, 0.5, 3],
    ]


def test_it_is_part_of_the_sweep(make_sweep: MakeSweep, tmp_path: Path) -> None:
    """The resolved file loads as an equal sweep; crossed it is another one; a sweep without it is
    what it was."""
    sweep = make_sweep(AXES)
    (tmp_path / "again.yaml").write_text(dump(sweep))
    assert load(tmp_path / "again.yaml") == sweep
    crossed = make_sweep(AXES.replace("[0, 1, 1]", "[0, 1, 2]"), "zip=[]")
    assert identity(crossed.resolved()) != identity(sweep.resolved())
    assert "zip" not in crossed.resolved() and len(expand(crossed).frame) == 18


def test_a_path_that_is_set_moves_with_nothing(make_sweep: MakeSweep) -> None:
    """``--set`` gives one value, other values, or the groups themselves."""
    assert len(expand(make_sweep(AXES, "optimizer.weight_decay=3")).frame) == 6
    sets = ["optimizer.weight_decay=[0, 2]", "optimizer.learning_rate=[0.1, 0.2]"]
    assert len(expand(make_sweep(AXES, *sets)).frame) == 4
    whole = make_sweep(AXES, "zip=[[data.data_fraction]]", "optimizer.weight_decay=[0, 1]")
    assert len(expand(whole).frame) == 2 * 3 * 2


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("[0, 1]", "axes.optimizer.weight_decay: found 2 values, and 3 of optimizer.learning_rate"),
        ("zip: yes", "zip: found the text"),
        ("zip: [1]", "zip: found 1; allowed: a list of the axes"),
        ("zip: [optimizer.rate]", "zip: unknown key; did you mean optimizer."),
        ("zip: [[optimizer.l1, optimizer.l1]]", "a second time; allowed: each axis"),
    ],
)
def test_what_cannot_be_zipped(make_sweep: MakeSweep, change: str, line: str) -> None:
    """One line, where it stands."""
    text = AXES.replace("[0, 1, 1]", change) if change[0] == "[" else AXES.split("zip:")[0] + change
    with pytest.raises(Refusal) as refusal:
        make_sweep(text + "\n")
    assert line in str(refusal.value) and "tiny.yaml:" in str(refusal.value)


def test_the_first_axis_of_a_group_may_not_repeat(make_sweep: MakeSweep) -> None:
    with pytest.raises(Refusal, match=r"found 0.01 a second time"):
        make_sweep(AXES.replace("[0.01, 0.02, 0.04]", "[0.01, 0.01, 0.04]"))


def test_refinement_needs_crossed_axes(make_sweep: MakeSweep) -> None:
    with pytest.raises(Refusal, match=r"refine.levels: found it with axes that move together"):
        make_sweep(AXES, "refine.levels=1")


def test_from_the_file_to_the_diagram(make_sweep: MakeSweep, tmp_path: Path) -> None:
    """Both columns in every table; pictures take the first as the axis, so that there is one panel;
    a folder gets more of them by --extend."""
    out = tmp_path / "out"
    few = AXES.replace("0.02, 0.04]", "0.02]").replace("[0, 1, 1]", "[0, 1]")
    start(make_sweep(few), out)
    watch = start(make_sweep(AXES), out, extend=True)
    assert watch.trained == 2
    for name in ("runs", "curves", "cells.parquet"):
        table = pd.read_parquet(out / name)
        pairs = table[["learning_rate", "weight_decay"]].drop_duplicates().to_numpy().tolist()
        assert sorted(pairs) == [[0.01, 0], [0.02, 1], [0.04, 1]], name
    context = read_context(out)
    assert context.axes == ["data_fraction", "learning_rate"]
    assert len(context.layout.panels) == 1 and len(context.cells) == 6
    assert "weight_decay" not in Folder(out).boundaries()
