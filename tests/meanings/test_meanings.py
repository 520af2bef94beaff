"""No column without a meaning: in the words, in the files, and in folders of other versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import phasegrok
from phasegrok import meanings
from phasegrok.analysis.timeline import labels_by_step
from phasegrok.cli.compare import compare_folders
from phasegrok.config import PATHS, column
from phasegrok.files.seal import BLANK, sealing
from phasegrok.meanings import TABLES, Meaning, meaning
from phasegrok.results.folder import Folder
from phasegrok.results.parts import read_part, read_table, write_part
from tests.conftest import TINY

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
EVERYTHING = """\
model: {width: 12, normalization: batch, embedding: 4}
data: {corruption_fraction: 0.2}
axes: {optimizer.weight_decay: [0, 1]}
seeds: [0, 1]
event: {kind: at_step, at_step: 20}
measure:
  {spectra: true, spectral_norms: true, correct_logit: true, readout: true, activations: 3,
   pruning: [lowest], logits: 2, rows: 2}
"""


def columns(folder: Path) -> Iterator[tuple[Path, str, pa.Field]]:
    """Every column of the Parquet files of a result folder, with its table."""
    for file in [*folder.glob("*.parquet"), *folder.glob("*/[!.]*.parquet")]:
        table = file.stem if file.parent == folder else file.parent.name
        yield from ((file, table, field) for field in pq.read_schema(file))


def test_every_column_of_the_reference_tables_has_a_meaning() -> None:
    """And each in one line, whose braces are filled in."""
    seen = {
        (table, field.name)
        for folder in REFERENCE.iterdir()
        if folder.is_dir()
        for _, table, field in columns(folder)
    }
    assert len(seen) > 150
    for table, name in seen:
        found = meaning(table, name)
        assert found, f"{table}.{name} has no meaning"
        assert found.text and "{}" not in found.text and "\n" not in found.text


def test_every_key_of_a_sweep_file_is_explained_as_a_column() -> None:
    """Whatever is swept has words; numbers that are traced have a description of their own."""
    for path, fields in PATHS.items():
        found = meaning("runs", column(path))
        assert found and found.text.strip(), path
        if not path.endswith(".kind") and path != "loss":
            assert any(field.description for field in fields), f"{path} has no description"


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep with every measurement, an event and two seeds, and all of its tables."""
    place = tmp_path_factory.mktemp("everything")
    (place / "everything.yaml").write_text(TINY.replace("model: {width: 12}\n", "") + EVERYTHING)
    out = phasegrok.run(place / "everything.yaml", place / "out", progress=False).folder
    folder = Folder(out)
    table = labels_by_step(folder.read("runs"), folder.read("curves"), folder.head().axes)
    folder.write_table("labels_by_step.parquet", table)
    compare_folders(out, out, "subphase", place / "out" / "compared")
    for file in (out / "compared").glob("*.parquet"):
        file.rename(out / file.name)
    return out


def test_files_say_what_their_columns_mean(everything: Path) -> None:
    """Every table that there is, every column, with the unit and the source that the words have."""
    found = list(columns(everything))
    assert {table for _, table, _ in found} == set(TABLES)
    for file, table, field in found:
        words = meaning(table, field.name)
        held = field.metadata or {}
        assert words, f"{table}.{field.name} has no meaning"
        assert held[b"meaning"].decode() == words.text, file
        assert held.get(b"unit", b"").decode() == words.unit
        assert held.get(b"source", b"").decode() == words.source


def test_what_it_says_depends_on_the_table() -> None:
    """A mean is not a last value, a boundary's seeds are not a cell's, a pattern is filled in."""
    texts = {table: meaning(table, "test_accuracy") for table in ("runs", "curves", "cells")}
    assert len({each.text for each in texts.values() if each}) == 3
    assert meaning("cells", "seeds") != meaning("boundaries", "seeds")
    matrix = meaning("neurons", "ipr_embedding")
    assert matrix and "vector in embedding" in matrix.text
    assert meaning("runs", "weight_decay") == meaning("rows", "weight_decay")
    assert meaning("runs", "nothing") is None and meaning("nothing", "ipr") is None


@pytest.mark.parametrize("older", [0, 1])
def test_parts_with_and_without_words_are_one_table(tmp_path: Path, older: int) -> None:
    """A folder that an earlier version began: whichever part lacks the words, ours and pandas read
    the same rows, and a part that is written again has them."""
    frame = pd.DataFrame({"run": ["a", "b"], "seed": [0, 1], "test_accuracy": [0.5, None]})
    table = pa.Table.from_pandas(frame, preserve_index=False)
    files = [tmp_path / "runs" / f"000-0000{i}.parquet" for i in range(2)]
    files[0].parent.mkdir()
    for i, file in enumerate(files):
        if i == older:
            with (
                sealing(file) as opened,
                pq.ParquetWriter(sink := pa.PythonFile(opened, mode="w"), table.schema) as writer,
            ):
                sink.write(BLANK.encode())
                writer.write_table(table)
        else:
            write_part(file, table)
    twice = pd.concat([frame, frame], ignore_index=True)
    pd.testing.assert_frame_equal(read_table(files[0].parent), twice, check_dtype=False)
    pd.testing.assert_frame_equal(pd.read_parquet(files[0].parent), twice, check_dtype=False)
    old = files[older]
    assert b"meaning" not in (pq.read_schema(old).field("seed").metadata or {})
    write_part(old, read_part(old))
    assert old.read_bytes() == files[1 - older].read_bytes()


def test_a_new_measurement_declares_its_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of its own, and a scalar, which runs and cells have too."""
    tables = {name: each._replace(columns=dict(each.columns)) for name, each in TABLES.items()}
    monkeypatch.setattr(meanings, "TABLES", tables)
    meanings.declare("outputs", {"size": Meaning("mean size", "outputs")}, "output", "outputs")
    meanings.declare("curves", {"effective_neurons": Meaning("how many take part", "neurons")})
    assert meaning("outputs", "size") == ("mean size", "outputs", "")
    for table in ("runs", "curves", "cells"):
        found = meaning(table, "effective_neurons")
        assert found and found.text.startswith("how many take part")
    assert meaning("outputs", "seed") and tables["outputs"].key == "outputs"
