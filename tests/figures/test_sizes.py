"""Which figures against the training set's size a sweep gets, and what they show."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from phasegrok.figures import pictures
from phasegrok.figures.context import Context
from phasegrok.figures.sizes import size_axis
from tests.figures.made import CELLS

SHRINKS = {"event": {"kind": "at_step", "set": "data.data_fraction"}}


def runs(**swept: list[Any]) -> pd.DataFrame:
    """Every combination of the swept values and of seeds; half of the accuracy at a size of 0.3."""
    table = pd.DataFrame(list(itertools.product(*swept.values())), columns=list(swept))
    size = table["event_value" if "event_value" in table else "data_fraction"]
    table["test_accuracy"] = np.clip(0.5 + 5 * (size - 0.3), 0, 1)
    table["peak_test_accuracy"] = table["test_accuracy"] + 0.01
    table["weight_norm"], table["train_logit"] = 10 * size, 20 - size
    return table


# Pictures of whole diagrams, which the two cells here are none of.
WHOLE = ("phase_diagram", "accuracy", "boundaries", "delay")


def drawn(table: pd.DataFrame, axes: list[str], sweep: dict[str, Any]) -> dict[str, Figure]:
    """The pictures of a sweep but for those of whole diagrams."""
    context = Context(CELLS, axes, sweep, {"runs": table})
    return {
        one.name: one.draw(context)
        for one in pictures()
        if one.name not in WHOLE and one.applies(context)
    }


def size_of(sweep: dict[str, Any], axes: list[str]) -> str | None:
    return size_axis(Context(CELLS, axes, sweep, {}))


def test_the_size_is_an_events_where_that_shrinks_the_set() -> None:
    """And the data fraction elsewhere; of a sweep of neither there are no such figures."""
    assert size_of(SHRINKS, ["weight_decay", "event_value"]) == "event_value"
    decays = {"event": {"kind": "memorized", "set": "optimizer.weight_decay"}}
    assert size_of(decays, ["data_fraction", "event_value"]) == "data_fraction"
    assert size_of({}, ["weight_decay"]) is None
    assert drawn(runs(data_fraction=[0.2], seed=[0]), ["weight_decay"], {}) == {}


def test_data_efficiency_has_a_line_a_variant() -> None:
    """In one panel, with the best accuracies, means over seeds; another axis makes panels."""
    table = runs(variant=["b", "a"], data_fraction=[0.2, 0.3, 0.5], seed=[0, 1])
    figures = drawn(table.drop(columns="train_logit"), ["variant", "data_fraction"], {})
    assert list(figures) == ["data_efficiency"]
    (panel,) = figures["data_efficiency"].axes
    labels = [text.get_text() for text in figures["data_efficiency"].legends[0].get_texts()]
    assert labels == ["b", "a"]
    for x, y in (bars[0].get_data() for bars in panel.containers):
        np.testing.assert_allclose(x, [0.2, 0.3, 0.5])
        np.testing.assert_allclose(y, [0.01, 0.51, 1.01])
    table = runs(variant=["b"], data_fraction=[0.2, 0.3], weight_decay=[0.0, 1.0], seed=[0])
    axes = ["variant", "data_fraction", "weight_decay"]
    figure = drawn(table.drop(columns="train_logit"), axes, {})["data_efficiency"]
    assert [panel.get_title() for panel in figure.axes] == ["weight decay 0", "weight decay 1"]


@pytest.mark.parametrize(("seeds", "there"), [(7, False), (8, True)])
def test_the_distribution_of_many_seeds(seeds: int, there: bool) -> None:
    """Every seed is a mark at a size that was run, and half of the accuracy is where it was made to
    be."""
    table = runs(data_fraction=[0.2, 0.28, 0.36], seed=list(range(seeds)))
    figures = drawn(table, ["data_fraction"], {})
    assert ("distribution" in figures) == there
    if there:
        (panel,) = figures["distribution"].axes
        (marks,) = [line for line in panel.lines if line.get_marker() == "_"]
        assert sorted(marks.get_xdata()) == sorted([0.2, 0.28, 0.36] * seeds)
        assert panel.lines[-1].get_xdata()[0] == pytest.approx(0.3, abs=1e-6)


def test_the_distribution_is_of_settled_accuracies() -> None:
    """A last value of 0 is a dip: half of the settled accuracy is where it was made to be."""
    table = runs(data_fraction=[0.2, 0.28, 0.36], seed=list(range(8)))
    dipped = table.assign(settled_test_accuracy=table["test_accuracy"], test_accuracy=0.0)
    (panel,) = drawn(dipped, ["data_fraction"], {})["distribution"].axes
    assert panel.lines[-1].get_xdata()[0] == pytest.approx(0.3, abs=1e-6)


def test_critical_sizes_against_weight_decay() -> None:
    """A line for every step at which the event comes."""
    table = runs(
        weight_decay=[1.0, 10.0], event_value=[0.2, 0.28, 0.36], event_at_step=[0, 500], seed=[0, 1]
    )
    figures = drawn(table, ["weight_decay", "event_value", "event_at_step"], SHRINKS)
    (panel,) = figures["critical_size"].axes
    lines = [
        line for line in panel.lines if len(line.get_xdata()) == 2 and line.get_marker() in "os"
    ]
    assert len(lines) == 2
    for line in lines:
        np.testing.assert_allclose(line.get_ydata(), 0.3)


def test_model_efficiency_needs_logits() -> None:
    """Norm and logit side by side, a line for every kind of labels."""
    table = runs(corruption_fraction=[0.0, 1.0], data_fraction=[0.2, 0.5], seed=[0, 1])
    axes = ["corruption_fraction", "data_fraction"]
    figures = drawn(table, axes, {})
    left, right = figures["model_efficiency"].axes
    np.testing.assert_allclose(left.lines[-1].get_ydata(), [2, 5])
    np.testing.assert_allclose(right.lines[-1].get_ydata(), [19.8, 19.5])
    assert "model_efficiency" not in drawn(table.drop(columns="train_logit"), axes, {})
