"""What is packed of a folder, and what is left out of one that is too large."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest

import phasegrok
from phasegrok.errors import Refusal
from phasegrok.explore import explore
from phasegrok.explore.axes import Spread
from phasegrok.explore.blob import LEVELS, MISSING
from phasegrok.explore.curves import NAMES, chosen
from phasegrok.explore.folder import Shown, read
from phasegrok.explore.pack import LEVELS as THINNED
from phasegrok.explore.pack import Packed, pack_folder
from tests.explore.conftest import REFERENCE
from tests.explore.test_blob import unpacked

SEEDS: Final = REFERENCE / "phases"


class Arrays:
    """The arrays of a packed folder."""

    def __init__(self, packed: Packed) -> None:
        self.arrays, self._text = packed.about["arrays"], packed.text

    def text(self) -> str:
        return self._text

    def __getitem__(self, name: str) -> np.ndarray:
        return unpacked(self, name)  # type: ignore[arg-type]


def packed(shown: Shown, most: int = 10**9) -> Packed:
    return pack_folder(shown, Spread(shown.axes, [shown.cells]), most)


def test_curves_are_as_exact_as_a_screen() -> None:
    """Every run, column and point, to half a level of what its plot shows; labels to the letter."""
    shown = read(SEEDS)
    found = packed(shown)
    arrays, curves = Arrays(found), pd.read_parquet(SEEDS / "curves")
    count = len(shown.runs)
    curves = curves.set_index("run").loc[shown.runs["run"]]
    for column, scale in found.about["curves"]["columns"].items():
        values = curves[column].to_numpy(float).reshape(count, -1)
        levels = arrays[f"{column}.0"].reshape(count, -1)
        share = np.where(levels == MISSING, np.nan, levels / LEVELS)
        values = np.log(values) if scale == "log" else values
        low, high = 0.0, 1.0
        if scale != "unit":
            bounds = arrays[f"{column}.bounds"].reshape(2, -1)[:, shown.runs["cell"]]
            low, high = bounds[0][:, None], bounds[1][:, None]
        off = np.abs(low + (high - low) * share - values) / np.maximum(high - low, 1e-9)
        assert np.nanmax(off) < 0.6 / LEVELS, column
        assert np.array_equal(np.isnan(share), np.isnan(values)), column
    labels = shown.labels
    assert labels is not None
    codes = arrays["label subphase.0"].reshape(len(shown.cells), -1)
    for cell, rows in labels.groupby("cell"):
        assert [NAMES[code] for code in codes[int(cell)]] == rows.sort_values(
            "step"
        ).subphase.tolist()


def test_too_much_is_thinned_and_said() -> None:
    """Each level is smaller than the one before; the page says what is left out, and numbers stay
    exact as long as there are any."""
    shown = read(SEEDS)
    found = packed(shown)
    sizes, notes = [], []
    while found.size not in sizes:
        sizes.append(found.size)
        notes.append(found.about["notes"])
        found = packed(shown, found.size - 1)
    assert sizes == sorted(sizes, reverse=True) and len(sizes) >= len(THINNED) - 2
    assert notes[0] == []
    assert all(len(each) == 1 and each[0].startswith("Thinned") for each in notes[1:])
    assert "201 points" in notes[1][0]
    nothing = packed(shown, 0)
    assert nothing.about["columns"] == [] and nothing.about["runs"] is None
    assert len(Arrays(nothing)["label subphase"]) == 4


@pytest.mark.parametrize(("points", "most"), [(1, 5), (5, 5), (101, 51), (101, 26), (7, 2)])
def test_thinned_curves_keep_both_ends(points: int, most: int) -> None:
    kept = chosen(points, most)
    assert len(kept) == min(points, most) and kept[0] == 0 and kept[-1] == points - 1


SWEEP: Final[dict[str, Any]] = {
    "name": "mixed",
    "task": {"kind": "modular", "modulus": 5},
    "model": {"width": 8},
    "train": {"steps": 20, "log_every": 10},
    "axes": {"data.data_fraction": [0.4, 0.8]},
    "variants": {"plain": {}, "wild": {"optimizer.learning_rate": 1e30}},
    "seeds": [0, 1],
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A variant that diverged."""
    folder = tmp_path_factory.mktemp("explore") / "mixed"
    return phasegrok.run(SWEEP, folder, progress=False).folder


def test_diverged_runs_and_other_steps(mixed: Path, tmp_path: Path) -> None:
    """Curves of some cells may have been logged more rarely than those of others."""
    folder = tmp_path / "mixed"
    shutil.copytree(mixed, folder)
    curves = pd.read_parquet(folder / "curves")
    rare = curves.data_fraction.eq(0.4) & curves.step.eq(10)
    merged = {"curves": curves[~rare], "runs": pd.read_parquet(folder / "runs")}
    for name, table in merged.items():
        shutil.rmtree(folder / name)
        (folder / name).mkdir()
        table.to_parquet(folder / name / "merged.parquet", index=False)
    found = packed(read(folder))
    arrays, cells = Arrays(found), read(folder).cells
    steps = [arrays[f"steps.{number}"].tolist() for number in arrays["grid"]]
    assert steps == [[0, 20] if a == 0.4 else [0, 10, 20] for a in cells["data_fraction"]]
    diverged = [NAMES[code] == "Diverged" for code in arrays["label subphase"]]
    assert diverged == [name == "wild" for name in cells["variant"]] and any(diverged)
    assert any("diverged" in note for note in found.about["notes"])
    assert found.about["runs"]["count"] == 8 and found.about["curves"]["labels"]


def test_unfinished_folders_are_shown_as_such(mixed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "half"
    shutil.copytree(mixed, folder)
    first, *_ = sorted((folder / "runs").glob("*.parquet"))
    for part in folder.glob(f"*/{first.name}"):
        part.unlink()
    found = packed(read(folder))
    assert found.about["notes"][0].startswith("Unfinished:")
    with pytest.raises(Refusal, match="no results here"):
        explore([tmp_path / "none"])


def test_the_file_stands_in_the_folder_and_bothers_nobody(mixed: Path) -> None:
    """One file more, and nothing else touched; a resume and ``verify`` do not mind it."""
    from phasegrok.running.audit import audit

    before = {path: path.stat().st_mtime_ns for path in mixed.rglob("*")}
    path = phasegrok.load(mixed).explore()
    assert path == mixed / "explore.html" and path.stat().st_size < 200_000
    after = {each: each.stat().st_mtime_ns for each in mixed.rglob("*")}
    assert {**before, path: after[path]} == after
    assert audit(mixed).sound
    assert phasegrok.run(SWEEP, mixed, progress=False).explore(mixed / "other.html").exists()


def test_two_folders_must_go_together(mixed: Path, tmp_path: Path) -> None:
    written = explore([mixed, mixed], tmp_path / "two.html")
    assert written.cells == (4, 4)
    with pytest.raises(Refusal, match="allowed: two sweeps over the same axes"):
        explore([mixed, SEEDS], tmp_path / "other.html")
    with pytest.raises(Refusal, match="allowed: one, or two to compare"):
        explore([mixed] * 3)
    with pytest.raises(Refusal, match="found a folder"):
        explore([mixed], tmp_path)
    assert not (tmp_path / "other.html").exists()


def test_a_closing_tag_in_a_name_stays_inside_its_block(tmp_path: Path) -> None:
    """A script block ends at its tag, whatever JSON means by it."""
    cells = pd.DataFrame({"variant": ["</script><b>", "<!--<script>"], "subphase": "Confusion"})
    cells.to_parquet(tmp_path / "cells.parquet")
    head = {"name": "</script>", "axes": ["variant"], "sweep": {}}
    (tmp_path / "manifest.json").write_text(json.dumps(head))
    text = explore([tmp_path]).path.read_text()
    assert text.count("</script>") == 2
    block = text.partition('<script type="application/json" id="data">')[2].partition("</script>")[
        0
    ]
    assert json.loads(block)["axes"][0]["texts"] == ["</script><b>", "<!--<script>"]
    assert not set("<>&") & set(block)
