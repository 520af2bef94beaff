"""The result folder: parts that appear whole, one writer at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from phasegrok.cli.diagram import diagram
from phasegrok.errors import Locked, Refusal
from phasegrok.figures import canvas, draw
from phasegrok.figures.cells import closeup
from phasegrok.plan.runs import expand
from phasegrok.results.arrow import as_table
from phasegrok.results.folder import Folder
from phasegrok.results.states import load_state, save_state
from phasegrok.results.tables import ChunkRuns, chunk_tables
from phasegrok.tasks import Size
from tests.conftest import MakeSweep
from tests.results.test_tables import STEPS, records


def test_published_parts_are_done_and_read_back(tmp_path: Path) -> None:
    """Curves first, runs last: a folder with curves alone is not done. Plain pandas reads it."""
    folder = Folder(tmp_path)
    made = {
        name: as_table(pd.DataFrame({"run": ["a", "b"], "seed": [0, 1]}))
        for name in ("curves", "runs")
    }
    folder.publish("000-00000", {"curves": made["curves"]})
    assert folder.published() == {}
    folder.publish("000-00000", made)
    assert folder.published() == {"000-00000": ("a", "b")}
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "runs"), made["runs"].to_pandas())


BIAS = """
axes: {model.bias: [true, false], optimizer.weight_decay: [0, 1]}
"""
IDS = ["239bcaee1347b823", "038144dd142de464", "4f42f69f61327dca", "4192953211344c4f"]
TIED = """
axes: {optimizer.weight_decay: [0, 1]}
variants:
  lstm: {model.kind: lstm}
  tied: {model.kind: transformer, model.tied: true}
  untied: {model.kind: transformer, model.tied: false}
"""


MANIFEST = {"name": "made up", "runs": 4, "device": "cpu", "sweep": {}, "sessions": []}


def published(folder: Folder, frame: pd.DataFrame, axes: list[str]) -> None:
    """Tables of made-up curves, in parts of two runs."""
    folder.path.mkdir(exist_ok=True)
    folder.write_manifest(MANIFEST | {"axes": axes})
    for part in range(0, len(frame), 2):
        rows = frame.iloc[part : part + 2]
        made = chunk_tables(ChunkRuns(rows, axes, Size(100)), STEPS, records(2), ["norm_u"])
        folder.publish(f"{part:03d}-00000", made)


def test_a_boolean_axis_is_a_boolean_column(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In all tables; its cells are found by it in both kinds of diagram and in close-ups. The runs
    are called what they have been called."""
    frame = expand(make_sweep(BIAS)).frame
    assert frame["run"].tolist() == IDS
    folder = Folder(tmp_path / "new")
    published(folder, frame, ["bias", "weight_decay"])
    for table in (folder.read("runs"), folder.read("curves"), folder.cells()):
        assert table["bias"].dtype == bool and set(table["bias"]) == {True, False}
    assert pq.read_schema(folder.cells_path).field("bias").type == pa.bool_()
    monkeypatch.setattr(canvas, "save", lambda figure, folder, name: [folder / f"{name}.png"])
    assert "curves" in {path.stem for path in draw(folder.path)}
    assert closeup(folder.cells(), ["bias"], {"bias": "true"})["bias"].tolist() == [True, True]
    assert "bias = False" in diagram(folder.cells(), ["bias", "weight_decay"], 80, False)


def test_a_boolean_that_some_variants_have(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Null in the others, also in a part and a folder of theirs alone."""
    frame = expand(make_sweep(TIED)).frame
    axes = ["variant", "tied", "weight_decay"]
    folder = Folder(tmp_path)
    published(folder, frame.iloc[:2], axes)
    assert folder.cells()["tied"].dtype == "boolean"
    published(folder, frame, axes)
    for table in (folder.read("runs"), folder.read("curves"), folder.cells()):
        assert table["tied"].dtype == "boolean"
        assert table.groupby("variant")["tied"].first().tolist() == [pd.NA, True, False]
    monkeypatch.setattr(canvas, "save", lambda figure, folder, name: [folder / f"{name}.png"])
    assert "curves" in {path.stem for path in draw(folder.path)}
    assert len(closeup(folder.cells(), axes, {"tied": "false"})) == 2
    assert "tied = True" in diagram(folder.cells(), ["tied", "weight_decay"], 80, False)


def test_a_folder_begun_with_texts_goes_on_with_texts(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """True and False, as booleans were written: all parts still read as one table."""
    frame = expand(make_sweep(BIAS)).frame
    old = frame.assign(bias=frame["bias"].map(str))
    axes, folder = ["bias", "weight_decay"], Folder(tmp_path)
    published(folder, old.iloc[:2], axes)
    published(folder, frame, axes)
    for table in (folder.read("runs"), pd.read_parquet(tmp_path / "curves"), folder.cells()):
        assert table["bias"].unique().tolist() == ["True", "False"]
    monkeypatch.setattr(canvas, "save", lambda figure, folder, name: [folder / f"{name}.png"])
    assert "curves" in {path.stem for path in draw(folder.path)}
    assert len(closeup(folder.cells(), axes, {"bias": "true"})) == 2


NEW = ("settled_train_accuracy", "settled_test_accuracy", "constant_neurons")


@pytest.mark.parametrize("first", [0, 2])
def test_a_folder_begun_with_fewer_columns_goes_on_with_them(
    make_sweep: MakeSweep, tmp_path: Path, first: int
) -> None:
    """Earlier versions measured less. Whichever part stands first in the folder, its tables have
    what they had in every row, read as one table, and give cells; a new folder has all of it."""
    frame = expand(make_sweep(BIAS)).frame
    axes = ["bias", "weight_decay"]
    folder, new = Folder(tmp_path / "old"), Folder(tmp_path / "new")
    published(new, frame, axes)
    published(folder, frame, axes)
    kept = f"{first:03d}-00000.parquet"
    for table in ("runs", "curves"):
        for part in (folder.path / table).iterdir():
            part.unlink()
        old = pd.read_parquet(new.path / table / kept).drop(columns=[*NEW], errors="ignore")
        pq.write_table(as_table(old), folder.path / table / kept)
    published(folder, frame, axes)
    for table in ("runs", "curves"):
        made, whole = pd.read_parquet(folder.path / table), new.read(table)
        pd.testing.assert_frame_equal(made, whole.drop(columns=[*NEW], errors="ignore"))
    assert set(new.cells()) - set(folder.cells()) == {*NEW}


def test_labels_follow_the_rules_of_today(make_sweep: MakeSweep, tmp_path: Path) -> None:
    """A part whose labels an earlier version gave gets those of today, and nothing else of it
    changes; a part that has them is not written, nor is any by a look at the cells."""
    folder = Folder(tmp_path)
    published(folder, expand(make_sweep(BIAS)).frame, ["bias", "weight_decay"])
    whole = folder.read("runs")
    stale, fresh = sorted((tmp_path / "runs").iterdir())
    table = pq.ParquetFile(stale).read()
    place = table.schema.get_field_index("phase")
    old = table.set_column(place, "phase", pa.array(["Forgetting"] * 2))
    pq.write_table(old, stale)
    before = [path.stat().st_mtime_ns for path in (stale, fresh)]
    folder.label()
    assert [path.stat().st_mtime_ns for path in (stale, fresh)] == before
    folder.cells()
    assert pq.ParquetFile(stale).read().equals(table) and not old.equals(table)
    assert fresh.stat().st_mtime_ns == before[1]
    pd.testing.assert_frame_equal(folder.read("runs"), whole)


def test_saved_weights_open_with_plain_numpy(tmp_path: Path) -> None:
    """weights/RUN/STEP.npz, arrays by name, as saved."""
    weights = {"u": np.arange(6, dtype=np.float32).reshape(2, 3), "hidden.0": np.ones((3, 3), "f4")}
    Folder(tmp_path).save_weights("abc", 200, weights)
    with np.load(tmp_path / "weights" / "abc" / "200.npz") as file:
        assert file.files == list(weights)
        np.testing.assert_array_equal(file["u"], weights["u"])


def test_checkpoints_serve_their_own_chunk_only(tmp_path: Path) -> None:
    """The same header gets its arrays back; a chunk of other runs gets nothing."""
    folder = Folder(tmp_path)
    path = folder.checkpoint_path("p")
    save_state(path, {"runs": ["a"], "intervals": 3}, {"x": np.arange(3)})
    loaded = load_state(path, {"runs": ["a"]})
    assert loaded is not None and loaded[0]["intervals"] == 3
    np.testing.assert_array_equal(loaded[1]["x"], np.arange(3))
    assert load_state(path, {"runs": ["b"]}) is None


def test_the_second_holder_is_told_who_is_first(tmp_path: Path) -> None:
    """The lock names its holder and is free again afterwards."""
    with (
        Folder(tmp_path).lock("process 7 on here"),
        pytest.raises(Locked, match="process 7 on here"),
        Folder(tmp_path).lock("me"),
    ):
        pass
    with Folder(tmp_path).lock("me"):
        pass


def test_old_results_are_moved_never_deleted(tmp_path: Path) -> None:
    """Twice aside: .old-1 and .old-2, each with its contents."""
    for n in (1, 2):
        folder = Folder(tmp_path / "wd")
        folder.path.mkdir()
        folder.write_text("mark", str(n))
        assert folder.set_aside() == tmp_path / f"wd.old-{n}"
    assert (tmp_path / "wd.old-1" / "mark").read_text() == "1"
    (tmp_path / "wd" / "below").mkdir(parents=True)
    assert Folder(tmp_path / "wd" / "below" / "..").set_aside() == tmp_path / "wd.old-3"
    with pytest.raises(Refusal, match="no results here"):
        folder.head()
