"""Where a text is no YAML, the line that has to change is named, and how."""

from __future__ import annotations

import pytest

from tests.sweep.conftest import Write, refused

# id: (lines after `name: a`; where; words)
BROKEN: dict[str, tuple[str, str, str]] = {
    "no colon, more keys below": (
        "train:\n  steps 1000\n  log_every: 10",
        "3:3",
        "found no colon in steps 1000; allowed: steps: 1000",
    ),
    "no colon, at the end": ("seeds [0]", "2:1", "found no colon in seeds [0]"),
    "no colon after a block": ("train\n  steps: 10", "2:1", "in train; allowed: train:"),
    "an equals sign": ("loss = mse\nseeds: [0]", "2:1", "allowed: loss: mse"),
    "no space after a colon": (
        "train:\n  steps:10\n  log_every: 5",
        "3:3",
        "found no space after the colon of steps:10; allowed: steps: 10",
    ),
    "two colons": ("loss: mse: 3", "2:10", "found a second colon"),
    "an open quote": ('loss: "mse\ntrain: {steps: 10}', "2:7", "found a quote that is never"),
    "a quote that another closes": ('loss: "mse\nevent: "none"', "2:7", "found a quote that is"),
    "an apostrophe that opens": ("loss: 'mse\nevent: 'none'", "2:7", "found a quote that is"),
    "an open brace": ("train: {steps: 10\nloss: mse", "2:8", "found { that is never closed"),
    "an open bracket": ("seeds: [0, 1\nloss: mse", "2:8", "allowed: ] at its end"),
    "another bracket": ("seeds: [0, 1}\nloss: mse", "2:13", "found }; allowed: ]"),
    "a bracket too many": ("seeds: [0]]", "2:11", "found ] that nothing opens"),
    "no comma": ("train: {steps: 10 log_every: 5}", "2:28", "found no comma"),
    "a tab": ("train:\n\tsteps: 10", "3:1", "found a tab; allowed: spaces"),
    "deeper than a value": ("train:\n  steps: 10\n   log_every: 5", "4:4", "indented under one"),
    "another indentation": ("train:\n    steps: 10\n  log_every: 5", "4:3", "another indentation"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_yaml_is_pointed_to(case: str, write: Write) -> None:
    lines, where, words = BROKEN[case]
    line = refused(write(f"name: a\n{lines}\n"))
    assert line.startswith(f"s.yaml:{where}: found a YAML error: "), line
    assert words in line and "allowed" in line, line
