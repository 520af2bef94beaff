"""The commands that only read a folder: boundaries, labels over time, and pictures of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from phasegrok.cli.main import app

REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "quickstart"


def invoke(*args: object) -> Result:
    return CliRunner().invoke(app, list(map(str, args)), catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("runs", "curves", "manifest.json", "cells.parquet"):
        copy = shutil.copytree if (REFERENCE / name).is_dir() else shutil.copy
        copy(REFERENCE / name, tmp_path / name)
    return tmp_path


def test_boundaries_are_printed_and_written(folder: Path) -> None:
    """For every slice and axis: where networks begin to generalize and where they stop, row by row;
    then the rows in which none does."""
    done = invoke("boundaries", folder)
    assert done.exit_code == 0
    table = pd.read_parquet(folder / "boundaries.parquet")
    lines = done.output.splitlines()
    said = f"wrote {folder / 'boundaries.parquet'}: {len(table)} rows, one for every slice"
    assert lines[-1].startswith(said)
    assert lines[0].startswith("where networks begin to generalize, and where they stop, as VALUE:")
    assert lines[1] == "weight decay 0, along data fraction:"
    assert lines[2].startswith("  begins  0: 0.4±0.1  0.15: 0.6±0.1")
    assert lines[3] == "  never  0.45"
    assert lines[-2] == "weight decay 20: no boundary of generalization"
    direct = invoke("boundaries", folder, "--label", "direct_phase")
    assert direct.exit_code == 0
    wrong = invoke("boundaries", folder, "--label", "colour")
    assert wrong.exit_code == 2
    assert "--label colour: found no such label; allowed: phase, subphase" in wrong.output


def test_labels_over_time_are_written(folder: Path) -> None:
    done = invoke("timeline", folder)
    assert done.exit_code == 0
    table = pd.read_parquet(folder / "labels_by_step.parquet")
    cells = pd.read_parquet(folder / "cells.parquet")
    assert len(table) == 51 * len(cells)
    last = table[table["step"] == table["step"].max()]
    assert list(last["subphase"].sort_values()) == list(cells["subphase"].sort_values())


def test_shortened_curves_have_no_labels_over_time(folder: Path) -> None:
    """One line says what they lack."""
    for path in (folder / "curves").iterdir():
        pd.read_parquet(path).drop(columns="test_loss").to_parquet(path)
    for args in (("timeline", folder), ("figures", folder, "--step", 10)):
        done = invoke(*args)
        assert done.exit_code == 2 and "curves: found no test_loss, without" in done.output
        assert len(done.output.splitlines()) == 1


def test_a_folder_without_curves_has_no_labels_over_time(folder: Path) -> None:
    shutil.rmtree(folder / "curves")
    for args in (("timeline", folder), ("figures", folder, "--step", 10)):
        done = invoke(*args)
        assert done.exit_code == 2 and "holds no curves" in done.output
    nothing = invoke("boundaries", folder / "nothing")
    assert nothing.exit_code == 2 and "no results here" in nothing.output


def test_an_unknown_scale_is_refused(folder: Path) -> None:
    done = invoke("figures", folder, "--scale", "true")
    assert done.exit_code == 2
    assert "--scale true: found no such scale; allowed: category, linear, log" in done.output
