"""The same run comes to the same numbers in every version that has the same NUMERICS."""

from __future__ import annotations

import jax
import pytest

from phasegrok.config.identity import NUMERICS
from phasegrok.train import step
from tests.conftest import MakeSweep
from tests.train.one import one

# Training and test loss after 20 steps, by NUMERICS: as computed when the number was raised to it.
RECORDED = {
    1: {
        "default": (0.05926216, 0.1633931),
        "minibatches": (0.1488770, 0.1497890),
        "transformer": (1.474036, 3.024770),
    }
}
RUNS = {
    "default": ["data.corruption_fraction=0.2", "optimizer.weight_decay=1"],
    "minibatches": [
        "optimizer.kind=sgd",
        "optimizer.momentum=0.5",
        "train.batch_size=7",
        "model.dropout=0.3",
        "optimizer.update_noise=0.1",
    ],
    "transformer": [
        "model.kind=transformer",
        "model.embedding=8",
        "model.feed_forward=12",
        "loss=cross_entropy",
        "schedule.kind=cosine",
        "schedule.warmup_steps=5",
    ],
}


@pytest.mark.parametrize("name", RUNS)
def test_numbers_are_those_of_their_version(make_sweep: MakeSweep, name: str) -> None:
    """Data, draws, initial weights, gradients and updates all go into them. Rounding moves them in
    the sixth digit. If a change moves them further, raise NUMERICS in config/identity.py, say there
    what changed, and record the new numbers here: folders of older versions are then not gone on
    with by mistake."""
    program, run = one(make_sweep, *RUNS[name])
    state, table, _ = step.begin(program, run)
    _, record = jax.jit(lambda s, t: step.segment(program, 2, s, t))(state, table)
    found = (float(record["train_loss"][-1]), float(record["test_loss"][-1]))
    assert found == pytest.approx(RECORDED[NUMERICS][name], rel=2e-3)
