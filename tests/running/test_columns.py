"""The columns of tables: every setting, the step of an event, and the manifest's word on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from phasegrok import running
from phasegrok.config import PATHS, column
from phasegrok.errors import Damaged
from phasegrok.results.folder import Folder
from phasegrok.results.parts import write_part
from tests.conftest import MakeSweep
from tests.running.watching import Watch, rewrite_manifest, start

AXES = """
axes: {optimizer.weight_decay: [0, 1, 2, 3]}
engine: {chunk: 2, mapping: vmap}
measure: {spectra: true, logits: 2, readout: true, rows: 1, activations: 2, pruning: [lowest]}
data: {corruption_fraction: 0.5}
"""
TABLES = ("runs", "curves", "neurons", "logits", "readout", "rows", "activations", "pruning")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from phasegrok.sweep.load import load
    from tests.conftest import TINY

    home = tmp_path_factory.mktemp("done")
    (home / "tiny.yaml").write_text(TINY + AXES)
    start(load(home / "tiny.yaml"), home / "out")
    return home / "out"


def copied(done: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(done, tmp_path / "out"))


def columns_of(out: Path) -> dict[str, dict[str, str]]:
    found: dict[str, Any] = json.loads((out / "manifest.json").read_text())["columns"]
    return found


def test_the_manifest_has_the_columns_of_every_part(done: Path) -> None:
    """Planned before the first run was trained, from networks of zeros: names, order and types are
    those that the parts have, in every kind of table."""
    planned = columns_of(done)
    assert set(planned) == set(TABLES)
    for table in TABLES:
        for part in (done / table).glob("*.parquet"):
            schema = pq.read_schema(part)
            assert {f.name: str(f.type) for f in schema} == planned[table], table
            assert schema.names == list(planned[table])


def test_runs_have_every_setting(done: Path) -> None:
    """Swept or not, under its leaf name; keys that the kinds do not have, and paths of files, are
    not there."""
    runs = pd.read_parquet(done / "runs")
    row = runs.iloc[0]
    assert (row["modulus"], row["width"], row["depth"], row["steps"]) == (7, 12, 2, 40)
    assert (row["task"], row["model"], row["optimizer"]) == ("modular", "mlp", "adamw")
    assert (row["activation"], row["batch_size"], row["schedule"]) == (
        "quadratic",
        "full",
        "constant",
    )
    assert runs["bias"].dtype == bool and runs["embedding"].isna().all()
    assert runs["epochs"].dtype == float
    assert not {"heads", "momentum", "source", "event_value", "event_step"} & set(runs.columns)
    assert len(set(runs.columns)) == len(runs.columns)


def test_two_sweeps_can_be_put_together(make_sweep: MakeSweep, tmp_path: Path, done: Path) -> None:
    """By the columns alone one knows which rows are of which network, also where one sweep sweeps
    what the other holds fixed."""
    start(make_sweep("axes: {model.width: [3, 4]}\n", "optimizer.weight_decay=1"), tmp_path / "b")
    both = pd.concat([pd.read_parquet(folder / "runs") for folder in (done, tmp_path / "b")])
    counts = both.groupby(["width", "weight_decay"]).size()
    assert counts.to_dict() == {
        (3, 1): 1,
        (4, 1): 1,
        (12, 0): 1,
        (12, 1): 1,
        (12, 2): 1,
        (12, 3): 1,
    }
    assert both["modulus"].eq(7).all() and both["width"].dtype == float


def test_every_column_is_one_key(make_sweep: MakeSweep) -> None:
    names = [column(path) for path in PATHS]
    assert len(set(names)) == len(names)


def odd(path: Path, how: str) -> None:
    """A whole part, with its seal, that has other columns."""
    table = pq.read_table(path)
    if how == "more":
        table = table.append_column("loss_scale", pa.nulls(len(table), pa.float64()))
    elif how == "less":
        table = table.drop_columns(["test_loss"])
    else:
        place = table.schema.get_field_index("test_loss")
        table = table.set_column(place, "test_loss", pa.array(["x"] * len(table)))
    write_part(path, table)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("more", "found a column loss_scale, which this table does not have"),
        ("less", "found no column test_loss"),
        ("other", "found test_loss of string; this table has double"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_part_with_other_columns_is_refused_by_name(
    done: Path, tmp_path: Path, make_sweep: MakeSweep, how: str, words: str, first: bool
) -> None:
    """Whether it is the first part or another: reading names it; a resume sets it aside and trains
    its chunk again."""
    out = copied(done, tmp_path)
    part = sorted((out / "curves").glob("*.parquet"))[0 if first else 1]
    odd(part, how)
    with pytest.raises(Damaged, match=words) as damage:
        Folder(out).read("curves")
    assert str(damage.value).startswith(f"{part}: damaged: ")
    if not first or how != "more":
        return  # one retraining is enough
    notes: list[str] = []
    prepared = running.prepare(make_sweep(AXES), out, False, notes.append)
    watch = Watch()
    running.run(prepared, watch)
    assert watch.trained == 2 and words in notes[0]
    expected = pd.read_parquet(done / "curves")
    pd.testing.assert_frame_equal(Folder(out).read("curves"), expected)


def test_a_column_that_no_part_has_was_removed_on_purpose(done: Path, tmp_path: Path) -> None:
    """A table may be shortened as a whole."""
    out = copied(done, tmp_path)
    for part in (out / "curves").glob("*.parquet"):
        odd(part, "less")
    assert "test_loss" not in Folder(out).read("curves")


def test_an_older_folder_goes_on_with_its_own_columns(
    done: Path, tmp_path: Path, make_sweep: MakeSweep
) -> None:
    """Its manifest does not say which they are, and its parts have fewer: new parts are like them,
    and it reads as one table."""
    out = copied(done, tmp_path)
    manifest = json.loads((out / "manifest.json").read_text())
    del manifest["columns"], manifest["numerics"]
    rewrite_manifest(out, manifest)
    for part in (out / "runs").glob("*.parquet"):
        write_part(part, pq.read_table(part).drop_columns(["modulus", "width", "schedule"]))
    for table in TABLES:
        (out / table / "000-00001.parquet").unlink()
    prepared = running.prepare(make_sweep(AXES), out, False, lambda line: None)
    watch = Watch()
    running.run(prepared, watch)
    assert watch.trained == 2
    runs = Folder(out).read("runs")
    assert len(runs) == 4 and "modulus" not in runs
    assert "columns" not in json.loads((out / "manifest.json").read_text())


def test_an_extension_has_its_new_columns_in_the_manifest(
    done: Path, tmp_path: Path, make_sweep: MakeSweep
) -> None:
    """Another axis: it moves to the front of the keys, in old parts and new ones."""
    out = copied(done, tmp_path)
    more = AXES.replace("axes: {", "axes: {model.width: [12, 5], ")
    assert start(make_sweep(more), out, extend=True).trained == 4
    planned = columns_of(out)
    assert "width" in planned["curves"] and set(planned) == set(TABLES)
    for table in TABLES:
        schemas = [pq.read_schema(part) for part in (out / table).glob("*.parquet")]
        assert {f.name: str(f.type) for f in schemas[0]} == planned[table]
        assert all(each.equals(schemas[0]) for each in schemas)
    assert sorted(Folder(out).read("runs")["width"]) == [5] * 4 + [12] * 4


EVENTS = """
axes: {event.at_step: [0, 11, 40, 41]}
event: {kind: at_step, set: optimizer.weight_decay, value: 1}
"""


def test_the_step_at_which_an_event_came(make_sweep: MakeSweep, tmp_path: Path) -> None:
    """The first logging point at or after it; null where training ended before."""
    start(make_sweep(EVENTS), tmp_path / "out")
    runs = pd.read_parquet(tmp_path / "out" / "runs").set_index("event_at_step")
    steps = runs["event_step"]
    assert steps[[0, 11, 40]].tolist() == [0, 20, 40] and pd.isna(steps[41])


def test_rows_taken_from_an_older_folder_get_it_too(make_sweep: MakeSweep, tmp_path: Path) -> None:
    """It follows from curves and settings."""
    old, new = tmp_path / "old", tmp_path / "new"
    start(make_sweep(EVENTS.replace("[0, 11, 40, 41]", "[11, 41]")), old)
    for part in (old / "runs").glob("*.parquet"):
        write_part(part, pq.read_table(part).drop_columns(["event_step"]))
    manifest = json.loads((old / "manifest.json").read_text())
    del manifest["columns"]
    rewrite_manifest(old, manifest)
    assert start(make_sweep(EVENTS), new, reuse=[old]).trained == 2
    steps = Folder(new).read("runs").set_index("event_at_step")["event_step"]
    assert steps[[0, 11, 40]].tolist() == [0, 20, 40] and pd.isna(steps[41])
