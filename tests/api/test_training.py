"""Sweeps from Python: what would be trained is said before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

import phasegrok
from phasegrok.errors import Refusal

SWEEP = {
    "name": "asked",
    "task": {"kind": "modular", "modulus": 7},
    "model": {"width": 12},
    "train": {"steps": 40, "log_every": 10},
    "axes": {"optimizer.weight_decay": [0, 1, 2]},
}


def test_an_estimate_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a dict, with changes; then less of a folder that has some runs, and none of a whole one.
    What a notebook shows is what the command prints."""
    monkeypatch.chdir(tmp_path)
    before = phasegrok.estimate(SWEEP, change=["seeds=[0, 1]"])
    assert before.runs == 6 and before.seconds > 0
    assert repr(before).startswith("asked: 6 runs = 3 weight_decay x 2 seeds\n")
    assert "estimated time on this machine: " in before.text
    assert list(tmp_path.iterdir()) == []
    phasegrok.run(SWEEP, progress=False)
    more = phasegrok.estimate(SWEEP, change=["seeds=[0, 1]"], extend=True)
    assert more.runs == 3 and "3 of 6 runs are done" in more.text
    done = phasegrok.estimate(SWEEP)
    assert (done.runs, done.seconds) == (0, 0) and "nothing is left to train" in done.text


def test_a_sweep_has_a_name(tmp_path: Path) -> None:
    """As of the command: a shipped one, or a file."""
    found = phasegrok.estimate("quickstart", tmp_path / "out", change=["seeds=[0]"], refine=0)
    assert found.runs == 80
    with pytest.raises(Refusal, match=r"quickstrat: no such file.*did you mean quickstart"):
        phasegrok.run("quickstrat", tmp_path / "out")
    assert not (tmp_path / "out").exists()
