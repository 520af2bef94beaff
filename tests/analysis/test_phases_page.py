"""docs/phases.md has the numbers that the code has."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phasegrok.analysis import phases
from phasegrok.analysis.phases import classify

PAGE = (Path(__file__).parents[2] / "docs" / "phases.md").read_text()
ROW = re.compile(
    r"^\| (?P<number>[0-9.e-]+) \| .* \| `(?P<module>phasegrok\S+)\.(?P<name>[A-Z_]+)` \|$", re.M
)
ROWS = list(ROW.finditer(PAGE))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_every_number_is_its_constant(row: re.Match[str]) -> None:
    assert float(row["number"]) == getattr(importlib.import_module(row["module"]), row["name"])


def test_no_threshold_of_the_labels_is_left_out() -> None:
    """Every number that ``analysis/phases.py`` names; and the table of labels has no others."""
    named = {row["name"] for row in ROWS if row["module"] == phases.__name__}
    numbers = {n for n, v in vars(phases).items() if n.isupper() and isinstance(v, int | float)}
    assert named == {name for name in numbers if not name.startswith("_")}
    table = PAGE.partition("| label |")[2].partition("\n\n")[0]
    values = {getattr(phases, name) for name in named}
    assert {float(number) for number in re.findall(r"\d+\.\d+", table)} <= values


LABELS = [
    # label, xi, train, test, peak test accuracy, weight norm as a share of the peak's
    ("Coexistence", 0.4, 0.90, 0.90, 1.0, 1.0),
    ("Partial Inversion", 0.4, 0.65, 0.90, 1.0, 1.0),
    ("Full Inversion", 0.4, 0.649, 0.90, 1.0, 1.0),
    ("Memorization", 0.4, 0.90, 0.899, 1.0, 1.0),
    ("Forgetting", 0.4, 0.899, 0.649, 0.90, 0.749),
    ("Confusion", 0.4, 0.899, 0.65, 0.90, 0.749),
    ("Confusion", 0.4, 0.899, 0.649, 0.899, 0.749),
    ("Confusion", 0.4, 0.899, 0.649, 0.90, 0.75),
]


@pytest.mark.parametrize("case", LABELS)
def test_labels_are_as_the_table_says(case: tuple[str, float, float, float, float, float]) -> None:
    """On each side of every threshold, as the page writes it."""
    label, xi, train, test, peak, norm = case
    row = {
        "corruption_fraction": xi,
        "train_accuracy": train,
        "test_accuracy": test,
        "peak_test_accuracy": peak,
        "weight_norm": norm,
        "peak_weight_norm": 1.0,
        "corrupted_accuracy": np.nan,
    }
    assert classify(pd.DataFrame([row]))["subphase"].tolist() == [label]
    assert f"| {label} |" in PAGE
