"""When two sweeps are the same, whichever version wrote them down."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from phasegrok.config import Experiment, Images, Mixture, Parity
from phasegrok.config.identity import (
    default,
    differences,
    identity,
    with_settings,
    without_defaults,
    without_file_paths,
)
from phasegrok.sweep.load import load

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
FOLDERS = sorted(path.parent.name for path in REFERENCE.glob("*/manifest.json"))


def recorded(name: str) -> dict[str, Any]:
    """The resolved sweep in a result folder's manifest."""
    resolved: dict[str, Any] = json.loads((REFERENCE / name / "manifest.json").read_text())["sweep"]
    return resolved


def resolved(file: Path) -> dict[str, Any]:
    """The resolved sweep of a file, as a manifest holds it."""
    found: dict[str, Any] = json.loads(json.dumps(load(file).resolved()))
    return found


@pytest.mark.parametrize("name", FOLDERS)
def test_recorded_sweeps_keep_their_identity(name: str) -> None:
    """Results of any earlier version go on: manifest and sweep.yaml are the same sweep to this
    version, also where blocks and keys have been added since. Files that a sweep names need not
    be there."""
    old, new = identity(recorded(name)), identity(resolved(REFERENCE / name / "sweep.yaml"))
    assert old == new, list(differences(old, new))


def test_there_are_recorded_sweeps() -> None:
    """Some were written before there was an event, some after."""
    assert len(FOLDERS) > 40
    assert len({"event" in recorded(name) for name in FOLDERS}) == 2


def test_a_later_block_at_its_default_changes_nothing() -> None:
    """A dump from before there were events is that of an experiment without one."""
    dump = Experiment().model_dump(mode="json")
    assert dump.pop("event") == {"kind": "none"}
    assert without_defaults(dump) == without_defaults({**dump, "event": {"kind": "none"}})
    event = {"kind": "memorized", "set": "optimizer.weight_decay", "value": 1.0}
    changed = without_defaults({**dump, "event": event})
    assert changed["event"] == {"kind": "memorized", "value": 1.0}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"start": {"run": "a"}}, "start: absent -> {'run': 'a'}"),
        ({"model": {"gates": 3}}, "model.gates: absent -> 3"),
        ({"model": {"kind": "kan"}}, "model.kind: mlp -> kan"),
        ({"measure": {"rank": True}}, "measure.rank: absent -> True"),
        ({"axes": {"model.gates": [1, 2]}}, "axes model.gates: absent -> [1, 2]"),
        ({"variants": {"a": {"model.kind": "kan", "model.gates": 1}}}, "variants: absent -> "),
    ],
)
def test_what_this_version_does_not_know_is_a_difference(change: dict[str, Any], line: str) -> None:
    """A folder of a later version is refused with a line that names the key."""
    old = recorded("grokking")
    new = copy.deepcopy(old)
    for key, value in change.items():
        new[key] = {**new.get(key, {}), **value}
    first, *_ = differences(identity(old), identity(new))
    assert first.startswith(line)
    first, *_ = differences(identity(new), identity(old))
    assert first.endswith("absent") or first == "model.kind: kan -> mlp"


def test_differences_are_one_short_printable_line_each() -> None:
    lines = list(
        differences({"a": {"b": "x\ny" * 100, "c": 1}}, {"a": {"c": 2}, "axes": {"a.c": [1]}})
    )
    assert lines[1:] == ["a.c: 1 -> 2", "axes: absent -> {'a.c': [1]}"]
    assert lines[0].isprintable() and lines[0].endswith("... -> absent") and len(lines[0]) < 90


def test_how_a_sweep_runs_is_not_what_it_computes() -> None:
    """Name, mapping, chunk and checkpoints may change; precision may not."""
    old = recorded("grokking")
    engine = {**old["engine"], "mapping": "map", "chunk": 7, "checkpoint_every": 1.0}
    assert identity({**old, "name": "b", "engine": engine}) == identity(old)
    tf32 = {**old, "engine": {**old["engine"], "precision": "tf32"}}
    assert list(differences(identity(old), identity(tf32))) == ["engine.precision: float32 -> tf32"]


def test_file_paths_are_in_no_identity() -> None:
    """The same images in another folder are the same experiment."""
    for source in ("a", "b"):
        dump = Experiment(task=Images(source=source)).model_dump(mode="json")
        assert without_defaults(dump)["task"] == {"kind": "images"}
    mixture = without_file_paths(Mixture(memorizing="a.npz", generalizing="b.npz"))
    assert list(mixture) == ["kind", "memorizing_scale", "generalizing_scale"]


def test_defaults_are_those_of_the_experiments_kinds() -> None:
    experiment = Experiment(task=Parity(bits=9))
    assert default(experiment, "task.bits") == 50
    assert default(experiment, "loss") == "mse"


def test_a_variants_kind_drops_the_keys_of_the_old_one() -> None:
    """Only the keys that both kinds have stay where a kind is replaced."""
    dump = Experiment().model_dump(mode="json")
    changed = with_settings(dump, {"optimizer.kind": "sgd", "optimizer.momentum": 0.5})
    assert set(changed["optimizer"]) == {
        "kind",
        "learning_rate",
        "momentum",
        "weight_decay",
        "update_noise",
        "weight_noise",
    }
    assert changed["model"] == dump["model"]
