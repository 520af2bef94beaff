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
    section, the command, and what to see."""
    text = file.read_text()
    sweep = load(file)
    assert sweep.name == file.stem
    if "\nreduced:" in text:
        assert load(file, reduced=True) != sweep
    head = text[: text.index("\nname:")]
    assert head.startswith("# ") and f"sweeps/{file.name}" in head
    assert all(words in head for words in ("What one should see", "make "))
    assert not [line for line in text.splitlines() if len(line) > 120]


def test_the_mixture_names_networks_that_circuits_saves() -> None:
    """Every variant of sweeps/mixture.yaml reads the two networks that the variant of the same name
    in sweeps/circuits.yaml saves, on the same rows."""
    circuits, mixture = (
        load(FILES[0].with_name(f"{name}.yaml")) for name in ("circuits", "mixture")
    )
    grid = plan(circuits, Machine("cpu", 2, 1 << 34, 1 << 30, 1e11, 2.0))
    saved = dict(zip(grid.runs["variant"], grid.runs["run"], strict=True))
    steps = [point * grid.jobs[0].program.log_every for point in grid.jobs[0].program.weight_saves]
    assert [each.name for each in mixture.variants] == [each.name for each in circuits.variants]
    for theirs, ours in zip(circuits.variants, mixture.variants, strict=True):
        network, mixed = circuits.at({}, theirs), mixture.at({}, ours)
        for name, step in zip(NETWORKS, steps, strict=True):
            place = value_at(mixed, f"model.{name}")
            assert place == f"results/circuits/weights/{saved[ours.name]}/{step}.npz"
        assert mixed.task == network.task and mixed.data == network.data
    assert mixture.seeds == circuits.seeds and circuits.measure.weights == "final"
