"""Runs that cannot be trained are refused before anything is written."""

from __future__ import annotations

import pytest

from phasegrok.errors import Refusal
from phasegrok.plan import checks
from phasegrok.plan.checks import check_distinct, most_with_curves
from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import plan
from phasegrok.plan.runs import expand
from tests.conftest import MakeSweep

MACHINE = Machine("cpu", 2, 1 << 34, 1 << 30, 1e11, 2.0)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("data.data_fraction=0.001", "no rows"),
        ("train.batch_size=30", "batch_size"),
    ],
)
def test_impossible_training_sets_are_refused(
    make_sweep: MakeSweep, override: str, words: str
) -> None:
    """A training set of no rows, or smaller than a minibatch that may not be partial."""
    with pytest.raises(Refusal, match=words):
        plan(make_sweep("", override), MACHINE)


def test_the_same_training_twice_is_refused(make_sweep: MakeSweep) -> None:
    """Two names of the same files make two runs of one id, which tables could not tell apart."""
    sweep = make_sweep("axes: {optimizer.weight_decay: [0, 1]}\n")
    table = expand(sweep)
    table.frame["run"] = table.frame["run"].iloc[0]
    with pytest.raises(Refusal, match="the same training"):
        check_distinct(sweep, table)


GIB = 1 << 30


@pytest.mark.parametrize(
    ("sets", "memory", "words"),
    [
        (
            ["train.steps=100000000", "train.log_every=1"],
            16 * GIB,
            "train.log_every: curves of 2 runs x 100000001 logged points x 900 bytes take 168 GiB"
            " of 16 GiB here; allowed: a larger log_every, or fewer steps",
        ),
        (
            ["train.steps=1000000", "train.log_every=1", "seeds={start: 0, stop: 99, num: 100}"],
            16 * GIB,
            "train.log_every: curves of 200 runs x 1000001 logged points x 300 bytes take 55.9 GiB",
        ),
        (
            ["seeds={start: 0, stop: 399999, num: 400000}"],
            GIB // 2,
            "found 2 x 400000 = 800000 runs, whose table takes 0.894 GiB of 0.5 GiB here",
        ),
    ],
)
def test_tables_that_do_not_fit_are_refused(
    make_sweep: MakeSweep, monkeypatch: pytest.MonkeyPatch, sets: list[str], memory: int, words: str
) -> None:
    """Before they are begun, with the arithmetic in the line."""
    monkeypatch.setattr(checks, "memory_bytes", lambda: memory)
    sweep = make_sweep("axes: {optimizer.weight_decay: [0, 1]}\n", *sets)
    with pytest.raises(Refusal) as refused:
        plan(sweep, MACHINE)
    assert words in str(refused.value)
    monkeypatch.setattr(checks, "memory_bytes", lambda: 1 << 50)
    if len(sweep.seeds) <= 100:
        assert len(plan(sweep, MACHINE).runs) == 2 * len(sweep.seeds)


def test_long_curves_make_small_chunks() -> None:
    """A chunk's curves take at most a quarter of the memory; one run there must be."""
    assert most_with_curves(1_000_001, 16 * GIB) == 4
    assert most_with_curves(10**9, GIB) == 1
    assert most_with_curves(101, 16 * GIB) > 10_000
