"""The plan states every setting in effect, and where each comes from."""

from __future__ import annotations

from pathlib import Path

from phasegrok.cli.settings import settings_text
from phasegrok.config import PATHS
from phasegrok.config.paths import has
from phasegrok.sweep.load import load


def table(path: Path, *changes: str) -> dict[str, tuple[str, str]]:
    """By key its value and where it is from, as the lines say."""
    header, *lines = settings_text(load(path, changes)).splitlines()
    at, origin = header.index("value"), header.index("from")
    return {line[:at].strip(): (line[at:origin].strip(), line[origin:]) for line in lines}


def test_every_setting_is_stated(tmp_path: Path) -> None:
    """What the file, a --set, an axis and a default give; no key of a kind that is not used."""
    file = tmp_path / "s.yaml"
    file.write_text(
        "name: a\noptimizer: {learning_rate: 0.02}\nmeasure: {spectra: true}\n"
        "axes:\n  optimizer.weight_decay: [0, 5]\n  data.data_fraction: [0.1, 0.2, 0.3, 0.4, 0.5]\n"
    )
    found = table(file, "loss=cross_entropy")
    assert found["optimizer.learning_rate"] == ("0.02", "file, line 2")
    assert found["loss"] == ("cross_entropy", "--set loss=cross_entropy")
    assert found["optimizer.weight_decay"] == ("0, 5", "axis, file, line 5")
    assert found["data.data_fraction"] == ("0.1 to 0.5, 5 values", "axis, file, line 6")
    assert found["optimizer.beta2"] == ("0.98", "default")
    assert found["model.dropout"] == ("0", "default") and found["model.embedding"][0] == "null"
    assert found["measure.spectra"] == ("true", "file, line 3")
    base = load(file).base
    assert {key for key in found if key in PATHS} == {path for path in PATHS if has(base, path)}


def test_variants_are_told_apart(tmp_path: Path) -> None:
    """A value that variants differ in names them; one that a single variant has says where."""
    file = tmp_path / "s.yaml"
    file.write_text(
        "name: a\nvariants:\n  small: {model.width: 8}\n  large: {model.width: 16}\n"
        "  sgd: {optimizer.kind: sgd, optimizer.momentum: 0.5}\n"
    )
    found = table(file)
    assert found["model.width"] == ("8 (small), 16 (large), 500 (sgd)", "variants")
    assert found["optimizer.momentum"] == ("0.5", "file, line 5")
    assert found["optimizer.beta1"] == ("0.9", "default")
