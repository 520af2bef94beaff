"""Sweep files: good ones mean what they say."""

from __future__ import annotations

import dataclasses

import pytest

from phasegrok.config import Engine, Experiment
from phasegrok.sweep.load import dump, load
from phasegrok.sweep.sweep import Sweep
from tests.sweep.conftest import WD, Bad, Write, axis, check_refused

# id: (lines after `name: a`, so the first is line 2; where; key; words that must appear)
BAD: dict[str, Bad] = {
    "measure between two logged steps": (
        "measure: {steps: [0, 30]}",
        "2:18",
        "measure.steps",
        ["found 30", "multiples of log_every 20 up to 2000"],
    ),
    "measure after the end": (
        "axes: {train.steps: [2000, 1000]}\nmeasure: {steps: [1500]}",
        "3:18",
        "measure.steps",
        ["found 1500", "multiples of log_every 20 up to 1000"],
    ),
    "spectra of images": (
        "task: {kind: images}\nmeasure: {spectra: true}",
        "3:20",
        "measure.spectra",
        ["task.kind images", "tasks whose inputs are tokens"],
    ),
    "too many runs": (
        "axes:\n  data.data_fraction: {start: 0.1, stop: 0.9, num: 1000}\n"
        "  data.corruption_fraction: {start: 0.1, stop: 0.9, num: 1001}",
        "4:29",
        "axes.data.corruption_fraction",
        ["found 1000 x 1001 = 1001000 runs", "at most 1000000"],
    ),
    "too many runs by seeds": (
        "seeds: {start: 0, stop: 999, num: 1000}\n"
        "axes: {data.data_fraction: {start: 0.1, stop: 0.9, num: 1001}}",
        "3:28",
        "axes.data.data_fraction",
        ["found 1000 x 1001 = 1001000 runs", "at most 1000000"],
    ),
    "a thousand times a million seeds": (
        "seeds: [" + "{start: 0, stop: 999999, num: 1000000}, " * 1000 + "1]",
        "2:8",
        "seeds",
        ["found 1000000001 values", "at most 1000000"],
    ),
    "ten million values": (
        "axes: {data.data_fraction: {start: 0.1, stop: 0.9, num: 10000000}}",
        "2:",
        "axes.data.data_fraction.num",
        ["found 10000000", "at least 1 and at most 1000000"],
    ),
    "too many programs": (
        "axes:\n  model.width: {start: 1, stop: 200, num: 200}\n"
        "  train.steps: {start: 20, stop: 1200, num: 60}",
        "4:16",
        "axes.train.steps",
        ["found 200 x 60 = 12000 combinations of values that are compiled one by one"],
    ),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_sweeps_are_refused_in_one_line(case: str, write: Write) -> None:
    """The line begins with the exact position, names the key, what was found and is allowed."""
    check_refused(write, BAD[case])


def test_a_name_is_enough(write: Write) -> None:
    """Everything but the name has a default: one run of the default experiment, with seed 0."""
    sweep = load(write("name: a-B_9"))
    assert sweep == Sweep("a-B_9", Experiment(), (), (0,), Engine())
    assert sweep.at({}) == Experiment()
    assert sweep.where("train.steps") == "s.yaml"


def test_the_sample_file(write: Write) -> None:
    """Ranges include both ends and hold the decimals one would write, not their float errors."""
    sweep = load(write(WD))
    assert sweep.name == "wd" and sweep.seeds == (0, 1)
    assert [a.path for a in sweep.axes] == [
        "data.data_fraction",
        "data.corruption_fraction",
        "optimizer.weight_decay",
    ]
    alpha = axis(sweep, "data.data_fraction")
    assert alpha == tuple(float(f"{5 * i / 100:.2f}") for i in range(2, 19))
    decay = axis(sweep, "optimizer.weight_decay")
    assert decay == (0.0, 5.0, 15.0, 20.0) and all(type(v) is float for v in decay)
    assert sweep.base.data.data_fraction == 0.1, "the base holds the first value of each axis"
    for path, where in {
        "loss": ":5:7",
        "model.depth": ":4:43",
        "data.data_fraction": ":9:3",
        "model.bias": "",
    }.items():
        assert sweep.where(path) == f"s.yaml{where}"
    assert sweep.axes[2].where == "s.yaml:11:3"


def test_base_need_not_work_where_it_is_swept(write: Write) -> None:
    """Default steps (2000) that no run has must not refuse a sweep whose runs are all sound."""
    sweep = load(write("name: a\ntrain: {log_every: 30}\naxes: {train.steps: [300, 600]}"))
    assert sweep.base.train.steps == 300
    epochs = load(write("name: a\naxes: {train.epochs: [20, 40]}"))
    assert epochs.at({"train.epochs": 40}).train.steps is None


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["optimizer.kind=sgd"],
        ["axes.optimizer.kind=[sgd, adamw]"],
        ["seeds=[4294967295]"],
        ["train.steps=null", "train.epochs=40"],
        ["axes.train.batch_size=[full, 32]"],
        ["name='true'"],
        ["name='1e5'"],
        ["name='null'"],
        ["name='-'"],
        ["name='on'"],
        ["optimizer.epsilon=1e-20"],
        ["axes.model.bias=[true]"],
        ["axes.loss=[cross_entropy]"],
        ["engine.checkpoint_every=0.1", "engine.chunk=3"],
        ["name='0x1'"],
        ["name=---"],
    ],
)
def test_dump_loads_as_an_equal_sweep(overrides: list[str], write: Write) -> None:
    """The result folder's sweep.yaml is a sweep file of the same sweep; so is its own dump.

    It must also read the same in a YAML 1.1 reader, which most Python tools still are.
    """
    yaml = pytest.importorskip("yaml")
    if overrides == ["name=---"]:
        overrides = ["name='---'"]
    sweep = load(write(WD), overrides)
    text = dump(sweep)
    again = load(write(text))
    assert again == sweep and dump(again) == text
    assert yaml.safe_load(text) == sweep.resolved()
    assert "reduced" not in sweep.resolved()


def test_a_sweep_is_frozen_and_compares_by_content(write: Write) -> None:
    """Positions are for messages: the same sweep elsewhere in a file is the same sweep."""
    sweep = load(write(WD))
    moved = load(write("# moved\n" + WD))
    assert moved == sweep and hash(moved) == hash(sweep)
    assert moved.axes[0].where != sweep.axes[0].where
    with pytest.raises(dataclasses.FrozenInstanceError):
        sweep.name = "b"  # type: ignore[misc]
