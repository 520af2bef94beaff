"""Every sweep file of the repository is one that a user can run."""

from __future__ import annotations

from pathlib import Path

import pytest

from phasegrok.config import value_at
from phasegrok.models.frozen.mixture import NETWORKS
from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import plan
from phasegrok.sweep.load import load

FILES = sorted((Path(__file__).parents[1] / "sweeps").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_loads_and_says_what_it_is(file: Path) -> None:
    """It is accepted, under its own name, as is its reduced variant; its header names the figure or
    section, the command, the time, and what to see."""
    text = file.read_text()
    sweep = load(file)
    assert sweep.name == file.stem
    if "\nreduced:" in text:
        assert load(file, reduced=True) != sweep
    head = text[: text.index("\nname:")]
    assert head.startswith("# ") and f"sweeps/{file.name}" in head
    assert all(words in head for words in ("Expected time", "What one should see", "make "))
    assert not [line for line in text.splitlines() if len(line) > 120]


def test_the_mixture_names_networks_that_circuits_saves() -> None:
    """Run and steps in sweeps/mixture.yaml are those of sweeps/circuits.yaml, on the same rows."""
    circuits, mixture = (
        load(FILES[0].with_name(f"{name}.yaml")) for name in ("circuits", "mixture")
    )
    grid = plan(circuits, Machine("cpu", 2, 1 << 34, 1 << 30, 1e11, 2.0))
    (run,), (job,) = grid.runs["run"], grid.jobs
    steps = [point * job.program.log_every for point in job.program.weight_saves]
    for name, step in zip(NETWORKS, steps, strict=True):
        place = value_at(mixture.base, f"model.{name}")
        assert place == f"results/circuits/weights/{run}/{step}.npz"
    assert mixture.base.task == circuits.base.task and mixture.base.data == circuits.base.data
    assert mixture.seeds == circuits.seeds and circuits.measure.weights == "final"
