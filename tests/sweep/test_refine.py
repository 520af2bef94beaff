"""The refine block: over two swept numbers whose values it can halve."""

from __future__ import annotations

import pytest

from phasegrok.config.identity import identity
from phasegrok.errors import Refusal
from phasegrok.sweep.load import dump, load
from tests.sweep.conftest import Write

AXES = """name: a
axes:
  data.data_fraction: {start: 0.1, stop: 0.9, num: 5}
  data.corruption_fraction: [0, 0.1, 0.2]
  model.activation: [relu, quadratic]
"""


def test_a_refined_sweep_is_the_same_sweep(write: Write) -> None:
    """It trains fewer of the same runs; written out and read again it is equal."""
    plain, refined = load(write(AXES)), load(write(AXES + "refine: {levels: 1}"))
    assert refined.refine.levels == 1 and "refine" not in plain.resolved()
    assert identity(plain.resolved()) == identity(refined.resolved())
    assert load(write(dump(refined))) == refined
    assert load(write(AXES), ["refine.levels=1"]) == refined


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("{levels: 2}", "refine.levels: found 2, steps of 4 on the 3 values of data.corruption"),
        ("{levels: 11}", "refine.levels: found 11; allowed: a whole number at least 0 and at most"),
        ("{levels: 1, axes: [data.data_fraction]}", "refine.axes: found 1; allowed: two swept"),
        (
            "{levels: 1, axes: [data.data_fraction, model.activation]}",
            "found model.activation, the values of a text axis; allowed: two swept numbers "
            "(data.data_fraction, data.corruption_fraction)",
        ),
        (
            "{levels: 1, axes: [data.data_fraction, model.width]}",
            "found model.width, an axis that is not swept",
        ),
        ("{levels: 1, label: phase}", "refine.label: found the text"),
        ("{level: 1}", "refine.level: unknown key; did you mean levels?"),
    ],
)
def test_what_cannot_be_refined(block: str, words: str, write: Write) -> None:
    with pytest.raises(Refusal) as caught:
        load(write(AXES + f"refine: {block}"))
    line = str(caught.value)
    assert words in line and "\n" not in line


def test_values_in_no_order_are_refused(write: Write) -> None:
    text = AXES.replace("[0, 0.1, 0.2]", "[0.1, 0, 0.2]")
    with pytest.raises(Refusal, match="found no order; allowed: ascending values"):
        load(write(text + "refine: {levels: 1}"))
