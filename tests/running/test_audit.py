"""``status --verify``: what is damaged, and whether numbers come out the same again."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from phasegrok.cli.main import app
from phasegrok.errors import Refusal
from phasegrok.results.arrow import as_table
from phasegrok.results.folder import Folder
from phasegrok.results.parts import read_table, write_part
from phasegrok.running.audit import audit
from phasegrok.sweep.load import Sweep
from phasegrok.train import devices
from tests.running.damage import copied, make

Made = tuple[Sweep, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("audit"))


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_sound_folder_is_sound(made: Made) -> None:
    """All files are counted; runs that are trained again are the same in every bit; nothing is
    written."""
    _, whole = made
    before = contents(whole)
    found = audit(whole, retrain=4, seed=1)
    assert found.found.files == len(list(whole.glob("*/*.parquet"))) + 2 * 6
    assert (found.notes, found.done, found.differ, found.labels) == ([], 6, {}, set())
    assert found.trained in (4, 5)
    assert contents(whole) == before


def test_damage_is_told_and_left(made: Made, tmp_path: Path) -> None:
    out = copied(made[1], tmp_path / "out")
    (out / "curves" / "000-00000.parquet").write_bytes(b"")
    before = contents(out)
    found = audit(out)
    assert found.done < 6 and "curves/000-00000.parquet" in found.notes[0]
    assert contents(out) == before


def test_other_numbers_are_found(made: Made, tmp_path: Path) -> None:
    """In parts that are whole files, of the right runs: somebody wrote what was never trained."""
    out = copied(made[1], tmp_path / "out")
    for path in Folder(out).parts("runs"):
        rows = read_table(path)
        rows["test_loss"] += 0.25
        rows["phase"] = "Inversion"
        write_part(path, as_table(rows))
    found = audit(out, retrain=6)
    assert found.differ == pytest.approx({"runs.test_loss": 0.25})
    true = pd.read_parquet(made[1] / "runs")
    assert found.labels == set(true["run"][true["phase"] != "Inversion"])


def test_the_command_says_it(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 for damage, and for numbers that should be the same and are not; another
    processor may round otherwise."""
    monkeypatch.setattr(devices, "use_all_cores", lambda: None)  # JAX has begun already

    def status(*args: object) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["status", *map(str, args)], catch_exceptions=False)
        return done.exit_code, done.output

    code, text = status("--verify", "--retrain", 6, made[1])
    assert code == 0 and "of 6 runs\nall are whole\ntrained 6 runs again: every number" in text
    assert status("--retrain", 1, made[1])[0] == 2
    out = copied(made[1], tmp_path / "out")
    (path, *_) = Folder(out).parts("runs")
    rows = read_table(path)
    rows["train_accuracy"] += 0.5
    write_part(path, as_table(rows))
    code, text = status("--verify", "--retrain", 6, out)
    assert code == 1 and "numbers differ in 1 column, accuracies by at most 0.5; 0 runs got" in text
    monkeypatch.setattr("phasegrok.running.audit.processor", lambda: "another")
    code, text = status("--verify", "--retrain", 6, out)
    assert code == 0 and "another kind of processor" in text
    path.write_bytes(path.read_bytes()[:-1])
    code, text = status("--verify", out)
    assert code == 1 and f"note: {path}: its checksum does not hold" in text


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="found no such file"):
        audit(tmp_path)
