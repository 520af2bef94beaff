"""Runs that cannot be trained are refused before anything is written."""

from __future__ import annotations

import pytest

from phasegrok.errors import Refusal
from phasegrok.plan.checks import check_distinct
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
