"""The table of runs: fractions that mean what they say, ids that mean the training."""

from __future__ import annotations

import hashlib
import json

import pytest

from phasegrok.config import PATHS, Experiment, is_traced, traced_paths, without_traced
from phasegrok.config.identity import identity, without_defaults
from phasegrok.plan.runs import expand, row_count
from tests.conftest import MakeSweep

AXES = """\
axes:
  data.data_fraction: {start: 0.1, stop: 0.9, num: 17}
  data.corruption_fraction: {start: 0.0, stop: 0.9, num: 4}
  model.dropout: [0, 0.5]
  model.activation: [quadratic, relu]
seeds: [3, 1]
"""


def test_decimal_fractions_mean_what_they_say() -> None:
    """0.29 * 100 is 28.999999999999996 in binary; the paper's floor means 29."""
    assert row_count(0.29, 100) == 29
    assert row_count(0.5, 9409) == 4704
    assert row_count(0.35, 4704) == 1646


def test_run_ids_are_hashes_of_json(make_sweep: MakeSweep) -> None:
    """As they always were: of what all runs of an experiment share, of the traced values that are
    no defaults, by path, and of the seed."""
    axes = "axes: {optimizer.weight_decay: [0, 1.0e-7, 3], model.dropout: [0, 0.25]}\n"
    sweep = make_sweep(axes + "seeds: [0, 4294967295]\n")
    table = expand(sweep)
    for i in table.positions:
        row, experiment = table.frame.iloc[i], table.experiment_of(i)
        values = {"model.dropout": row["dropout"], "optimizer.weight_decay": row["weight_decay"]}
        traced = [[path, float(value)] for path, value in values.items() if value != 0]
        traced.append(["optimizer.learning_rate", 0.02])
        shared = [without_defaults(without_traced(experiment).model_dump()), "float32"]
        text = json.dumps([shared, sorted(traced), int(row["seed"])], sort_keys=True)
        assert row["run"] == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_run_ids_mean_the_training(make_sweep: MakeSweep) -> None:
    """The same training has one id whether its values are swept or not and whatever the order;
    another value, seed or precision has another; ids are unique."""
    frame = expand(make_sweep(AXES)).frame
    assert frame["run"].is_unique
    row = frame.iloc[77]
    sets = [
        f"data.data_fraction={row.data_fraction}",
        f"data.corruption_fraction={row.corruption_fraction}",
        f"model.dropout={row.dropout}",
        f"model.activation={row.activation}",
        f"seeds=[{row.seed}]",
    ]
    alone = expand(make_sweep("", *sets)).frame["run"].tolist()
    assert alone == [row.run]
    assert expand(make_sweep("", *sets, "engine.mapping=vmap")).frame["run"][0] == row.run
    for change in (
        "seeds=[9]",
        "optimizer.weight_decay=1",
        "engine.precision=tf32",
        "train.steps=50",
    ):
        assert expand(make_sweep("", *sets, change)).frame["run"][0] != row.run


def test_a_new_key_at_its_default_changes_no_identity(
    make_sweep: MakeSweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids and the sweep's own identity are made of what differs from the defaults: a key that did
    not exist when the results were written, at what was done then, leaves both alone."""
    sweep = make_sweep("", "optimizer.kind=sgd", "optimizer.momentum=0.5")
    kept = without_defaults(sweep.base.model_dump())
    assert kept["optimizer"] == {"kind": "sgd", "learning_rate": 0.02, "momentum": 0.5}
    assert kept["data"] == {} and kept["task"] == {"kind": "modular", "modulus": 7}
    old = sweep.resolved()
    del old["measure"], old["model"]["init_scale"]
    assert identity(old) == identity(sweep.resolved())
    assert identity(make_sweep("", "measure.logits=3").resolved()) != identity(sweep.resolved())


def test_fields_say_once_whether_they_are_traced() -> None:
    """Every number that is not a size is traced, in each kind that has it: the list that the
    engine maps over. A change here changes what sweeps cost."""
    assert {p for p in PATHS if is_traced(p)} == {
        "data.data_fraction",
        "data.corruption_fraction",
        "model.init_scale",
        "model.dropout",
        "optimizer.learning_rate",
        "optimizer.beta1",
        "optimizer.beta2",
        "optimizer.epsilon",
        "optimizer.weight_decay",
        "optimizer.momentum",
        "optimizer.l1",
        "optimizer.update_noise",
        "optimizer.weight_noise",
        "model.memorizing_scale",
        "model.generalizing_scale",
        "event.at_step",
        "event.value",
        "schedule.warmup_steps",
        "schedule.final_fraction",
    }
    assert "optimizer.momentum" not in traced_paths(Experiment())
