"""Sweep files: good ones mean what they say, bad ones are refused in one clear line."""

from __future__ import annotations

import copy
import dataclasses
import math
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phasegrok.config import PATHS, AdamW, Engine, Experiment, Sgd
from phasegrok.errors import Refusal, escaped
from phasegrok.sweep import yaml as yamlfile
from phasegrok.sweep.load import dump, load
from phasegrok.sweep.sweep import Sweep

WD = """\
name: wd
task:      {kind: modular, operation: addition, modulus: 97}
data:      {data_fraction: 0.5, corruption_fraction: 0.0}
model:     {kind: mlp, width: 500, depth: 2, activation: quadratic, dropout: 0.0}
loss: mse
optimizer: {kind: adamw, learning_rate: 0.01, beta1: 0.9, beta2: 0.98, weight_decay: 0.0}
train:     {steps: 2000, batch_size: full, log_every: 20}
axes:
  data.data_fraction:        {start: 0.1, stop: 0.9, num: 17}
  data.corruption_fraction:  {start: 0.0, stop: 0.9, num: 19}
  optimizer.weight_decay:    [0, 5, 15, 20]
seeds: [0, 1]
reduced: {train.steps: 200, seeds: [7], axes: {data.data_fraction: [0.3], model.width: [8, 16]}}
"""

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes s.yaml into the test's own folder, which is made the working directory."""
    monkeypatch.chdir(tmp_path)

    def to_file(content: str | bytes) -> Path:
        path = Path("s.yaml")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to_file


def refused(path: Path, overrides: list[str] | None = None, reduced: bool = False) -> str:
    """The refusal's text, after checking what holds for every refusal: one printable line."""
    with pytest.raises(Refusal) as caught:
        load(path, overrides or [], reduced)
    line = str(caught.value)
    assert line.isprintable(), repr(line)
    return line


def axis(sweep: Sweep, path: str) -> tuple[Any, ...]:
    return next(a.values for a in sweep.axes if a.path == path)


# Bad files ---------------------------------------------------------------------------------------

FRACTION = "a number above 0 and below 1"
XI = "a number at least 0 and at most 1"
NOT_NEGATIVE = "a number at least 0 and at most 1e+30"
COUNT = "a whole number at least 1 and at most 2147483647"
SEEDS = "a list of different whole numbers from 0 to 4294967295"
NUM = "a whole number at least 1 and at most 10000000"
SPLIT = "multiple of log_every"
NAME = "1 to 100 of the characters A-Z a-z 0-9 _ -"
ONCE = "each key once"
OUT = "values written out"
SUFFIX = "allowed: a list of at least one value, or {start, stop, num}"

# id: (lines after `name: a`, so the first is line 2; where; key; words that must appear)
BAD: dict[str, tuple[str, str, str, list[str]]] = {
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
        ["unknown key; did you mean optimizer.weight_decay?", "(allowed: task.kind"],
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
    "bool for a number": (
        "data: {data_fraction: true}",
        "2:23",
        "data.data_fraction",
        ["found true", FRACTION],
    ),
    "bool for a whole number": ("model: {width: yes}", "2:16", "model.width", ["yes", COUNT]),
    "true for a whole number": ("model: {width: true}", "2:16", "model.width", ["true", COUNT]),
    "text for a number": (
        'data: {data_fraction: "0.5"}',
        "2:23",
        "data.data_fraction",
        ['found the text "0.5"', FRACTION],
    ),
    "number for a bool": ("model: {bias: 1}", "2:15", "model.bias", ["1", "true or false"]),
    "number for text": ("loss: 3", "2:7", "loss", ["found 3", "cross_entropy, brier or hinge"]),
    "fraction for a count": ("model: {width: 2.5}", "2:16", "model.width", ["2.5", COUNT]),
    "null for a number": ("model: {width: null}", "2:16", "model.width", ["null", COUNT]),
    "mapping for a number": ("model: {width: {}}", "2:16", "model.width", ["empty mapping", COUNT]),
    "list for a number": (
        "data: {data_fraction: [0.1, 0.2]}",
        "2:23",
        "data.data_fraction",
        ["found a list", FRACTION, "axes.data.data_fraction"],
    ),
    "unknown kind": (
        "optimizer: {kind: lion}",
        "2:19",
        "optimizer.kind",
        ['"lion"', "adamw, adam or sgd"],
    ),
    "key of another kind": (
        "optimizer: {kind: adamw, momentum: 0.5}",
        "2:36",
        "optimizer.momentum",
        ["optimizer.kind adamw does not have", "allowed: kind, learning_rate"],
    ),
    "alpha zero": ("data: {data_fraction: 0}", "2:23", "data.data_fraction", ["0", FRACTION]),
    "alpha one": ("data: {data_fraction: 1.0}", "2:23", "data.data_fraction", ["1.0", FRACTION]),
    "xi negative": (
        "data: {corruption_fraction: -0.1}",
        "2:29",
        "data.corruption_fraction",
        ["-0.1", XI],
    ),
    "xi above one": (
        "data: {corruption_fraction: 1.01}",
        "2:29",
        "data.corruption_fraction",
        ["1.01", XI],
    ),
    "negative weight decay": (
        "optimizer: {weight_decay: -1}",
        "2:27",
        "optimizer.weight_decay",
        ["-1", NOT_NEGATIVE],
    ),
    "dropout one": (
        "model: {dropout: 1}",
        "2:18",
        "model.dropout",
        ["1", "at least 0 and below 1"],
    ),
    "modulus one": (
        "task: {modulus: 1}",
        "2:17",
        "task.modulus",
        ["1", "a whole number at least 2"],
    ),
    "nan": ("model: {dropout: .nan}", "2:18", "model.dropout", ["found .nan", "below 1"]),
    "inf": (
        "optimizer: {weight_decay: .inf}",
        "2:27",
        "optimizer.weight_decay",
        ["found .inf", NOT_NEGATIVE],
    ),
    "float overflow": (
        "optimizer: {weight_decay: 1e999}",
        "2:27",
        "optimizer.weight_decay",
        ["found 1e999", "numbers below 1.79e308"],
    ),
    "float32 overflow": (
        "optimizer: {weight_decay: 1e39}",
        "2:27",
        "optimizer.weight_decay",
        ["found 1e39", NOT_NEGATIVE],
    ),
    "huge whole number": ("model: {width: 99999999999}", "2:16", "model.width", ["999", COUNT]),
    "number too long to convert": (
        f"model: {{width: {'9' * 5000}}}",
        "2:16",
        "model.width",
        ["999...", "below 1.79e308"],
    ),
    "steps not a multiple of log_every": (
        "train: {steps: 30, log_every: 20}",
        "2:16",
        "train.steps",
        ["found steps 30 with log_every 20", SPLIT],
    ),
    "epochs not a multiple of log_every": (
        "train: {epochs: 30}",
        "2:17",
        "train.epochs",
        ["found epochs 30 with log_every 20", SPLIT],
    ),
    "steps and epochs": (
        "train: {steps: 20, epochs: 20}",
        "2:16",
        "train.steps",
        ["found both steps 20 and epochs 20", "allowed: one of them"],
    ),
    "steps axis not a multiple": (
        "axes:\n  train.steps: [40, 50]",
        "3:3",
        "train.steps",
        ["found steps 50 with log_every 20", SPLIT],
    ),
    "axis of another kind": (
        "axes:\n  optimizer.momentum: [0.1, 0.2]",
        "3:3",
        "optimizer.momentum",
        ["optimizer.kind adamw does not have", "allowed: kind"],
    ),
    "axis of one of two swept kinds": (
        "axes:\n  optimizer.kind: [sgd, adamw]\n  optimizer.momentum: [0.1]",
        "4:3",
        "optimizer.momentum",
        ["optimizer.kind adamw does not have", "allowed: kind"],
    ),
    "measure is not swept": (
        "axes: {measure.logits: [1, 2]}",
        "2:8",
        "axes.measure.logits",
        ["unknown key"],
    ),
    "measure takes a list": (
        "measure: {pruning: lowest}",
        "2:20",
        "measure.pruning",
        ['found the text "lowest"', "a list of: lowest, highest or random"],
    ),
    "measure entry unknown": (
        "measure: {pruning: [lowest, best]}",
        "2:29",
        "measure.pruning",
        ['found the text "best"', "lowest, highest or random"],
    ),
    "measure entry twice": (
        "measure: {steps: [20, 20]}",
        "2:23",
        "measure.steps",
        ["20 a second time", "each value"],
    ),
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
    "images need an mlp": (
        "task: {kind: images}\nmodel: {kind: transformer}",
        "2:14",
        "task.kind",
        ["found model.kind transformer with task.kind images; allowed: mlp"],
    ),
    "no analytic solution": (
        "axes:\n  task.operation: [addition, multiplication]\nmodel: {initialization: analytic}",
        "3:3",
        "task.operation",
        ["model.initialization analytic with task.operation multiplication", "solution is known"],
    ),
    "empty axis": (
        "axes: {model.width: []}",
        "2:21",
        "axes.model.width",
        ["an empty list", SUFFIX],
    ),
    "axis of a scalar": ("axes: {model.width: 5}", "2:21", "axes.model.width", ["5", SUFFIX]),
    "axis value out of range": (
        "axes:\n  data.data_fraction: [0.5, 1.5]",
        "3:29",
        "axes.data.data_fraction",
        ["found 1.5", FRACTION],
    ),
    "axis value of a wrong type": (
        "axes: {data.data_fraction: [0.5, x]}",
        "2:34",
        "axes.data.data_fraction",
        ['the text "x"', FRACTION],
    ),
    "axis value is a list": (
        "axes: {model.width: [[1]]}",
        "2:22",
        "axes.model.width",
        ["a list", COUNT],
    ),
    "axis value is null": (
        "axes: {train.steps: [null]}",
        "2:22",
        "axes.train.steps",
        ["null", "allowed: a value"],
    ),
    "axis over text with an unknown value": (
        "axes: {model.activation: [relu, silu]}",
        "2:33",
        "axes.model.activation",
        ['the text "silu"', "quadratic, relu, gelu, tanh, sigmoid or identity"],
    ),
    "range over text": (
        "axes: {loss: {start: 0, stop: 1, num: 2}}",
        "2:14",
        "axes.loss",
        ["found 0", "mse, cross_entropy, brier or hinge"],
    ),
    "same value twice": (
        "axes: {optimizer.weight_decay: [5, 5.0]}",
        "2:36",
        "axes.optimizer.weight_decay",
        ["found 5.0 a second time", "each value once"],
    ),
    "same axis twice": (
        "axes:\n  model.width: [1]\n  model.width: [2]",
        "4:3",
        "axes.model.width",
        ["a second time", "s.yaml:3:3", ONCE],
    ),
    "same key twice": ("loss: mse\nloss: mse", "3:1", "loss", ["a second time", ONCE]),
    "num zero": (
        "axes: {model.width: {start: 1, stop: 2, num: 0}}",
        "2:46",
        "axes.model.width.num",
        ["found 0", NUM],
    ),
    "num of a fraction": (
        "axes: {model.width: {start: 1, stop: 2, num: 2.0}}",
        "2:46",
        "axes.model.width.num",
        ["found 2.0", NUM],
    ),
    "num missing": (
        "axes: {model.width: {start: 1, stop: 2}}",
        "2:21",
        "axes.model.width",
        ["found no num", "{start, stop, num}"],
    ),
    "step in a range": (
        "axes: {model.width: {start: 1, stop: 2, step: 1}}",
        "2:41",
        "axes.model.width.step",
        ["unknown key", "allowed: start, stop, num"],
    ),
    "range from nan": (
        "axes: {model.dropout: {start: .nan, stop: 1, num: 2}}",
        "2:31",
        "axes.model.dropout.start",
        ["found .nan", "a number"],
    ),
    "range from text": (
        "axes: {model.dropout: {start: a, stop: 1, num: 2}}",
        "2:31",
        "axes.model.dropout.start",
        ['the text "a"', "a number"],
    ),
    "range off the whole numbers": (
        "axes: {model.width: {start: 1, stop: 2, num: 3}}",
        "2:21",
        "axes.model.width",
        ["found 1.5", COUNT],
    ),
    "range of one repeated value": (
        "axes: {model.width: {start: 2, stop: 2, num: 3}}",
        "2:21",
        "axes.model.width",
        ["found 2 a second time", "each value once"],
    ),
    "too many runs": (
        "axes:\n  data.data_fraction: {start: 0.1, stop: 0.9, num: 10000}\n"
        "  data.corruption_fraction: {start: 0.1, stop: 0.9, num: 1001}",
        "4:29",
        "axes.data.corruption_fraction",
        ["found 10010000 runs", "at most 10000000"],
    ),
    "same seed twice": ("seeds: [0, 1, 0]", "2:15", "seeds", ["found 0 a second time", SEEDS]),
    "no seeds": ("seeds: []", "2:8", "seeds", ["an empty list", SEEDS]),
    "one bare seed": ("seeds: 3", "2:8", "seeds", ["found 3", SEEDS]),
    "negative seed": ("seeds: [-1]", "2:9", "seeds", ["found -1", SEEDS]),
    "seed too large": ("seeds: [4294967296]", "2:9", "seeds", ["4294967296", SEEDS]),
    "bool as a seed": ("seeds: [true]", "2:9", "seeds", ["found true", SEEDS]),
    "float as a seed": ("seeds: [1.0]", "2:9", "seeds", ["found 1.0", SEEDS]),
    "unknown engine key": ("engine: {chunks: 1}", "2:10", "engine.chunks", ["chunk?", "mapping"]),
    "engine value": (
        "engine: {precision: float64}",
        "2:21",
        "engine.precision",
        ['"float64"', "float32, tf32 or bfloat16"],
    ),
    "reduced: unknown key": (
        "reduced: {train.stepz: 1}",
        "2:11",
        "reduced.train.stepz",
        ["unknown key; did you mean train.steps?", "allowed: name"],
    ),
    "reduced: unknown axis": (
        "reduced: {axes: {model.widht: [1]}}",
        "2:18",
        "reduced.axes.model.widht",
        ["did you mean model.width?", "allowed: task.kind"],
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
    "anchor": ("seeds: &s [1]", "2:8", "seeds", ["found an anchor (&)", OUT]),
    "alias": ("seeds: *s", "2:8", "seeds", ["found an alias (*)", OUT]),
    "tag": ("seeds: !!python/tuple [1]", "2:8", "seeds", ["found a tag (!)", "plain values"]),
    "merge key": ("<<: {loss: mse}", "2:1", "<<", ["unknown key", "allowed: name"]),
    "list as a key": ("? [a]\n: 1", "2:3", "", ["found a list as a key", "allowed: a word"]),
    "too deep": (f"loss: {'[' * 30}", "2:27", "loss", ["too deep nesting", "20 levels"]),
    "far too deep": (f"loss: {'{a: ' * 9000}", "", "", ["too deep nesting", "20 levels"]),
    "deep by dashes": (f"loss:\n {'- ' * 9000}", "", "loss", ["too deep nesting", "20 levels"]),
    "unclosed bracket": ("seeds: [1", "3:1", "", ["found a YAML error (", "allowed: YAML"]),
    "tab as indent": ("axes:\n\tloss: [mse]", "3:1", "", ["found a YAML error (", "allowed"]),
    "control character": ("loss: m\x07se", "2:8", "", ["found a YAML error (", "allowed"]),
    "escape out of range": ('loss: "\\Uffffffff"', "2:", "", ["found a YAML error (", "allowed"]),
    "NUL bytes": ("loss: \0", "2:7", "", ["found a YAML error (", "allowed"]),
    "second document": ("---\nname: b", "2:1", "", ["found a second document", "allowed: one"]),
    "text with line ends, long": (
        f'loss: "a\\nb\\e[31m\\ud800{"c" * 500}"',
        "2:7",
        "loss",
        [r'the text "a\nb\x1b[31m\ud800ccc', '..."', "allowed: mse"],
    ),
    "unknown key, long": (f"{'k' * 500}: 1", "2:1", "k" * 57 + "...", ["unknown key", "allowed"]),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_bad_input_is_refused_in_one_line(case: str, write: Write) -> None:
    """The line begins with file and position, names the key, what was found and is allowed.

    The position is exact, so an editor that is handed the line opens at the mistake.
    """
    lines, where, key, words = BAD[case]
    line = refused(write(f"name: a\n{lines}\n"))
    assert line.startswith(f"s.yaml:{where}"), line
    assert re.match(r"s\.yaml:\d+:\d+: ", line), line
    if where and not where.endswith(":"):
        assert line.startswith(f"s.yaml:{where}: {key}"), line
    for word in [*words, "allowed"]:
        assert word in line, line
    # Apart from the list of what is allowed, a line stays short whatever the file holds.
    assert len(line.partition("allowed")[0]) < 300, line


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../other", '"../other"'),
        ("a/b", '"a/b"'),
        ("..", '".."'),
        ("/tmp/x", '"/tmp/x"'),
        ('"a\\n"', r'"a\n"'),
        ('""', '""'),
        ("ä", '"ä"'),
        ("a b", '"a b"'),
        ("2024", "2024"),
        ("true", "true"),
        ("", "nothing (null)"),
        ("a" * 101, '..."'),
    ],
)
def test_name_stays_in_the_results_folder(name: str, shown: str, write: Write) -> None:
    """A name becomes a folder: separators, dots, blanks and line ends would lead elsewhere."""
    line = refused(write(f"loss: mse\nname: {name}\n"))
    assert re.match(r"s\.yaml:2:\d+: name: found ", line) and shown in line and NAME in line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["s.yaml:1:1: found an empty file", "allowed: a mapping"]),
        (b"\xef\xbb\xbf", ["s.yaml:1:1: found an empty file", "allowed: a mapping"]),
        (b"# nothing\n", ["found an empty file", "allowed: a mapping"]),
        (b"- 1\n", ["s.yaml:1:1: found a list", "allowed: a mapping"]),
        (b"hello", ['s.yaml:1:1: found the text "hello"', "allowed: a mapping"]),
        (b"{}", ["s.yaml:1:1: name: found no such key", f"allowed: {NAME}"]),
        (b"name: a\nloss: \xff\n", ["s.yaml:2:7: found bytes that are not UTF-8", "allowed"]),
        ("name: a".encode("utf-16"), ["s.yaml:1:1: ", "allowed"]),
        (bytes(range(256)), ["s.yaml:", "allowed"]),
        (b"\x89PNG\r\n\x1a\n\0\0\0", ["s.yaml:1:1: ", "not UTF-8", "allowed"]),
        (b"#" * 1_000_001, ["s.yaml: ", "more than 1 MB", "allowed: at most 1 MB"]),
    ],
    ids=range(11),
)
def test_files_that_are_no_sweep(content: bytes, words: list[str], write: Write) -> None:
    """Whatever the bytes are, the refusal says what kind of thing the file is instead."""
    line = refused(write(content))
    assert all(word in line for word in words), line


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    """A path that leads to no readable file is a refusal too, and an odd path stays one line."""
    os.mkfifo(tmp_path / "pipe")
    for path, words in [
        (tmp_path / "none.yaml", "none.yaml: no such file; allowed: "),
        (tmp_path, "found a directory; allowed: "),
        (tmp_path / "pipe", "found something that is not a regular file; allowed: "),
        (tmp_path / "a\nb", r"a\nb: no such file; allowed: "),
        (Path("a\0b"), "not a possible path; allowed: "),
        (tmp_path / ("x" * 5000), "cannot be read (File name too long); allowed: "),
    ]:
        assert words in refused(path)


@pytest.mark.parametrize(
    ("override", "key", "words"),
    [
        ("train.steps", "", ["found no `=`", "KEY=VALUE"]),
        ("train.stepz=1", "train.stepz", ["did you mean train.steps?", "allowed: name"]),
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
        ("optimizer.momentum=0.5", "optimizer.momentum", ["optimizer.kind adamw does not have"]),
        ("axes.optimizer.momentum=[0.5]", "optimizer.momentum", ["adamw does not have"]),
    ],
)
def test_bad_overrides(override: str, key: str, words: list[str], write: Write) -> None:
    """An override is held to the same rules, and the line quotes it instead of a position."""
    line = refused(write(WD), [override])
    where = f"--set {escaped(override)}: "
    assert line.startswith(f"{where}{key}"), line
    assert all(word in line for word in words), line


def test_every_field_refuses_every_kind_of_junk(write: Write) -> None:
    """Each declared field, not just the ones in the table, names itself and what it takes."""
    for path in PATHS:
        for junk in ["[1]", "{a: 1}", ".nan", "-.inf", "1e400", "'x y'", "1.5e300"]:
            line = refused(write("name: a"), [f"{path}={junk}"])
            assert f": {path}: found " in line or "numbers below 1.79e308" in line, line
            assert "allowed: " in line


# Good files --------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("path", "text", "values"),
    [
        ("optimizer.weight_decay", "{start: 0, stop: 1, num: 1}", (0.0,)),
        ("optimizer.weight_decay", "{start: 0.3, stop: 0, num: 4}", (0.3, 0.2, 0.1, 0.0)),
        (
            "optimizer.weight_decay",
            "{start: 0, stop: 1, num: 4}",
            (0.0, 0.333333333333, 0.666666666667, 1.0),
        ),
        ("optimizer.epsilon", "{start: 1e-14, stop: 3e-14, num: 3}", (1e-14, 2e-14, 3e-14)),
        ("model.width", "{start: 100, stop: 500, num: 3}", (100, 300, 500)),
        ("model.width", "{start: 100.0, stop: 500.0, num: 3}", (100, 300, 500)),
        ("model.bias", "[false, true]", (False, True)),
        ("train.batch_size", "[full, 128]", ("full", 128)),
        ("optimizer.kind", "[adamw, sgd]", ("adamw", "sgd")),
        ("model.dropout", "[-0.0, 1e-1, .25]", (0.0, 0.1, 0.25)),
    ],
)
def test_axis_values(path: str, text: str, values: tuple[Any, ...], write: Write) -> None:
    """Values arrive with their field's type; ranges keep 12 significant digits, small or not."""
    sweep = load(write(f"name: a\naxes: {{{path}: {text}}}"))
    found = axis(sweep, path)
    assert found == values
    assert [type(v) for v in found] == [type(v) for v in values]
    assert all(math.copysign(1, v) == 1 for v in found if isinstance(v, float))


def test_seeds_are_a_list_or_a_range(write: Write) -> None:
    """Two hundred need not be written out; fractions of seeds are refused."""
    assert load(write("name: a\nseeds: {start: 3, stop: 6, num: 4}")).seeds == (3, 4, 5, 6)
    with pytest.raises(Refusal, match=r"2:8: seeds: found 0.5; allowed: a list of different"):
        load(write("name: a\nseeds: {start: 0, stop: 1, num: 3}"))


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
    """Without this, a file that spells out adamw's betas could not be run with sgd at all.

    What an override itself says is never dropped, in whichever order they are given.
    """
    path = write(WD)
    both = ["optimizer.momentum=0.5", "optimizer.kind=sgd"]
    for overrides in (both, both[::-1]):
        optimizer = load(path, overrides).base.optimizer
        assert optimizer == Sgd(learning_rate=0.01, momentum=0.5)
    line = refused(path, ["optimizer.beta1=0.5", "optimizer.kind=sgd"])
    assert line.startswith("--set optimizer.beta1=0.5: optimizer.beta1: found a key that")


def test_null_unsets(write: Write) -> None:
    """The way from a file that counts steps to epochs: both given stays a refusal."""
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
    assert line.startswith("s.yaml: reduced: found no such block; allowed: ")


def test_at_combines_and_checks(write: Write) -> None:
    """A sweep over kinds gives each kind its own keys; what no kind can have is refused."""
    sweep = load(
        write(
            "name: a\noptimizer: {kind: sgd, momentum: 0.5, beta1: 0.8, weight_decay: 2}\n"
            "axes:\n  optimizer.kind: [sgd, adamw]\n  train.steps: [100, 200]\n"
        )
    )
    sgd, adamw = (sweep.at({"optimizer.kind": k, "train.steps": 200}) for k in ("sgd", "adamw"))
    assert sgd.optimizer == Sgd(momentum=0.5, weight_decay=2.0)
    # The learning rate is the base's, as for any key that both kinds have.
    assert adamw.optimizer == AdamW(learning_rate=0.1, beta1=0.8, weight_decay=2.0)
    assert sgd.train.steps == adamw.train.steps == 200
    with pytest.raises(Refusal, match=r"^s\.yaml:5:3: train\.steps: found steps 7 .*allowed"):
        sweep.at({"train.steps": 7})
    with pytest.raises(Refusal, match=r"^s\.yaml:5:3: train\.steps: found both .*allowed"):
        sweep.at({"train.epochs": 20})


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


# Any file ----------------------------------------------------------------------------------------

PROPERTY = settings(
    derandomize=True,
    deadline=None,
    max_examples=120,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def loads_or_refuses(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.yaml"
        path.write_bytes(content)
        for reduced in (False, True):
            try:
                sweep = load(path, reduced=reduced)
            except Refusal as refusal:
                assert str(refusal).isprintable() and str(refusal).startswith(str(path))
            else:
                path.write_text(dump(sweep))
                assert load(path) == sweep
                path.write_bytes(content)


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """The sample file after a few edits of its lines and bytes."""
    lines = WD.encode().splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        i, j = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        edit = draw(st.sampled_from(["delete", "duplicate", "swap", "bytes", "cut", "indent"]))
        if edit == "delete" and len(lines) > 1:
            del lines[i]
        elif edit == "duplicate":
            lines.insert(j, lines[i])
        elif edit == "swap":
            lines[i], lines[j] = lines[j], lines[i]
        elif edit == "indent":
            lines[i] = b"  " + lines[i]
        else:
            at = draw(st.integers(0, len(lines[i])))
            syntax = st.text("{}[]:,&*!#|>%@'\"\\-?. \t\n\r0e~<", max_size=4).map(str.encode)
            junk = b"" if edit == "cut" else draw(st.binary(max_size=4) | syntax)
            lines[i] = lines[i][:at] + junk + lines[i][at + draw(st.integers(0, 3)) :]
    return b"".join(lines)


@PROPERTY
@given(mangled())
def test_a_mangled_file_loads_or_is_refused(content: bytes) -> None:
    """No edit of a sweep file gets anything out of load() but a sound sweep or one line."""
    loads_or_refuses(content)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([10**400, -(2**63), "sgd", "full", "mse", 0.5, 20, 1e300, 5e-324, "auto"])
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from([*PATHS, "axes", "seeds", "name", "start", "num", "kind", "x"]) | st.text()


def as_yaml(value: Any) -> str:
    """Flow style, written here so that the reader is not tested by its own writer."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_yaml(str(k))}: {as_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' * (value < 0)}.inf"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" for c in value) + '"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


TREE: dict[str, Any] = {
    "name": "wd",
    "task": {"kind": "modular", "operation": "addition", "modulus": 97},
    "model": {"kind": "mlp", "width": 500, "depth": 2, "activation": "quadratic"},
    "loss": "mse",
    "optimizer": {"kind": "adamw", "learning_rate": 0.01, "beta1": 0.9},
    "train": {"steps": 2000, "batch_size": "full", "log_every": 20},
    "variants": {"a": {}, "b": {"model.width": 64, "model.kind": "mlp"}},
    "axes": {
        "data.data_fraction": {"start": 0.1, "stop": 0.9, "num": 17},
        "optimizer.kind": ["adamw", "sgd"],
        "train.steps": [100, 200],
    },
    "seeds": [0, 1],
    "engine": {"mapping": "auto", "chunk": "auto"},
    "reduced": {
        "train.steps": 200,
        "axes": {"data.data_fraction": [0.3]},
        "variants": {"a": None, "c": {}},
    },
}


@st.composite
def replaced(draw: st.DrawFn) -> Any:
    """The tree with a value or key somewhere in it replaced, added or removed."""
    tree = copy.deepcopy(TREE)
    for _ in range(draw(st.integers(1, 3))):
        spot: Any = tree
        while True:
            keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(spot[key], dict | list) and draw(st.booleans()):
                spot = spot[key]
                continue
            if draw(st.integers(0, 9)) == 0:
                del spot[key]
            elif isinstance(spot, dict) and draw(st.integers(0, 4)) == 0:
                spot[draw(KEYS)] = spot.pop(key)
            else:
                spot[key] = draw(JUNK)
            break
    return tree


@PROPERTY
@given(replaced())
def test_a_tree_with_junk_loads_or_is_refused(tree: Any) -> None:
    """No value or key in a well-formed file gets past the checks as anything but sound."""
    # A range may be as long as a sweep may have runs, which would only take time here.
    content = re.sub(r"\d{6,}(?=[,}])", lambda m: m[0] if len(m[0]) > 7 else "7", as_yaml(tree))
    loads_or_refuses(content.encode())


@PROPERTY
@given(st.sampled_from([*PATHS, "seeds", "engine.chunk", "name"]) | KEYS, JUNK, st.booleans())
def test_any_override_loads_or_is_refused(key: str, value: Any, axis: bool) -> None:
    """The same for --set, whatever the key and value."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.yaml"
        path.write_text("name: a\naxes: {optimizer.kind: [adamw, sgd]}\n")
        override = f"{'axes.' * axis}{key}={as_yaml(value)}"
        try:
            load(path, [override])
        except Refusal as refusal:
            assert str(refusal).isprintable()


@PROPERTY
@given(st.dictionaries(st.text(min_size=1, max_size=50), SCALARS.filter(lambda v: v != 10**400)))
def test_written_text_reads_back(values: dict[str, Any]) -> None:
    """The writer quotes whatever would read back as something else.

    Keys are kept short: YAML itself ends a plain `key:` at 1024 characters, escapes included.
    """
    node = yamlfile.read_text(yamlfile.write({"top": values, "list": [*values.values()]}), _here)
    found = {k: n.value for k, n in node.value["top"].value.items()}
    assert repr(found) == repr(values)
    assert repr([n.value for n in node.value["list"].value]) == repr([*values.values()])


def _here(line: int, column: int) -> str:
    return f"{line}:{column}"
