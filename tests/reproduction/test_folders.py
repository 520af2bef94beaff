"""The commands of the reference folders are read off their manifests."""

from __future__ import annotations

from pathlib import Path

from phasegrok.reproduction import Claim
from phasegrok.reproduction.base import Results, size
from phasegrok.reproduction.folders import command, named, table

ROOT = Path(__file__).parents[2] / "results" / "reference"


def of(name: str) -> str:
    return command(name, Results(ROOT / name).manifest)


def test_commands_say_reduced_and_what_was_set() -> None:
    words = "python -m phasegrok.sweep sweeps/"
    assert of("phases") == f"{words}phases.yaml --output results/reference/phases"
    assert of("prunable") == f"{words}prunable.yaml --reduced --output results/reference/prunable"
    assert of("wide-relu-fast") == (
        f"{words}wide-relu-wd.yaml --reduced --set 'optimizer.learning_rate=0.01'"
        " --set 'axes.optimizer.weight_decay=[20.0]' --output results/reference/wide-relu-fast"
    )
    assert of("wd") == f"{words}wd.yaml --output results/reference/wd"
    refined = f"{words}wd.yaml --refine 2 --output results/reference/wd-refined"
    assert of("wd-refined") == refined
    # One value in place of an axis.
    assert "--set 'optimizer.weight_decay=10.0'" in of("cross-entropy-forgetting")


# Trained on purpose with other settings than those of a file.
VARIED = {"cross-entropy-forgetting", "mnist", "mnist-dropout", "wide-relu-fast"}
# Trained before their file asked for more seeds, cells or steps; their commands say what they had.
# A folder that is trained again leaves this list.
EARLIER = {
    "mlp3",
    "mlp3-parametrizations",
    "transformer",
    "transformer-configurations",
    "transformer-dropout",
}


def test_every_reference_folder_has_a_command_without_surprises() -> None:
    """A sweep file that was changed after its folder was trained shows here: its command would say
    with ``--set`` what the file no longer does."""
    names = sorted(path.parent.name for path in ROOT.glob("*/manifest.json"))
    assert len(names) > 40
    assert {name for name in names if "--set" in of(name)} == VARIED | EARLIER


def test_sizes_in_words() -> None:
    sweep = {"task": {"kind": "modular", "modulus": 47}, "model": {"kind": "mlp", "width": 8}}
    assert size({**sweep, "axes": {}}) == ["p = 47", "N = 8"]
    assert size({**sweep, "axes": {"model.width": [25, 50, 2000]}}) == ["p = 47", "N = 25 to 2000"]
    variants = {"a": {"model.kind": "lstm"}, "b": {"task.modulus": 5}}
    assert size({**sweep, "axes": {}, "variants": variants}) == []


def test_folders_are_named_once_and_missing_ones_are_pending(tmp_path: Path) -> None:
    claims = [Claim("", "", "", True, tables=t) for t in ("`a`: p = 5; `b`", "`b`", "")]
    assert named(claims) == ["a", "b"]
    assert "sweeps/mlp3.yaml --reduced" in table(tmp_path, ["mlp3"])
    assert "not run yet" in table(tmp_path, ["mlp3"])
