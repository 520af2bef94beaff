"""Two networks that a sweep trained and saved, for the tests of what is frozen."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from phasegrok import running as runner
from phasegrok.sweep.load import load

# Batch normalization: what is frozen has running statistics too.

ORIGIN = """\
name: origin
task: {kind: modular, modulus: 7}
data: {data_fraction: 0.6, corruption_fraction: 0.2}
model: {width: 12, normalization: batch}
optimizer: {learning_rate: 0.02}
train: {steps: 20, log_every: 10}
axes: {optimizer.weight_decay: [0, 2]}
measure: {weights: final, steps: [10]}
"""
MIXTURE = """\
name: mixture
task: {{kind: modular, modulus: 7}}
data: {{data_fraction: 0.6, corruption_fraction: 0.2}}
model: {{kind: mixture, memorizing: {0}/10.npz, generalizing: {0}/20.npz}}
loss: cross_entropy
optimizer: {{kind: sgd, learning_rate: 0.25}}
train: {{steps: 40, log_every: 10}}
axes: {{model.memorizing_scale: [10, 1]}}
measure: {{weights: final}}
"""
SCALES = np.array([10.0, 1.0])
FILES = {"memorizing": "10.npz", "generalizing": "20.npz"}


class Quiet:
    """Nobody watches."""

    def note(self, line: str) -> None: ...

    def compiling(self, number: int, of: int) -> None: ...

    def compiled(self) -> None: ...

    def delivered(self, workers: int, chunks: int) -> None: ...

    def skip(self, work: float, runs: int) -> None: ...

    def advanced(self, work: float, runs: int) -> None: ...


class Trained(NamedTuple):
    file: Path  # a sweep file of a mixture
    weights: Path  # of the run whose networks it names
    out: Path  # its results


def train(file: Path, out: Path) -> None:
    """Run a sweep file into a folder."""
    runner.run(runner.prepare(load(file), out, fresh=False), Quiet())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Networks of one run at two steps, and the mixture of both."""
    where = tmp_path_factory.mktemp("mixture")
    (where / "origin.yaml").write_text(ORIGIN)
    train(where / "origin.yaml", where / "origin")
    runs = pd.read_parquet(where / "origin" / "runs")
    weights = where / "origin" / "weights" / runs["run"][1]
    file = where / "mixture.yaml"
    file.write_text(MIXTURE.format(weights))
    train(file, where / "out")
    return Trained(file, weights, where / "out")


@pytest.fixture
def copied(trained: Trained, tmp_path: Path) -> Trained:
    """The run's weights alone, in another place, and the sweep file that names them there."""
    weights = tmp_path / "elsewhere"
    shutil.copytree(trained.weights, weights)
    file = tmp_path / "mixture.yaml"
    file.write_text(MIXTURE.format(weights))
    return Trained(file, weights, tmp_path / "out")


def by_hand(trained: Trained, name: str, m: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Outputs of a quadratic network with batch normalization in evaluation, from its file."""
    weights = np.load(trained.weights / FILES[name])
    x = np.square(weights["u"][m] + weights["v"][n])
    x = (x - weights["rest.normalizations.0.mean"]) / np.sqrt(
        weights["rest.normalizations.0.variance"] + 1e-5
    )
    scale, shift = (weights[f"normalizations.0.{each}"] for each in ("scale", "shift"))
    return (x * scale + shift) @ weights["w"]
