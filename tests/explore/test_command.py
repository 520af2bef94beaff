"""The command on the page trains that cell and no other."""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path
from typing import Final

import pandas as pd
import pytest
from typer.testing import CliRunner

from phasegrok.cli.main import app
from phasegrok.errors import Refusal
from phasegrok.explore.command import command, set_of
from phasegrok.plan.runs import expand
from phasegrok.sweep.load import dump, load
from tests.conftest import MakeSweep
from tests.explore.conftest import REFERENCE, OpenPage

QUICK: Final = REFERENCE / "quickstart"
AT: Final = "at.data_fraction=0.7&at.corruption_fraction=0.15&at.weight_decay=15"


def overrides(words: list[str]) -> list[str]:
    return [word for before, word in pairwise(words) if before == "--set"]


def test_the_pages_command_is_of_that_cell(open_page: OpenPage) -> None:
    """As a shell reads it: one run, the one that the table holds."""
    page = open_page(
        QUICK, at="at.data_fraction=0.7&at.corruption_fraction=0.15&at.weight_decay=15"
    )
    words = shlex.split(page.locator("code.command").text_content())
    assert words[:3] == ["phasegrok", "sweep", str(QUICK / "sweep.yaml")]
    runs = expand(load(Path(words[2]), overrides(words))).frame["run"].tolist()
    table = pd.read_parquet(QUICK / "runs")
    mine = table[
        table.data_fraction.eq(0.7) & table.corruption_fraction.eq(0.15) & table.weight_decay.eq(15)
    ]
    assert runs == mine["run"].tolist() and len(runs) == 1
    output = words[words.index("--output") + 1]
    assert output.startswith(str(QUICK.parent)) and not Path(output).exists()


MORE: Final = """
axes: {data.data_fraction: [0.3, 0.6], model.bias: [false, true], optimizer.weight_decay: [0, 1]}
seeds: [0, 1]
variants:
  adam: {}
  small: {train.batch_size: 8}
"""


def test_every_cell_has_its_command(make_sweep: MakeSweep, tmp_path: Path) -> None:
    """Variants, booleans, seeds: the runs of all commands are the sweep's, each once."""
    sweep = make_sweep(MORE)
    (tmp_path / "sweep.yaml").write_text(dump(sweep))
    every = expand(sweep).frame
    axes = ["variant", "data_fraction", "bias", "weight_decay"]
    found: list[str] = []
    for values, rows in every.groupby(axes, sort=False):
        sets = [
            set_of(axis, [value], sweep.resolved())[0]
            for axis, value in zip(axes, values, strict=True)
        ]
        words = shlex.split(" ".join(filter(None, sets)))
        one = expand(load(tmp_path / "sweep.yaml", overrides(words))).frame
        assert one["run"].tolist() == rows["run"].tolist()
        found += one["run"].tolist()
    assert sorted(found) == sorted(every["run"]) and len(found) == 32
    begin = shlex.split(command(tmp_path, sweep.name, sweep.resolved())["begin"])
    out = tmp_path / "out"
    planned = CliRunner().invoke(app, [*begin[1:], *words, "--output", str(out), "--plan"])
    assert planned.exit_code == 0 and "tiny: 2 runs = 1 variant x 2 seeds" in planned.output
    assert not out.exists()


def test_a_refined_sweep_trains_the_one_cell() -> None:
    """An inferred cell too: without ``refine`` there is nothing to refine."""
    folder = REFERENCE / "dropout-47"
    sweep = load(folder / "sweep.yaml")
    parts = command(folder, sweep.name, sweep.resolved())
    sets = [
        set_of("data_fraction", [0.15], sweep.resolved())[0],
        set_of("corruption_fraction", [0.85], sweep.resolved())[0],
        set_of("dropout", [0.3], sweep.resolved())[0],
    ]
    words = shlex.split(" ".join([parts["begin"], *map(str, sets), parts["end"]]))
    assert len(expand(load(folder / "sweep.yaml", overrides(words))).frame) == 1


def test_names_are_quoted_for_a_shell() -> None:
    """Nothing in a folder's or a variant's name is run by the shell that reads the line."""
    name = "a b;$(touch x)'\""
    parts = command(Path(name), "name", {})
    assert shlex.split(parts["begin"]) == ["phasegrok", "sweep", f"{name}/sweep.yaml"]
    (text,) = set_of("variant", [name], {})
    assert text is not None and shlex.split(text) == ["--set", f"variant={name}"]


def test_a_value_that_no_option_chooses_has_no_command() -> None:
    assert set_of("unknown", [1.0, 2.0], {"axes": {}}) == [None, None]
    assert set_of("weight_decay", [3.0], {"axes": {"optimizer.weight_decay": [1, 2]}}) == [None]


def test_an_unknown_variant_is_refused(make_sweep: MakeSweep) -> None:
    with pytest.raises(Refusal, match='variant: found the text "large"; allowed: adam'):
        make_sweep(MORE, "variant=large")
    with pytest.raises(Refusal, match="allowed: none, since the file has no variants"):
        make_sweep("", "variant=large")
