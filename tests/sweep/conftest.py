"""Shared by the tests of sweep files: a file to write, and what holds for every refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from phasegrok.errors import Refusal
from phasegrok.sweep.load import load
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

# Line 7 is the block's first variant.
BASE = """\
name: tiny
task: {kind: modular, modulus: 7}
model: {width: 12}
optimizer: {learning_rate: 0.02, beta1: 0.8}
train: {steps: 40, log_every: 10}
variants:
"""
FOUR = """\
  adam: {}
  decay: {optimizer.weight_decay: 0.5}
  sgd: {optimizer.kind: sgd, optimizer.momentum: 0.5}
  encoder: {model.kind: transformer, model.heads: 2, model.embedding: 8, model.feed_forward: 8}
"""

# What the refusals of several files allow, in words.
SPLIT = "multiple of log_every"
NOT_NEGATIVE = "a number at least 0 and at most 1e+30"
COUNT = "a whole number at least 1 and at most 2147483647"
SEEDS = "a list of different whole numbers from 0 to 4294967295"
NAME = "1 to 100 of the characters A-Z a-z 0-9 _ -"

Write = Callable[[str | bytes], Path]
Bad = tuple[str, str, str, list[str]]

# For properties that hold whatever the input is.
PROPERTY = settings(
    derandomize=True,
    deadline=None,
    max_examples=120,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([10**400, -(2**63), "sgd", "full", "mse", 0.5, 20, 1e300, 5e-324, "auto"])
)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes s.yaml into the test's own folder, which is made the working directory."""
    monkeypatch.chdir(tmp_path)

    def to_file(content: str | bytes) -> Path:
        path = Path("s.yaml")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to_file


def refused(path: Path, overrides: Sequence[str] = (), reduced: bool = False) -> str:
    """The refusal's first line, after checking what holds for every refusal: every line prints,
    and there are not more than can be read."""
    with pytest.raises(Refusal) as caught:
        load(path, overrides, reduced)
    lines = str(caught.value).split("\n")
    assert all(line.isprintable() for line in lines) and len(lines) <= 11, repr(lines)
    return lines[0]


def check_refused(write: Write, case: Bad) -> None:
    """A file with these lines is refused in one line: FILE:LINE:COLUMN: KEY: what is wrong.

    The position is exact, so an editor that gets the line opens at the mistake.
    """
    lines, where, key, words = case
    line = refused(write(f"name: a\n{lines}\n"))
    assert line.startswith(f"s.yaml:{where}"), line
    assert re.match(r"s\.yaml:\d+:\d+: ", line), line
    if where and not where.endswith(":"):
        assert line.startswith(f"s.yaml:{where}: {key}"), line
    assert all(word in line for word in words), line
    answer = re.search("allowed|required|use one of", line)
    assert answer, line
    # Apart from the list of what is allowed, a line stays short whatever the file holds.
    assert answer.start() < 300, line


def axis(sweep: Sweep, path: str) -> tuple[Any, ...]:
    return next(a.values for a in sweep.axes if a.path == path)
