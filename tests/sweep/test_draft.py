"""The settings of the file, its reduced block and ``--set`` together."""

from __future__ import annotations

import pytest

from phasegrok.config import Sgd
from phasegrok.errors import escaped
from phasegrok.sweep.load import load
from tests.sweep.conftest import (
    COUNT,
    NAME,
    NOT_NEGATIVE,
    SEEDS,
    SPLIT,
    WD,
    Bad,
    Write,
    check_refused,
    refused,
)

# id: (lines after `name: a`, so the first is line 2; where; key; words that must appear)
BAD: dict[str, Bad] = {
    "unknown key in a block": (
        "optimizer: {wieght_decay: 1}",
        "2:13",
        "optimizer.wieght_decay",
        ["unknown key; did you mean weight_decay?", "(allowed: kind, learning_rate, beta1"],
    ),
    "unknown top-level key": (
        "optimiser: {}",
        "2:1",
        "optimiser",
        ["did you mean optimizer?", "(allowed: name, task"],
    ),
    "key of a later version": ("events: {}", "2:1", "events", ["unknown key", "(allowed: name"]),
    "unknown axis": (
        "axes: {weight_decay: [1]}",
        "2:8",
        "axes.weight_decay",
        [
            "unknown key; did you mean optimizer.weight_decay?",
            "(allowed in optimizer: kind, learning_rate",
        ],
    ),
    "axis over seeds": ("axes: {seeds: [1]}", "2:8", "axes.seeds", ["unknown key", "allowed"]),
    "text as a key of nothing": (
        "zzzzqqq: 1",
        "2:1",
        "zzzzqqq",
        ["unknown key (allowed: name, task"],
    ),
    "block is a list": ("train: [1]", "2:8", "train", ["found a list", "a mapping of keys"]),
    "block is empty": ("train:", "2:1", "train", ["found nothing (null)", "a mapping of keys"]),
    "measure is not swept": (
        "axes: {measure.logits: [1, 2]}",
        "2:8",
        "axes.measure.logits",
        ["unknown key"],
    ),
    "unknown engine key": ("engine: {chunks: 1}", "2:10", "engine.chunks", ["chunk?", "mapping"]),
    "reduced: unknown key": (
        "reduced: {train.stepz: 1}",
        "2:11",
        "reduced.train.stepz",
        ["unknown key; did you mean train.steps?", "allowed in train: steps, epochs"],
    ),
    "reduced: unknown axis": (
        "reduced: {axes: {model.widht: [1]}}",
        "2:18",
        "reduced.axes.model.widht",
        ["did you mean model.width?", "allowed in model: kind"],
    ),
    "reduced: wrong value": (
        "reduced: {train.steps: 0}",
        "2:24",
        "reduced.train.steps",
        ["found 0", COUNT],
    ),
    "reduced: wrong axis value": (
        "reduced: {axes: {model.width: [0]}}",
        "2:32",
        "reduced.axes.model.width",
        ["0", COUNT],
    ),
    "reduced: a list": ("reduced: []", "2:10", "reduced", ["empty list", "a mapping of keys"]),
    "merge key": ("<<: {loss: mse}", "2:1", "<<", ["unknown key", "allowed: name"]),
    "unknown key, long": (f"{'k' * 500}: 1", "2:1", "k" * 57 + "...", ["unknown key", "allowed"]),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_keys_are_refused_in_one_line(case: str, write: Write) -> None:
    """The line begins with the exact position, names the key, what was found and is allowed."""
    check_refused(write, BAD[case])


@pytest.mark.parametrize(
    ("override", "key", "words"),
    [
        ("train.steps", "", ["found no `=`", "KEY=VALUE"]),
        ("train.stepz=1", "train.stepz", ["did you mean train.steps?", "allowed in train: steps"]),
        ("weight_decay=1", "weight_decay", ["did you mean optimizer.weight_decay?"]),
        ("axes.model.widht=[1]", "axes.model.widht", ["did you mean model.width?"]),
        ("=1", "", ["unknown key"]),
        ("reduced=1", "reduced", ["unknown key"]),
        ("optimizer.weight_decay=-1", "optimizer.weight_decay", ["found -1", NOT_NEGATIVE]),
        ("optimizer.weight_decay=[1, -1]", "axes.optimizer.weight_decay", ["-1", NOT_NEGATIVE]),
        ("optimizer.weight_decay=[]", "axes.optimizer.weight_decay", ["an empty list", "allowed"]),
        ("model.width=[1, 2]", "model.width", ["found a list", COUNT, "axes.model.width"]),
        ("model.width=", "model.width", ["found nothing", COUNT]),
        ("model.width=[1", "", ["found a YAML error", "allowed"]),
        ("model.width=*a", "", ["found an alias", "allowed"]),
        ("model.width=1\n---\n2", "", ["found a second document", "allowed"]),
        ("name=../up", "name", ['"../up"', NAME]),
        ("seeds=[1, 1]", "seeds", ["1 a second time", SEEDS]),
        ("engine.chunk=0", "engine.chunk", ["found 0", "auto or a whole number at least 1"]),
        ("train.steps=30", "train.steps", ["found steps 30 with log_every 20", SPLIT]),
        (
            "optimizer.momentum=0.5",
            "optimizer.momentum",
            ["not available for optimizer.kind"],
        ),
        (
            "axes.optimizer.momentum=[0.5]",
            "optimizer.momentum",
            ["not available for"],
        ),
    ],
)
def test_bad_overrides(override: str, key: str, words: list[str], write: Write) -> None:
    """An override is held to the same rules, and the line quotes it instead of a position."""
    line = refused(write(WD), [override])
    where = f"--set {escaped(override)}: "
    assert line.startswith(f"{where}{key}"), line
    assert all(word in line for word in words), line


def test_set_replaces(write: Write) -> None:
    """A scalar ends a sweep over its path, a list or range replaces the values, axes.X adds."""
    path = write(WD)
    sweep = load(
        path,
        [
            "optimizer.weight_decay=3",
            "data.data_fraction=[0.2, 0.4]",
            "axes.model.width=[8, 16]",
            "data.corruption_fraction={start: 0, stop: 1, num: 2}",
            "seeds=[4]",
            "name=b",
            "engine.precision=tf32",
            "train.log_every=50",
            "train.log_every=100",
        ],
    )
    assert {a.path: a.values for a in sweep.axes} == {
        "data.data_fraction": (0.2, 0.4),
        "data.corruption_fraction": (0.0, 1.0),
        "model.width": (8, 16),
    }
    assert sweep.base.optimizer.weight_decay == 3.0
    assert (sweep.name, sweep.seeds, sweep.engine.precision) == ("b", (4,), "tf32")
    assert sweep.base.train.log_every == 100, "the last of two overrides holds"
    assert sweep.where("model.width") == "--set axes.model.width=[8, 16]"
    assert sweep.where("optimizer.weight_decay") == "--set optimizer.weight_decay=3"


def test_set_of_a_kind_drops_what_described_the_old_one(write: Write) -> None:
    """Otherwise a file that sets adamw's betas could not be run with sgd at all.

    Overrides are never dropped, whatever their order.
    """
    path = write(WD)
    both = ["optimizer.momentum=0.5", "optimizer.kind=sgd"]
    for overrides in (both, both[::-1]):
        optimizer = load(path, overrides).base.optimizer
        assert optimizer == Sgd(learning_rate=0.01, momentum=0.5)
    line = refused(path, ["optimizer.beta1=0.5", "optimizer.kind=sgd"])
    assert line.startswith("--set optimizer.beta1=0.5: optimizer.beta1: not available for")


def test_null_unsets(write: Write) -> None:
    """A file that counts steps can so be run with epochs. Both together are still refused."""
    sweep = load(write(WD), ["train.steps=null", "train.epochs=40"])
    assert (sweep.base.train.steps, sweep.base.train.epochs) == (None, 40)


def test_reduced(write: Write) -> None:
    """The block acts only when asked for, and --set has the last word."""
    path = write(WD)
    assert load(path).base.train.steps == 2000
    small = load(path, reduced=True)
    assert small.base.train.steps == 200 and small.seeds == (7,)
    assert {a.path: len(a.values) for a in small.axes} == {
        "data.data_fraction": 1,
        "data.corruption_fraction": 19,
        "optimizer.weight_decay": 4,
        "model.width": 2,
    }
    assert load(path, ["train.steps=400"], reduced=True).base.train.steps == 400
    line = refused(write("name: a"), reduced=True)
    assert line.startswith("s.yaml: reduced: missing; required: ")
