"""Every foreseen end is one line and an exit code."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from phasegrok.cli.exits import REFUSED, exit_codes
from phasegrok.cli.main import app
from phasegrok.errors import Locked, Refusal
from phasegrok.stopping import STATE

OUT = Path("results/wd")


def ends(error: BaseException, trains: bool = True) -> int:
    with pytest.raises(typer.Exit) as left, exit_codes(OUT) as doing:
        doing.trains = trains
        raise error
    return left.value.exit_code


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "results/wd: No space left on device; what was published is whole, and the same command"
            " goes on once there is space",
        ),
        (
            OSError(errno.EDQUOT, "Quota", "out/runs/.000-00000.parquet.41-0123abcd.tmp"),
            "out/runs/000-00000.parquet: Quota; what was published is whole, and the same command"
            " goes on once there is space",
        ),
        # As pyarrow tells it.
        (OSError("Error writing bytes. Detail: [errno 28] No space left on device"), "is space"),
        (PermissionError(errno.EACCES, "Permission denied", "out/runs"), "once it may be written"),
        (OSError(errno.EIO, "Input/output\nerror", "a"), "error: a: Input/output; what"),
    ],
)
def test_files_that_fail(capsys: pytest.CaptureFixture[str], error: OSError, words: str) -> None:
    """Code 74; the line names the file or the folder, and says how to go on if that is a sweep."""
    assert ends(error) == 74
    said = capsys.readouterr().err
    assert words in said and len(said.splitlines()) == 1
    assert ends(error, trains=False) == 74
    assert "goes on" not in capsys.readouterr().err


def test_other_ends(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused, locked, interrupted; a bug stays a traceback, unless a stop was on its way, which
    code in between may have made into something else."""
    assert [ends(e) for e in (Refusal("x"), Locked("y"), KeyboardInterrupt())] == [2, 3, 130]
    with pytest.raises(ZeroDivisionError), exit_codes():
        raise ZeroDivisionError
    monkeypatch.setattr(STATE, "stopped", True)
    monkeypatch.setattr(STATE, "caught", [10])
    assert [ends(e) for e in (ImportError(), OSError("x"), KeyboardInterrupt())] == [75, 75, 75]
    assert len(capsys.readouterr().err.splitlines()) == 6


def test_the_next_command_is_told(tmp_path: Path) -> None:
    """After the last mistake of a file, and for folders that hold nothing to look at."""
    file = tmp_path / "s.yaml"
    file.write_text("name: a\nloss: msee\ntrain: {steps: 1e3}\n")
    refused = CliRunner().invoke(app, ["sweep", str(file)])
    first, last = refused.stderr.splitlines()
    assert refused.exit_code == REFUSED and first.startswith("error: ") and "then" not in first
    assert last.startswith("error: ") and last.endswith(f"; then: phasegrok sweep {file} --plan")
    for arguments, words in (
        (["status", str(tmp_path)], "(phasegrok sweep quickstart writes results/quickstart)"),
        (["status", "--retrain", "2", "r"], "(phasegrok status --verify --retrain 2 r)"),
        (["sweep", str(tmp_path / "none.yaml")], "phasegrok new NAME writes one"),
    ):
        refused = CliRunner().invoke(app, arguments)
        assert refused.exit_code == REFUSED and words in refused.stderr, refused.stderr
