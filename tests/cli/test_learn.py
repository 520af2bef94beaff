"""``phasegrok list``, ``keys`` and ``help``."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phasegrok.cli.main import app
from phasegrok.config import OTHER_PATHS, PATHS
from phasegrok.machine import REFERENCE_CORE
from phasegrok.sweep.shipped import shipped


def call(*args: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, args, catch_exceptions=False)
    return done.exit_code, done.output


def test_a_line_for_each_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its runs, and times that are longer where cores are slower or fewer."""
    monkeypatch.setattr("phasegrok.machine.cores", lambda: 1)
    half = REFERENCE_CORE._replace(products=REFERENCE_CORE.products / 2)
    monkeypatch.setattr("phasegrok.machine.core_speed", lambda: half)
    code, text = call("list")
    assert code == 0 and max(map(len, text.splitlines())) <= 100
    rows = {line.split()[0]: line for line in text.splitlines() if line.startswith("  ")}
    for each in shipped():
        assert f" {each.size.runs} " in rows[each.name]
    wd = shipped()[[each.name for each in shipped()].index("wd")]
    hours = 4 * wd.size.seconds / 3600
    assert f" {hours:.0f} h " in rows["wd"] or f"{hours / 24:.2g} days" in rows["wd"]
    assert rows["wd"].endswith("  3a") and " 100 " in rows["wd"]
    assert "1 core" in text and "begin with\n  quickstart" in text


def test_some_sweeps_or_one() -> None:
    code, text = call("list", "parity-n")
    assert code == 0 and "parity-neurons-2" in text and "quickstart" not in text
    code, text = call("list", "wd")
    assert code == 0 and "What one should see: without decay Coexistence" in text
    assert "--reduced: a coarse 5 x 5 x 4 grid" in text and "1292 runs" in text
    code, text = call("list", "mixture")
    assert code == 0 and "20 runs" in text and "?" not in text
    code, text = call("list", "grok")  # a word of a paper's title says nothing of a sweep
    assert code == 0 and "model-grokking" in text and "  dropout " not in text
    code, text = call("list", "nonsense")
    assert code == 2 and "nonsense: found no sweep" in text


def test_a_file_of_ones_own_beside_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is listed by its runs, under no paper; one that is no sweep too."""
    shutil.copy(shipped()[0].path.parent / "sizes.csv", tmp_path)
    (tmp_path / "mine.yaml").write_text("name: mine\nseeds: [1, 2, 3]\n")
    (tmp_path / "wrong.yaml").write_text("# [\nnothing: [")
    monkeypatch.setattr("phasegrok.sweep.shipped.HOMES", (tmp_path,))
    code, text = call("list")
    assert code == 0
    rows = [line.split() for line in text.splitlines()]
    assert ["Others"] in rows and ["mine", "3", "?"] in rows and ["wrong", "0", "?"] in rows
    assert call("list", "mine")[0] == 0


def test_every_key_is_there() -> None:
    code, text = call("keys")
    assert code == 0
    for path in (*PATHS, *OTHER_PATHS):
        assert f"\n  {path}: " in text, path


@pytest.mark.parametrize(
    ("word", "keys"),
    [
        ("lr", {"optimizer.learning_rate"}),
        ("optimizer.weight_decay", {"optimizer.weight_decay"}),
        ("weight_d", {"optimizer.weight_decay"}),
        ("refine", {"refine.levels", "refine.axes", "refine.label"}),
    ],
)
def test_some_keys(word: str, keys: set[str]) -> None:
    """By a part of their names, by a block, or by what others call them."""
    code, text = call("keys", word)
    found = {line.strip().split(":")[0] for line in text.splitlines() if line.startswith("  ")}
    assert code == 0 and keys == {each for each in found if "." in each and " " not in each}


def test_no_such_key() -> None:
    code, text = call("keys", "nonsense")
    assert code == 2 and "nonsense: found no key" in text and "optimizer" in text


def test_help_is_that_of_a_command() -> None:
    code, text = call("help", "keys")
    assert code == 0 and "every key, what it allows" in text and "[WORD]" in text
    assert call("help")[1] == call("--help")[1]
    code, text = call("help", "swep")
    assert code == 2 and "swep: found no such command; allowed: list, new" in text


def test_times_here_are_finite() -> None:
    """The probe of this machine gives a number that is one."""
    from phasegrok.cli.learn import _scale

    assert 0 < _scale() < math.inf
