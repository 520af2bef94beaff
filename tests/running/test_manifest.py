"""The manifest: what is written is read back, and what cannot be read is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from phasegrok import running
from phasegrok.errors import Refusal
from phasegrok.results.folder import Folder
from phasegrok.running.manifest import from_json, read_manifest
from tests.conftest import MakeSweep

AXES = "axes: {data.data_fraction: [0.3, 0.8], optimizer.weight_decay: [0, 1, 2]}\n"


@pytest.fixture
def written(make_sweep: MakeSweep, tmp_path: Path) -> dict[str, Any]:
    """The JSON values of a sweep's manifest."""
    prepared = running.prepare(make_sweep(AXES, "engine.chunk=2"), tmp_path / "out", False)
    return json.loads(json.dumps(prepared.manifest.to_json()))


def test_it_is_read_back(written: dict[str, Any], tmp_path: Path) -> None:
    """Every job has its program's shape, its layout, and the runs of each chunk; nothing in it is
    of no use."""
    manifest = from_json(written, tmp_path)
    assert json.loads(json.dumps(manifest.to_json())) == written
    assert not manifest.old and manifest.platform == "cpu"
    assert written["format"] == 2 and "sweep_hash" not in written and "kept" not in written
    chunks = [ids for job in manifest.jobs for ids in job.chunks.values()]
    assert sum(map(len, chunks)) == 6 and max(map(len, chunks)) == 2
    assert set(written["jobs"][0]) == {"program", "layout", "chunks"}
    assert set(written["jobs"][0]["layout"]) == {
        "mapping",
        "chunk",
        "devices",
        "batch",
        "intervals",
        "piece",
    }
    assert min(manifest.jobs[0].chunks) == "000-00000"


def test_an_old_one_is_read(written: dict[str, Any], tmp_path: Path) -> None:
    """Its jobs are layouts whose mapping is called kind; what it has besides is ignored."""
    layouts = [dict(job["layout"]) for job in written["jobs"]]
    old = written | {"jobs": [{"kind": each.pop("mapping")} | each for each in layouts]}
    del old["format"], old["data"]
    manifest = from_json(old | {"sweep_hash": "0"}, tmp_path)
    assert manifest.old and not manifest.jobs and manifest.data == []
    assert list(manifest.layouts) == [job.layout for job in from_json(written, tmp_path).jobs]


def test_what_cannot_be_read_is_refused(written: dict[str, Any], tmp_path: Path) -> None:
    """The line names the file and the key, and says that the tables are safe."""
    folder = Folder(tmp_path)
    assert read_manifest(folder) is None
    no_jobs = {key: value for key, value in written.items() if key != "jobs"}
    no_engine = {key: value for key, value in written["sweep"].items() if key != "engine"}
    job = written["jobs"][0]
    for text, words in (
        ("{", "found no JSON object"),
        ("[1]", "found no JSON object"),
        (json.dumps(written | {"format": 3}), "format: found 3"),
        (json.dumps(written | {"format": "2"}), "format: found '2'"),
        (json.dumps(no_jobs), "jobs: Field required"),
        (json.dumps(written | {"jobs": [1]}), "jobs.0: "),
        (json.dumps(written | {"machine": {}}), "machine.platform: "),
        (json.dumps(written | {"sweep": no_engine}), "sweep.engine: missing"),
        (json.dumps(written | {"jobs": [job | {"chunks": {}}]}), "jobs.0.chunks: found one of no"),
        (json.dumps(written | {"jobs": [job | {"layout": {}}]}), "jobs.0.layout.mapping: "),
    ):
        folder.manifest_path.write_text(text)
        with pytest.raises(Refusal) as refusal:
            read_manifest(folder)
        line = str(refusal.value)
        assert line.startswith(f"{folder.manifest_path}: ") and words in line, line
        assert "safe" in line and "allowed" in line and "\n" not in line
