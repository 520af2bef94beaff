"""Every measurement holds to its contract, whichever it is."""

from __future__ import annotations

import jax
import numpy as np
import pandas as pd
import pytest

from phasegrok.config import MEASURE_NOTHING, Measure
from phasegrok.measure import MEASUREMENTS, SCALARS, Keys, Measurement, tables_wanted
from phasegrok.measure.base import Wanted
from phasegrok.tasks import Size
from phasegrok.train import snapshot
from phasegrok.train.metrics import measure
from phasegrok.train.state import init, make_table
from tests.conftest import MakeSweep
from tests.train.one import one

SETTINGS = {  # one value that asks for it, by key
    "spectra": "true",
    "pruning": "[lowest, random]",
    "logits": "3",
    "rows": "2",
    "readout": "true",
    "activations": "4",
    "spectral_norms": "true",
}
PLACES = ["run", "seed", "step"]


CORRUPTED = "data.corruption_fraction=0.5"  # or logits would have no rows


@pytest.mark.parametrize("each", MEASUREMENTS, ids=lambda each: each.table)
def test_columns_announced_are_columns_returned(make_sweep: MakeSweep, each: Measurement) -> None:
    """Asked for alone, it is computed alone; its rows have the columns that it announces, after
    those that every table begins with."""
    program, run = one(make_sweep, CORRUPTED, f"measure.{each.key}={SETTINGS[each.key]}")
    assert tables_wanted(program.measure)
    arrays = snapshot.snapshot(program, init(program, run), make_table(program, run))
    assert set(arrays) == set(snapshot.shapes(program))
    assert {name.split(".")[0] for name in arrays} == {each.table}
    columns = [name.split(".")[2] for name in arrays]
    runs = pd.DataFrame({"run": ["a"], "seed": [0], "step": [40]})
    keys = Keys(runs, sorted(set(columns)), Size(49), ("m", "n"))
    for group in {name.split(".")[1]: None for name in arrays}:
        mine = {
            name.split(".")[2]: np.asarray(values)[None]
            for name, values in arrays.items()
            if name.split(".")[1] == group
        }
        frame = each.rows(keys, group, mine)
        assert list(frame) == [*PLACES, *each.columns(columns, ("m", "n"))]
        assert len(frame) and (frame["run"] == "a").all()


@pytest.mark.parametrize("each", [s for s in SCALARS if s.key], ids=lambda each: each.key)
def test_scalars_that_nobody_asks_for_are_not_there(make_sweep: MakeSweep, each: Wanted) -> None:
    """Its columns are there where they are asked for, and no others with them."""
    without, run = one(make_sweep, CORRUPTED)
    wanted, _ = one(make_sweep, CORRUPTED, f"measure.{each.key}={SETTINGS[each.key]}")
    names = [
        set(jax.eval_shape(lambda r, p=p: measure(p, init(p, r), make_table(p, r)), run))
        for p in (without, wanted)
    ]
    assert names[0] < names[1]


def test_nothing_is_measured_unless_asked_for() -> None:
    """Every key is one of ``measure:``, no two share a table, and none is on by itself."""
    assert not tables_wanted(MEASURE_NOTHING)
    for each in (*MEASUREMENTS, *SCALARS):
        assert each.wanted(MEASURE_NOTHING) == (not each.key)
        assert not each.key or each.key in Measure.model_fields
    assert len({each.table for each in MEASUREMENTS}) == len(MEASUREMENTS)
