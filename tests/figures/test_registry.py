"""What every registered picture keeps to."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from phasegrok.analysis.phases import label_cells
from phasegrok.figures import FAMILIES, pictures
from phasegrok.figures.context import Context
from phasegrok.figures.registry import PICTURES, Picture, picture
from tests.analysis.test_boundaries import AXES
from tests.analysis.test_boundaries import runs as grid_runs
from tests.figures.made import CELLS, CURVES, NEURON, PRUNING, TABLES, context

SHRINKS = {"event": {"kind": "at_step", "set": "data.data_fraction"}}
ANALYTIC = {"model": {"initialization": "analytic"}}


def runs(**swept: list[object]) -> pd.DataFrame:
    """Every combination of the swept values and of seeds."""
    table = pd.DataFrame(list(itertools.product(*swept.values())), columns=list(swept))
    table["test_accuracy"] = np.linspace(0, 1, len(table))
    return table.assign(peak_test_accuracy=1.0, weight_norm=10.0, train_logit=5.0)


def widths() -> Context:
    """A sweep over widths with enough seeds for shares, and with pruning curves."""
    many = runs(width=[10, 20], seed=list(range(20)))
    names = list(PRUNING["run"].unique())
    many["run"] = names + [f"other-{number}" for number in range(len(many) - len(names))]
    curves = CURVES.assign(width=np.where(CURVES["weight_decay"] > 0, 20, 10), step=0)
    curves["test_loss"] = 1 / curves["width"]
    pruning = PRUNING.merge(many[["run", "width"]], on="run")
    cells = CELLS.rename(columns={"weight_decay": "width"})
    tables = {"runs": many, "curves": curves, "pruning": pruning}
    return Context(cells, ["width"], ANALYTIC, tables)


def sized(axes: list[str], sweep: dict[str, dict[str, str]], table: pd.DataFrame) -> Context:
    """A sweep over sizes of the training set."""
    return Context(CELLS.assign(variant="a", event_value=0.5), axes, sweep, {"runs": table})


def grid() -> Context:
    """A whole diagram, with a boundary and steps."""
    table = grid_runs(lambda xi, decay, seed: 0.4 + xi)
    table = table.assign(memorization_step=10.0, generalization_step=30.0)
    return Context(label_cells(table, AXES), AXES, {}, {"runs": table})


DECAYED = runs(weight_decay=[1.0, 9.0], event_value=[0.2, 0.4], seed=[0, 1])
SWEEPS = (
    context(
        **TABLES
        | {
            "curves": CURVES.assign(spectral_u=CURVES["norm_u"]),
            "neurons": NEURON.assign(normalization_weight=NEURON["neuron"] * 1.0),
        }
    ),
    widths(),
    sized(["variant", "data_fraction"], {}, runs(variant=["a"], data_fraction=[0.2], seed=[0])),
    sized(["data_fraction"], {}, runs(data_fraction=[0.2, 0.4], seed=list(range(8)))),
    sized(["weight_decay", "event_value"], SHRINKS, DECAYED),
    grid(),
)


@pytest.mark.parametrize("one", pictures(), ids=lambda one: one.name)
def test_every_picture_keeps_to_the_contract(one: Picture) -> None:
    """It is drawn of a tiny sweep that has what it needs; of an empty one it does not apply, with
    empty tables or without any."""
    fitting = [sweep for sweep in SWEEPS if one.applies(sweep)]
    assert fitting, "add a tiny sweep that this picture is drawn of"
    figure = one.draw(fitting[0])
    assert isinstance(figure, Figure)
    assert any(axes.has_data() for axes in figure.axes)
    for sweep in SWEEPS:
        nothing = {name: table.iloc[:0] for name, table in sweep.tables.items()}
        for tables in (nothing, {}):
            assert not one.applies(Context(sweep.cells.iloc[:0], sweep.axes, sweep.sweep, tables))


def test_names_are_unique_and_of_a_family() -> None:
    """A second picture of a name is refused; every picture is of a module that is asked for."""
    with pytest.raises(ValueError, match="picture accuracy: registered twice"):
        picture("accuracy", applies=lambda context: True)(PICTURES["accuracy"].draw)
    modules = {one.draw.__module__ for one in pictures()}
    assert modules == {f"phasegrok.figures.{family}" for family in FAMILIES}
