"""Sparse parity: labels by hand, flips that flip, nested training sets, and a run that groks."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok import models, tasks
from phasegrok.config import Mlp, Parity
from phasegrok.errors import Refusal
from phasegrok.models.base import Pass
from phasegrok.plan.plan import plan
from phasegrok.sweep.load import dump, load
from phasegrok.tasks.base import Table
from phasegrok.tasks.parity import FIXED_TEST_SET
from phasegrok.train import step
from phasegrok.train.losses import answers, row_losses
from phasegrok.train.memory import machine
from phasegrok.train.state import (
    BATCHES,
    LABELS,
    MASKS,
    ORDER,
    PRUNING,
    UPDATE_NOISE,
    WEIGHT_NOISE,
    WEIGHTS,
    init,
    make_table,
)

PARITY = """\
name: parity
task: {kind: parity, bits: 12, parity_bits: 2, train_examples: 70, test_examples: 200}
model: {width: 40, activation: relu, bias: true, initialization: uniform}
loss: hinge
optimizer: {kind: sgd, learning_rate: 0.1, weight_decay: 0.01}
train: {epochs: 100, batch_size: 32, last_batch: keep, log_every: 10}
data: {corruption_fraction: 0.1}
"""


def table(seed: int = 0, test_set: Literal["seed", "fixed"] = "seed", **changes: int) -> Table:
    config = {"bits": 5, "parity_bits": 3, "train_examples": 40, "test_examples": 30} | changes
    keys = jax.random.split(jax.random.key(seed))
    return tasks.build(Parity(**config, test_set=test_set)).table(keys[0], keys[1])


def test_labels_are_the_product_of_the_first_signs() -> None:
    """Of every sign pattern; both labels and both signs are drawn about equally often."""
    found = table(train_examples=4000)
    signs = np.asarray(found.inputs)
    assert set(np.unique(signs)) == {-1.0, 1.0}
    np.testing.assert_array_equal(found.label, [(np.prod(s[:3]) + 1) // 2 for s in signs])
    patterns, counts = np.unique(signs, axis=0, return_counts=True)
    assert len(patterns) == 32 and counts.min() > 80  # 126 expected
    np.testing.assert_allclose(signs.mean(axis=0), 0, atol=0.06)


def test_corrupted_labels_are_the_other_one() -> None:
    """Never right by luck."""
    found = table()
    np.testing.assert_array_equal(found.corrupted_label, 1 - np.asarray(found.label))


def test_training_sets_are_nested() -> None:
    """More training examples add to fewer, more test examples to fewer, and neither moves the
    other; another seed's are others."""
    few, many, other = table(), table(train_examples=60, test_examples=50), table(seed=1)
    np.testing.assert_array_equal(few.inputs[:40], many.inputs[:40])
    np.testing.assert_array_equal(few.inputs[40:], many.inputs[60:90])
    assert not np.array_equal(few.inputs, other.inputs)


def test_a_fixed_test_set_is_every_seeds() -> None:
    """Seeds share the test rows and nothing else: their training rows are those that they have
    without it, and nested as those are. 50 bits leave no chance of a row twice, so none of the
    test rows trains under either seed."""
    long = {"bits": 50, "test_examples": 100}
    fixed = [table(seed, "fixed", **long) for seed in (0, 1)]
    for seed, found in enumerate(fixed):
        own = table(seed, **long)
        for mine, theirs in zip(found, own, strict=True):
            np.testing.assert_array_equal(mine[:40], theirs[:40])
        assert not np.array_equal(found.inputs[40:], own.inputs[40:])
        trained = np.asarray(table(seed, **{**long, "train_examples": 2000}).inputs[:2000])
        assert len(np.unique(np.vstack([trained, found.inputs[40:]]), axis=0)) == 2100
    np.testing.assert_array_equal(fixed[0].inputs[40:], fixed[1].inputs[40:])
    np.testing.assert_array_equal(fixed[0].label[40:], fixed[1].label[40:])
    more = table(2, "fixed", bits=50, train_examples=60, test_examples=150)
    np.testing.assert_array_equal(more.inputs[60:160], fixed[0].inputs[40:])


def test_a_fixed_test_set_is_that_of_no_seed(tmp_path: Path) -> None:
    """Its stream is none of a seed's, and as a choice it changes what a run is called; the default
    does not, so runs from before there was a choice keep their names."""
    streams = (ORDER, LABELS, WEIGHTS, BATCHES, MASKS, PRUNING, UPDATE_NOISE, WEIGHT_NOISE)
    assert FIXED_TEST_SET not in streams
    file = tmp_path / "parity.yaml"
    ids = []
    for choice in ("", ", test_set: seed", ", test_set: fixed"):
        file.write_text(PARITY.replace("test_examples: 200", "test_examples: 200" + choice))
        ids.append(plan(load(file), machine()).runs["run"].tolist())
    assert ids[0] == ids[1] != ids[2]


def test_losses_of_one_output() -> None:
    """By hand, for both labels."""
    outputs, labels = jnp.array([[0.25], [0.25], [3.0], [-2.0]]), jnp.array([1, 0, 1, 1])
    for loss, expected in (
        ("hinge", [0.75, 1.25, 0, 3]),
        ("mse", [0.5625, 1.5625, 4, 9]),
        ("cross_entropy", np.log1p(np.exp([-0.25, 0.25, -3, 2]))),
    ):
        np.testing.assert_allclose(row_losses(loss, outputs, labels), expected, rtol=1e-6)  # type: ignore[arg-type]


def test_an_output_of_zero_is_an_answer_of_minus_one() -> None:
    """The one rule for a single output; of several, the largest, the first on ties."""
    np.testing.assert_array_equal(answers(jnp.array([[0.0], [1e-9], [-1.0]])), [0, 1, 0])
    np.testing.assert_array_equal(answers(jnp.array([[1.0, 1.0], [0.0, 2.0]])), [0, 1])


def test_two_neurons_compute_the_parity_of_two_bits() -> None:
    """The thesis' network (section 4.2.1) is right on all sign patterns under that rule."""
    model = models.build(
        Mlp(width=2, activation="relu", bias=True, initialization="uniform"),
        Parity(bits=2, parity_bits=2),
    )
    params, rest = model.init(jax.random.key(0), jnp.float32(1))
    patterns = np.array(list(itertools.product([-1.0, 1.0], repeat=2)), np.float32)
    params["u"][...] = jnp.array([[0.5, -0.5], [0.5, -0.5]])
    params["biases"][0][...] = jnp.zeros(2)
    params["w"][...] = jnp.ones((2, 1))
    outputs, _ = model.apply(params, rest, Pass(jnp.asarray(patterns), jnp.arange(4)))
    np.testing.assert_allclose(outputs[:, 0], [1, 0, 0, 1])
    np.testing.assert_array_equal(answers(outputs), patterns.prod(axis=1) > 0)


def test_a_run_memorizes_and_generalizes(tmp_path: Path) -> None:
    """All examples train, a tenth of them flipped; the flips are counted in their own accuracy."""
    file = tmp_path / "parity.yaml"
    file.write_text(PARITY)
    grid = plan(load(file), machine())
    assert grid.runs[["n_train", "n_corrupted"]].iloc[0].tolist() == [70, 7]
    assert grid.runs["data_fraction"].isna().all()
    (job,) = grid.jobs
    assert job.program.steps == 300 and job.program.log_every == 30  # 3 batches an epoch, one short
    cell = jax.tree.map(lambda x: jnp.asarray(x[0]), grid.run_params(np.array([0])))
    examples = make_table(job.program, cell)
    state = init(job.program, cell)
    run = jax.jit(lambda state: step.segment(job.program, 10, state, examples))
    _, record = run(state)
    assert record["train_accuracy"][-1] > 0.85 and record["clean_accuracy"][-1] == 1
    # A flipped label is given back or it is not: the two shares make one.
    both = record["corrupted_accuracy"] + record["restored_accuracy"]
    np.testing.assert_allclose(both, 1, atol=1e-6)
    assert record["test_accuracy"][-1] > 0.8 > record["test_accuracy"][0]
    assert np.isnan(record["mean_ipr"]).all()


@pytest.mark.parametrize(
    "more", ["data: {data_fraction: 0.3}", "axes: {data.data_fraction: [0.3, 0.5]}"]
)
def test_a_data_fraction_is_refused(tmp_path: Path, more: str) -> None:
    """Parity has its own number of examples; a resolved sweep says no fraction, and loads again."""
    file = tmp_path / "parity.yaml"
    file.write_text(PARITY.replace("data: {corruption_fraction: 0.1}\n", more + "\n"))
    with pytest.raises(Refusal, match=r"data.data_fraction: found .*parity.*train_examples"):
        load(file)
    file.write_text(PARITY)
    sweep = load(file)
    file.write_text(dump(sweep))
    assert "data_fraction" not in file.read_text() and load(file) == sweep
