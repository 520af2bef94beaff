"""Every folder of results/reference goes on: it is followed, and nothing published is repeated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phasegrok import running
from phasegrok.errors import Refusal
from phasegrok.results.folder import JOINED
from phasegrok.running.manifest import from_json
from phasegrok.sweep.load import load

FOLDERS = sorted((Path(__file__).parents[2] / "results" / "reference").glob("*/manifest.json"))
ABSENT = ("mnist", "mnist-dropout", "mixture")  # the files that they name are not in a clone


@pytest.mark.parametrize("manifest", FOLDERS, ids=lambda path: path.parent.name)
def test_a_reference_folder_goes_on(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is missing but what was never trained, and preparing writes nothing."""
    folder = manifest.parent
    monkeypatch.chdir(folder.parents[2])
    before = manifest.read_bytes()
    sweep = load(folder / "sweep.yaml")
    if folder.name in ABSENT:
        with pytest.raises(Refusal, match=r"mnist|circuits"):
            running.prepare(sweep, folder, fresh=False)
        return
    notes: list[str] = []
    prepared = running.prepare(sweep, folder, False, notes.append)
    assert prepared.resumes
    missing = sum(len(chunk.runs) for chunk in prepared.missing())
    assert missing == 0
    assert not [note for note in notes if "anew" in note], notes
    assert manifest.read_bytes() == before
    # A merged part of a folder that an earlier version began is no chunk of any plan.
    merged = [p for p in (folder / "runs").iterdir() if JOINED in p.stem or p.stem == "all"]
    assert merged or not prepared.manifest.kept
    again = from_json(json.loads(json.dumps(prepared.manifest.to_json())), manifest)
    assert again == prepared.manifest
