"""The labels are the paper's Table 2, on both sides of every threshold, for runs and for cells."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phasegrok.analysis.phases import (
    DIVERGED,
    LABELS,
    PHASES,
    SUBPHASES,
    classify,
    for_display,
    label_cells,
)

GROKKED: dict[str, Any] = {
    "data_fraction": 0.5,
    "corruption_fraction": 0.5,
    "seed": 0,
    "status": "ok",
    "train_loss": 0.1,
    "train_accuracy": 1.0,
    "test_accuracy": 1.0,
    "corrupted_accuracy": 1.0,
    "peak_test_accuracy": 1.0,
    "weight_norm": 5.0,
    "peak_weight_norm": 5.0,
    "generalization_step": 100,
}
LOST = {"train_accuracy": 0.01, "test_accuracy": 0.01}
BELOW = 1e-9


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    """Runs that are perfect but for what is said."""
    return pd.DataFrame([GROKKED | row for row in rows])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, "Coexistence"),
        ({"test_accuracy": 0.9, "train_accuracy": 0.9}, "Coexistence"),
        ({"test_accuracy": 0.9 - BELOW, "train_accuracy": 0.9}, "Memorization"),
        ({"test_accuracy": 0.9, "train_accuracy": 0.9 - BELOW}, "Partial Inversion"),
        ({"train_accuracy": 0.55}, "Partial Inversion"),
        ({"train_accuracy": 0.55 - BELOW}, "Full Inversion"),
        ({"test_accuracy": 0.0, "train_accuracy": 1.0, "weight_norm": 1.0}, "Memorization"),
        (LOST | {"weight_norm": 3.75 - BELOW}, "Forgetting"),
        (LOST | {"weight_norm": 3.75}, "Confusion"),
        (LOST | {"weight_norm": 6.0}, "Confusion"),
        (LOST | {"weight_norm": 1.0, "test_accuracy": 0.65 - BELOW}, "Forgetting"),
        (LOST | {"weight_norm": 1.0, "test_accuracy": 0.65}, "Confusion"),
        (LOST | {"weight_norm": 1.0, "test_accuracy": None}, "Confusion"),
        (LOST | {"weight_norm": 1.0, "peak_weight_norm": None}, "Confusion"),
        (LOST | {"weight_norm": 1.0, "peak_test_accuracy": 0.9}, "Forgetting"),
        (LOST | {"weight_norm": 1.0, "peak_test_accuracy": 0.9 - BELOW}, "Confusion"),
        ({"test_accuracy": 0.89, "train_accuracy": 0.89, "weight_norm": 1.0}, "Confusion"),
        ({"test_accuracy": None, "train_accuracy": 1.0}, "Memorization"),
        ({"status": "diverged"}, DIVERGED),
    ],
)
def test_table_2(row: dict[str, Any], expected: str) -> None:
    """Each row stands on a threshold or a hair beside it, so any shifted or strict comparison and
    any exchanged column gives another name.
    """
    labels = classify(table(row)).iloc[0]
    assert labels["subphase"] == expected
    assert labels["phase"] == ("Inversion" if "Inversion" in expected else expected)


@pytest.mark.parametrize("corruption", np.linspace(0.2, 0.9, 15).round(12))
def test_the_inversion_threshold_is_the_printed_number(corruption: float) -> None:
    """1.05 - 0.35 exceeds 0.7 in binary; an accuracy of exactly the printed threshold is partial
    at every corruption fraction of the paper's grid, and one just below is full.
    """
    exact = float(f"{1.05 - corruption:.2f}")
    runs = table(
        {"corruption_fraction": corruption, "train_accuracy": exact},
        {"corruption_fraction": corruption, "train_accuracy": exact - BELOW},
    )
    assert classify(runs)["subphase"].tolist() == ["Partial Inversion", "Full Inversion"]


@pytest.mark.parametrize(
    ("corruption", "table_2"), [(0.05, "Coexistence"), (0.10, "Coexistence"), (0.15, "Full")]
)
def test_blind_spot_of_table_2(corruption: float, table_2: str) -> None:
    """A network that learned no corrupted label has training accuracy 1 - xi + xi/p. Table 2 calls
    it Coexistence up to xi = 0.10; the corrupted examples themselves say Full Inversion.
    """
    inverted = {
        "corruption_fraction": corruption,
        "train_accuracy": 1 - corruption + corruption / 97,
        "corrupted_accuracy": 1 / 97,
    }
    labels = classify(table(inverted)).iloc[0]
    assert labels["subphase"].startswith(table_2)
    assert labels["direct_phase"] == "Full Inversion"


@pytest.mark.parametrize("corruption", [0.0, 0.05, 0.10, 0.15])
def test_partial_inversion_is_empty_up_to_015(corruption: float) -> None:
    """Below 90 % and at least 1.05 - xi exclude each other up to xi = 0.15; scanning all training
    accuracies there finds no Partial Inversion.
    """
    runs = table(*({"train_accuracy": a} for a in np.linspace(0, 1, 1001)))
    runs["corruption_fraction"] = corruption
    assert "Partial Inversion" not in set(classify(runs)["subphase"])


@pytest.mark.parametrize(
    ("corrupted", "expected"),
    [
        (0.9, "Coexistence"),
        (0.9 - BELOW, "Partial Inversion"),
        (0.1 + BELOW, "Partial Inversion"),
        (0.1, "Full Inversion"),
        (None, "Coexistence"),
    ],
)
def test_direct_phase(corrupted: float | None, expected: str) -> None:
    """The direct label turns at 90 % and 10 % of the corrupted labels and, with none to ask, is
    Table 2's (train accuracy is 1 here, so Table 2 alone would always say Coexistence).
    """
    assert classify(table({"corrupted_accuracy": corrupted}))["direct_phase"].item() == expected


def test_direct_phase_without_generalization_is_table_2() -> None:
    """Corrupted labels tell apart only networks that generalize."""
    runs = table({"test_accuracy": 0.0, "corrupted_accuracy": 0.0}, LOST | {"weight_norm": 1.0})
    assert classify(runs)["direct_phase"].tolist() == ["Memorization", "Forgetting"]


def test_other_tasks_and_nullable_columns() -> None:
    """No corruption column means nothing corrupted, and nullable types with nulls are read as
    missing numbers, on any index.
    """
    runs = table({"train_accuracy": 0.95}, {"train_accuracy": 0.8}).drop(
        columns=["corruption_fraction", "corrupted_accuracy", "status"]
    )
    runs = runs.astype({"test_accuracy": "Float64", "weight_norm": "Float64"})
    runs.index = pd.Index(["a", "b"])
    runs.loc["a", "weight_norm"] = pd.NA
    labels = classify(runs)
    assert labels["subphase"].to_dict() == {"a": "Coexistence", "b": "Full Inversion"}


number = st.one_of(st.none(), st.floats(0, 1), st.sampled_from([0.1, 0.9, float("nan")]))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "status": st.sampled_from(["ok", "diverged"]),
                "data_fraction": st.sampled_from([0.1, 0.5]),
                "corruption_fraction": st.floats(0, 1),
                "train_accuracy": number,
                "test_accuracy": number,
                "corrupted_accuracy": number,
                "peak_test_accuracy": number,
                "weight_norm": number,
                "peak_weight_norm": number,
            }
        ),
        max_size=8,
    )
)
def test_labels_are_never_null(rows: list[dict[str, Any]]) -> None:
    """Whatever numbers or gaps a run has, it gets a name from the lists, Diverged exactly if it
    diverged, with phase and subphase saying the same; so does every cell.
    """
    runs = pd.DataFrame(rows, columns=list(GROKKED))
    labels = classify(runs)
    assert labels.columns.tolist() == list(LABELS)
    assert set(labels["phase"]) <= {*PHASES, DIVERGED}
    assert set(labels["subphase"]) | set(labels["direct_phase"]) <= {*SUBPHASES, DIVERGED}
    assert ((labels == DIVERGED).all(axis=1) == runs["status"].eq("diverged")).all()
    assert (
        labels["subphase"].str.replace("Full |Partial ", "", regex=True).eq(labels["phase"]).all()
    )
    cells = label_cells(runs, ["data_fraction"])
    assert cells[[*LABELS, "seed_agreement"]].notna().all(axis=None)
    assert cells["seed_agreement"].between(0, 1).all()


def test_a_cell_is_labelled_by_its_means() -> None:
    """Two seeds of Coexistence and one of Full Inversion average to 0.84, Partial Inversion: a
    majority vote would say Coexistence, and no seed agrees with the cell.
    """
    runs = table({"seed": 0}, {"seed": 1}, {"seed": 2, "train_accuracy": 0.52})
    runs["corrupted_accuracy"] = [1.0, np.nan, 0.0]
    cell = label_cells(runs, ["corruption_fraction"]).iloc[0]
    assert cell["train_accuracy"] == pytest.approx(0.84)
    assert cell["corrupted_accuracy"] == 0.5
    assert cell["subphase"] == cell["direct_phase"] == "Partial Inversion"
    assert cell["seed_agreement"] == 0.0
    assert (cell["seeds"], cell["diverged"]) == (3, 0)


def test_means_are_not_pushed_over_a_threshold_by_rounding() -> None:
    """Seeds of 0.9 each average to 0.9, though their binary sum may fall short; and labelling the
    published means again gives the published labels.
    """
    for count in range(1, 40):
        runs = table(*({"seed": s, "test_accuracy": 0.9} for s in range(count)))
        runs["train_accuracy"] = 0.9
        cells = label_cells(runs, ["data_fraction"])
        assert cells["subphase"].item() == "Coexistence"
        assert cells[list(LABELS)].equals(classify(cells))


def test_diverged_runs_leave_the_means_alone() -> None:
    """A diverged seed counts as diverged and in nothing else, whatever numbers it carries; a cell
    of diverged seeds alone is Diverged, has no means, and leaves its neighbour untouched.
    """
    gone = {"status": "diverged", "train_accuracy": 0.3, "train_loss": np.inf}
    runs = table(
        gone | {"data_fraction": 0.9},
        {"data_fraction": 0.1},
        gone | {"data_fraction": 0.1},
        gone | {"data_fraction": 0.9},
    )
    cells = label_cells(runs, ["data_fraction"])
    assert cells["data_fraction"].tolist() == [0.9, 0.1]
    assert cells["subphase"].tolist() == [DIVERGED, "Coexistence"]
    assert cells["seeds"].tolist() == [2, 2]
    assert cells["diverged"].tolist() == [2, 1]
    assert cells["seed_agreement"].tolist() == [1.0, 1.0]
    assert np.isnan(cells["train_loss"][0]) and cells["train_loss"][1] == 0.1


def test_cells_and_columns() -> None:
    """Cells stand in order of first appearance, swept columns come first in the sweep's order, the
    fractions follow unswept, text axes work, and seeds and labels are not averaged.
    """
    runs = table(
        {"optimizer": "sgd", "weight_decay": 5.0},
        {"optimizer": "adamw", "weight_decay": 0.0, "generalization_step": None},
        {"optimizer": "sgd", "weight_decay": 5.0, "seed": 1, "generalization_step": 300},
    )
    runs = pd.concat([runs, classify(runs)], axis=1)
    cells = label_cells(runs, ["weight_decay", "optimizer"])
    assert cells["optimizer"].tolist() == ["sgd", "adamw"]
    assert cells["generalization_step"].tolist()[0] == 200
    assert np.isnan(cells["generalization_step"][1])
    assert cells.columns.tolist() == [
        *("weight_decay", "optimizer", "data_fraction", "corruption_fraction"),
        *("seeds", "diverged", "train_loss", "train_accuracy", "test_accuracy"),
        *("corrupted_accuracy", "peak_test_accuracy", "weight_norm", "peak_weight_norm"),
        *("generalization_step", *LABELS, "seed_agreement"),
    ]
    assert len(label_cells(runs, [])) == 1


def test_cells_agree_with_a_plain_group_by() -> None:
    """On random runs the means are those pandas computes for each group by itself."""
    random = np.random.default_rng(0)
    runs = table(*({"seed": s} for s in range(300)))
    runs["data_fraction"] = random.choice([0.1, 0.3, 0.5], 300)
    runs["train_accuracy"], runs["test_accuracy"] = random.random((2, 300))
    runs["status"] = random.choice(["ok", "diverged"], 300)
    cells = label_cells(runs, ["data_fraction"]).set_index("data_fraction")
    expected = runs[runs["status"] == "ok"].groupby("data_fraction")["test_accuracy"].mean()
    assert cells["test_accuracy"].to_dict() == pytest.approx(expected.to_dict())
    own = classify(runs)["subphase"]
    for fraction, cell in cells.iterrows():
        mine = own[(runs["data_fraction"] == fraction) & (runs["status"] == "ok")]
        assert cell["seed_agreement"] == pytest.approx((mine == cell["subphase"]).mean())


def test_pictures_of_parity_show_the_direct_label() -> None:
    """With ξ = 0.08 a network that ignores every flipped label has training accuracy 0.92, which
    Table 2 calls Coexistence; of other tasks pictures show that."""
    runs = pd.DataFrame(
        {
            "corruption_fraction": [0.08],
            "train_accuracy": [0.92],
            "test_accuracy": [1.0],
            "corrupted_accuracy": [0.0],
            "peak_test_accuracy": [1.0],
            "weight_norm": [1.0],
            "peak_weight_norm": [1.0],
        }
    )
    cells = label_cells(runs, ["corruption_fraction"])
    for task, label in (("modular", "Coexistence"), ("parity", "Full Inversion")):
        sweep = {"task": {"kind": task}}
        assert for_display(cells, sweep)["subphase"].tolist() == [label]
        assert for_display(cells.assign(task=task), {})["subphase"].tolist() == [label], "swept"
    both = pd.concat([cells.assign(variant="a"), cells.assign(variant="b")], ignore_index=True)
    variants = {"a": {"task.kind": "modular"}, "b": {}}
    labels = for_display(both, {"task": {"kind": "parity"}, "variants": variants})["subphase"]
    assert labels.tolist() == ["Coexistence", "Full Inversion"]
    assert cells["subphase"].tolist() == ["Coexistence"]


def test_a_million_runs_take_seconds() -> None:
    """Labelling and averaging are whole-column operations: a Python loop over a million rows or a
    hundred thousand cells would take minutes.
    """
    runs = table({}).loc[[0] * 1_000_000].reset_index(drop=True)
    runs["data_fraction"] = np.arange(1_000_000) // 10
    start = time.perf_counter()
    cells = label_cells(runs, ["data_fraction"])
    assert len(cells) == 100_000
    assert time.perf_counter() - start < 20
