"""Single settings and axes: what every field takes, and how ranges become values."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from phasegrok.config import PATHS
from phasegrok.errors import Refusal
from phasegrok.sweep.load import load
from tests.sweep.conftest import (
    COUNT,
    NAME,
    NOT_NEGATIVE,
    SEEDS,
    Bad,
    Write,
    axis,
    check_refused,
    refused,
)

FRACTION = "a number above 0 and below 1"
XI = "a number at least 0 and at most 1"
NUM = "a whole number at least 1 and at most 1000000"
SUFFIX = "allowed: a list of at least one value, or {start, stop, num}"

# id: (lines after `name: a`, so the first is line 2; where; key; words that must appear)
BAD: dict[str, Bad] = {
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
    "float32 overflow": (
        "optimizer: {weight_decay: 1e39}",
        "2:27",
        "optimizer.weight_decay",
        ["found 1e39", NOT_NEGATIVE],
    ),
    "huge whole number": ("model: {width: 99999999999}", "2:16", "model.width", ["999", COUNT]),
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
        "axes.model.width.num",
        ["missing; required: start, stop and num"],
    ),
    "step in a range": (
        "axes: {model.width: {start: 1, stop: 2, step: 1}}",
        "2:41",
        "axes.model.width.step",
        ["unknown key", "allowed: start, stop, num"],
    ),
    "unknown scale": (
        "axes: {model.width: {start: 1, stop: 2, num: 2, scale: ln}}",
        "2:56",
        "axes.model.width.scale",
        ['the text "ln"', "linear or log"],
    ),
    "logarithm of zero": (
        "axes: {model.dropout: {start: 0, stop: 1, num: 2, scale: log}}",
        "2:31",
        "axes.model.dropout.start",
        ["found 0", "above 0 where scale is log", "[0, {start: 0.1"],
    ),
    "bad range in a list": (
        "axes: {model.dropout: [0, {start: 0.1, stop: 1}]}",
        "2:27",
        "axes.model.dropout.num",
        ["missing; required: start, stop and num"],
    ),
    "value of a range twice in a list": (
        "axes: {model.dropout: [0.1, {start: 0.1, stop: 0.2, num: 2}]}",
        "2:29",
        "axes.model.dropout",
        ["found 0.1 a second time"],
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
    "same seed twice": ("seeds: [0, 1, 0]", "2:15", "seeds", ["found 0 a second time", SEEDS]),
    "no seeds": ("seeds: []", "2:8", "seeds", ["an empty list", SEEDS]),
    "one bare seed": ("seeds: 3", "2:8", "seeds", ["found 3", SEEDS]),
    "negative seed": ("seeds: [-1]", "2:9", "seeds", ["found -1", SEEDS]),
    "seed too large": ("seeds: [4294967296]", "2:9", "seeds", ["4294967296", SEEDS]),
    "bool as a seed": ("seeds: [true]", "2:9", "seeds", ["found true", SEEDS]),
    "float as a seed": ("seeds: [1.0]", "2:9", "seeds", ["found 1.0", SEEDS]),
    "engine value": (
        "engine: {precision: float64}",
        "2:21",
        "engine.precision",
        ['"float64"', "float32, tf32 or bfloat16"],
    ),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_values_are_refused_in_one_line(case: str, write: Write) -> None:
    """The line begins with the exact position, names the key, what was found and is allowed."""
    check_refused(write, BAD[case])


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


def test_every_field_refuses_every_kind_of_junk(write: Write) -> None:
    """Each declared field, not just the ones in the table, names itself and what it takes."""
    for path in PATHS:
        for junk in ["[1]", "{a: 1}", ".nan", "-.inf", "1e400", "'x y'", "1.5e300"]:
            line = refused(write("name: a"), [f"{path}={junk}"])
            of_another_kind = f": {path}: not available for " in line
            assert of_another_kind or f": {path}: found " in line or "numbers below 1.79" in line
            assert "use one of: " in line or "allowed: " in line, line


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
        (
            "optimizer.weight_decay",
            "{start: 0.001, stop: 10, num: 5, scale: log}",
            (0.001, 0.01, 0.1, 1.0, 10.0),
        ),
        (
            "optimizer.weight_decay",
            "[0, {start: 1, stop: 100, num: 5, scale: log}]",
            (0.0, 1.0, 3.16227766017, 10.0, 31.6227766017, 100.0),
        ),
        ("model.width", "[7, {start: 10, stop: 30, num: 3}, 64]", (7, 10, 20, 30, 64)),
        ("model.width", "{start: 1024, stop: 16, num: 4, scale: log}", (1024, 256, 64, 16)),
        ("optimizer.weight_decay", "{start: 3, stop: 5, num: 1, scale: log}", (3.0,)),
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
