"""docs/extending.md works as written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(
    r"^```python (?P<file>\S+)(?: (?P<how>before|after|instead of) (?P<line>.+?))?\n"
    r"(?P<code>.*?)^```$",
    re.M | re.S,
)
SWEEP = """\
name: extended
task: {kind: polynomial, modulus: 7}
data: {corruption_fraction: 0.2}
model: {kind: bilinear, width: 16, dropout: 0.1}
optimizer: {kind: lion}
train: {steps: 20, log_every: 10}
axes: {optimizer.weight_decay: [0, 1]}
measure: {spectra: true, pruning: [lowest], outputs: true}
"""


def test_every_block_applies_and_the_result_trains(tmp_path: Path) -> None:
    """New files are written, the other blocks go where they say; then a sweep of the new task with
    the new model and optimizer has the new column and table, spectra and pruning curves, and its
    settings."""
    copy = tmp_path / "phasegrok"
    shutil.copytree(ROOT / "phasegrok", copy, ignore=shutil.ignore_patterns("__pycache__"))
    blocks = list(BLOCK.finditer((ROOT / "docs" / "extending.md").read_text()))
    assert len(blocks) == 16
    for block in blocks:
        file = tmp_path / block["file"]
        if block["how"] is None:
            assert not file.exists()
            file.write_text(block["code"])
            continue
        text, line = file.read_text(), block["line"] + "\n"
        assert text.count(line) == 1, block["line"]
        new = {
            "before": block["code"] + line,
            "after": line + block["code"],
            "instead of": block["code"],
        }
        file.write_text(text.replace(line, new[block["how"]]))
    sweep = tmp_path / "extended.yaml"
    sweep.write_text(SWEEP)
    # Compiled cheaply, as in conftest.py, whose XLA_FLAGS are inherited.
    env = os.environ | {"PYTHONPATH": str(tmp_path), "JAX_DISABLE_MOST_OPTIMIZATIONS": "true"}
    done = subprocess.run(
        [sys.executable, "-m", "phasegrok.sweep", str(sweep), "--output", str(tmp_path / "out")],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    runs = pd.read_parquet(tmp_path / "out" / "runs")
    assert runs["effective_neurons"].between(1, 16).all()
    assert "effective_neurons" in pd.read_parquet(tmp_path / "out" / "cells.parquet")
    assert runs["learning_rate"].eq(0.001).all() and runs["norm_u"].notna().all()
    assert len(pd.read_parquet(tmp_path / "out" / "neurons")) == 2 * 16
    assert len(pd.read_parquet(tmp_path / "out" / "pruning")) == 2 * 17
    outputs = pd.read_parquet(tmp_path / "out" / "outputs")
    assert outputs["output"].tolist() == [*range(7)] * 2 and outputs["size"].gt(0).all()
