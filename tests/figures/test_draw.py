"""Figures are drawn from tables alone, the same each time, as far as the tables go."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from phasegrok.errors import Refusal
from phasegrok.figures import OVER_TIME, canvas, draw, draw_at
from phasegrok.figures.caption import caption
from phasegrok.figures.cells import MOST_CELLS
from phasegrok.figures.context import read_context
from tests.figures.made import AXES, CELLS, LOGITS, TABLES, paper_grid, result_folder


def test_files_and_determinism(tmp_path: Path) -> None:
    """The figures exist as PNG and PDF with the right first bytes, nothing unpublished is left,
    and drawing the same tables again gives the same bytes (so no date or chance is in them).
    """
    folder = result_folder(tmp_path, paper_grid([0.0, 5.0]), AXES)
    paths = draw(folder)
    drawn = ("phase_diagram", "accuracy", "boundaries")
    names = [f"{name}.{kind}" for name in drawn for kind in ("png", "pdf")]
    assert paths == [folder / "figures" / name for name in names]
    assert sorted(p.name for p in (folder / "figures").glob("[!.]*")) == sorted(names)
    first = [path.read_bytes() for path in paths]
    assert [b[:4] for b in first] == [b"\x89PNG", b"%PDF"] * 3
    assert b"CreationDate" not in first[1]
    assert [path.read_bytes() for path in draw(folder)] == first


def test_nothing_to_draw(tmp_path: Path) -> None:
    """An empty table of cells is refused in words."""
    folder = result_folder(tmp_path, paper_grid([0]).iloc[:0], AXES)
    with pytest.raises(ValueError, match="no cells"):
        draw(folder)


def test_draw_makes_every_figure_its_tables_allow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them from a folder with all tables; from one with many cells only the diagrams."""
    for name, rows in TABLES.items():
        (tmp_path / name).mkdir()
        rows.to_parquet(tmp_path / name / "part.parquet")
    CELLS.to_parquet(tmp_path / "cells.parquet")
    (tmp_path / "manifest.json").write_text(
        json.dumps({"name": "x", "axes": ["weight_decay"], "sweep": {}})
    )
    names = {path.stem for path in draw(tmp_path)}
    assert names == {
        "phase_diagram",
        "accuracy",
        "curves",
        "losses",
        "norms",
        "ipr_histograms",
        "weight_rows",
        "pruning_accuracy",
        "pruning_loss",
        "logits",
        "activations",
        "output_weights",
    }
    # What else is drawn is told by name: rendering takes seconds.
    monkeypatch.setattr(canvas, "save", lambda figure, folder, name: [folder / f"{name}.png"])
    many = CELLS.iloc[np.zeros(MOST_CELLS + 1, int)].assign(weight_decay=range(MOST_CELLS + 1))
    many.to_parquet(tmp_path / "cells.parquet")
    (tmp_path / "figures" / "mine.png").touch()
    assert {path.stem for path in draw(tmp_path)} == {"phase_diagram", "accuracy"}
    # What was drawn of few cells is gone. What no picture is called by is somebody's own.
    there = {path.name for path in (tmp_path / "figures").glob("[!.]*.png")}
    assert there == {"phase_diagram.png", "accuracy.png", "mine.png"}
    (tmp_path / "closeup.json").write_text(json.dumps({"weight_decay": "0"}))
    assert {path.stem for path in draw(tmp_path)} == names


def test_tables_of_some_cells_are_drawn_for_those(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logits are of corrupted examples: of a cell without any there are none, and of a sweep
    without any there is no figure."""
    monkeypatch.setattr(canvas, "save", lambda figure, folder, name: [folder / f"{name}.png"])
    CELLS.to_parquet(tmp_path / "cells.parquet")
    (tmp_path / "manifest.json").write_text(
        json.dumps({"name": "x", "axes": ["weight_decay"], "sweep": {}})
    )
    (tmp_path / "logits").mkdir()
    for rows, drawn in ((LOGITS[LOGITS["weight_decay"] > 0], True), (LOGITS.iloc[:0], False)):
        rows.to_parquet(tmp_path / "logits" / "part.parquet")
        assert ("logits" in {path.stem for path in draw(tmp_path)}) == drawn


def test_cells_alone_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep over widths is drawn too, though the tables of its other figures are not there."""
    monkeypatch.setattr(canvas, "save", lambda figure, folder, name: [folder / f"{name}.png"])
    CELLS.rename(columns={"weight_decay": "width"}).to_parquet(tmp_path / "cells.parquet")
    manifest = {"axes": ["width"], "sweep": {"model": {"initialization": "analytic"}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "runs").mkdir()
    assert {path.stem for path in draw(tmp_path)} == {"phase_diagram", "accuracy"}


def test_diagrams_as_they_were_at_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn beside those of the end, from runs and curves alone; without curves there are none."""
    reference = Path(__file__).parents[2] / "results" / "reference" / "quickstart"
    for name in ("runs", "curves", "manifest.json", "cells.parquet"):
        copy = shutil.copytree if (reference / name).is_dir() else shutil.copy
        copy(reference / name, tmp_path / name)
    written = draw_at(tmp_path, 100)
    folder = tmp_path / "figures" / "step-100"
    assert written == [folder / f"{name}.{kind}" for name in OVER_TIME for kind in ("png", "pdf")]
    (late,) = [path for path in draw_at(tmp_path, 1000) if path.name == "phase_diagram.png"]
    assert (folder / "phase_diagram.png").read_bytes() != late.read_bytes()
    kinds = ("png", "pdf")
    monkeypatch.setattr(canvas, "save", lambda _, at, name: [at / f"{name}.{k}" for k in kinds])
    assert draw_at(tmp_path, 119) == written, "the last step that was logged"
    with pytest.raises(Refusal, match="--step -1: found a negative number"):
        draw_at(tmp_path, -1)
    shutil.rmtree(tmp_path / "curves")
    with pytest.raises(Refusal, match="holds no curves"):
        draw_at(tmp_path, 100)


def test_diagrams_by_another_label(tmp_path: Path) -> None:
    """In a folder of its own, also at a step, and with words; a label that is none is refused."""
    reference = Path(__file__).parents[2] / "results" / "reference" / "quickstart"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canvas, "save", lambda figure, folder, name: [folder / f"{name}.png"])
        for name in ("runs", "curves"):
            shutil.copytree(reference / name, tmp_path / name)
        shutil.copy(reference / "manifest.json", tmp_path)
        names = [*OVER_TIME, "boundaries"]
        folder = tmp_path / "figures"
        found = draw_at(tmp_path, label="direct_phase")
        assert found == [folder / "direct_phase" / f"{name}.png" for name in names]
        then = draw_at(tmp_path, 100, label="direct_phase")
        assert then == [folder / "step-100" / "direct_phase" / f"{name}.png" for name in OVER_TIME]
    direct = read_context(tmp_path, label="direct_phase")
    assert caption(direct).startswith("quickstart: labels by direct_phase, p = 47")
    assert (direct.cells["subphase"] == direct.cells["direct_phase"]).all()
    usual = read_context(tmp_path).cells
    assert (usual["subphase"] != usual["direct_phase"]).any()
    for label in ("best", "phase"):
        with pytest.raises(Refusal, match=f"--label {label}: found no label .* subphase, direct_"):
            draw_at(tmp_path, label=label)


def test_pictures_of_removed_tables_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of activations is large, and may be removed once it is drawn. Curves of single cells
    are stale all the same once there are many."""
    monkeypatch.setattr(canvas, "save", lambda figure, folder, name: [folder / f"{name}.png"])
    many = CELLS.iloc[np.zeros(MOST_CELLS + 1, int)].assign(weight_decay=range(MOST_CELLS + 1))
    many.to_parquet(tmp_path / "cells.parquet")
    (tmp_path / "curves").mkdir()
    TABLES["curves"].assign(weight_decay=0).to_parquet(tmp_path / "curves" / "part.parquet")
    sweep = {"measure": {"activations": 40}}
    manifest = {"axes": ["weight_decay"], "sweep": sweep}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "figures").mkdir()
    for name in ("activations", "curves"):
        (tmp_path / "figures" / f"{name}.png").touch()
    draw(tmp_path)
    assert [path.name for path in (tmp_path / "figures").glob("[!.]*")] == ["activations.png"]
