"""Names the phase of every run and every cell from the numbers in their tables.

Two readings are kept side by side. ``phase`` and ``subphase`` follow Table 2 (appendix C) of Doshi
et al., "To grok or not to grok", which sees corrupted examples only through the training accuracy.
``direct_phase`` asks the corrupted examples themselves, which mends Table 2's blind spot: a fully
inverted network has training accuracy 1 - xi + xi/p, and for xi <= 0.10 that is called Coexistence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phasegrok.config import TASKS
from phasegrok.errors import Refusal

__all__ = [
    "CORRUPTED_FITTED",
    "DIVERGED",
    "FORGOTTEN",
    "GENERALIZES",
    "LABELS",
    "NEEDED",
    "PHASES",
    "SHRUNK",
    "SUBPHASES",
    "classify",
    "for_display",
    "is_metric",
    "label_cells",
]

PHASES: Final = ("Coexistence", "Inversion", "Memorization", "Forgetting", "Confusion")
SUBPHASES: Final = (
    "Coexistence",
    "Partial Inversion",
    "Full Inversion",
    "Memorization",
    "Forgetting",
    "Confusion",
)
DIVERGED: Final = "Diverged"
LABELS: Final = ("phase", "subphase", "direct_phase")
# By pictures, which tell two kinds of Inversion apart; ``phase`` does not.
SHOWN: Final = ("subphase", "direct_phase")
# Columns without which no row can be labelled.
NEEDED: Final = (
    "train_accuracy",
    "test_accuracy",
    "peak_test_accuracy",
    "weight_norm",
    "peak_weight_norm",
)

# Table 2: "Test accuracy >= 90 %" and "Training accuracy >= 90 %".
GENERALIZES: Final = 0.90
MEMORIZES: Final = 0.90
# Table 2: Partial Inversion has training accuracy >= 100 (1.05 - xi) %. The 0.05 above 1 - xi
# covers the 1-2 % right by luck "as well as statistical fluctuations" (appendix C).
PARTIAL_OFFSET: Final = 1.05
# Appendix C: in Forgetting "the grokked network loses its performance due to steadily decreasing
# weight-norms"; grokked means what it means in Table 2.
HAD_GENERALIZED: Final = GENERALIZES
# Ours, read off every logged point of results/reference at which a network that had generalized did
# neither. Where weights collapse, they end in chance and at a norm ratio of nearly 0, and no run
# that is once below both numbers is above one of them again. Two other ways to be below 90 % stay
# away from them: sways of unstable training reach chance at ratios above 0.92, and networks that
# come to fit corrupted images stay above 0.73 at ratios above 0.80.
FORGOTTEN: Final = 0.65
SHRUNK: Final = 0.75
# Ours, mirror images of each other: at least 90 % of the corrupted labels memorized is Coexistence,
# at most 10 % of them (luck gives 1/p) is Full Inversion.
CORRUPTED_FITTED: Final = 0.90
CORRUPTED_IGNORED: Final = 0.10

# Sweep axes are rounded to this many digits; 1.05 - 0.35 is 0.7000000000000001 in binary, and ten
# seeds of accuracy 0.9 need not average to 0.9. Rounding gives both the value that is printed.
DIGITS: Final = 12

_NAMES: Final = np.array([*SUBPHASES, DIVERGED], dtype=object)
_PHASE_NAMES: Final = np.array(
    ["Inversion" if name.endswith("Inversion") else name for name in _NAMES], dtype=object
)
_COEXISTENCE, _PARTIAL, _FULL, _MEMORIZATION, _FORGETTING, _CONFUSION, _DIVERGED = range(7)

_METRIC_ENDS: Final = ("_accuracy", "_loss", "_step", "_norm", "_ipr", "_neurons")
_METRIC_STARTS: Final = ("norm_", "spectral_")

_Floats = NDArray[np.float64]
_Codes = NDArray[np.int64]


def classify(runs: pd.DataFrame) -> pd.DataFrame:
    """Label every row by the paper's Table 2, read left to right, and by its corrupted examples.

    Args:
        runs: rows with ``train_accuracy``, ``test_accuracy``, ``peak_test_accuracy``,
            ``weight_norm`` and ``peak_weight_norm``; accuracies are fractions. Read where present:
            ``status`` ("diverged" marks a run with a non-finite loss), ``corruption_fraction`` (0
            where absent) and ``corrupted_accuracy`` (null where nothing is corrupted).

    Returns:
        ``phase``, ``subphase`` and ``direct_phase`` on the index of ``runs``; never null. A null
        accuracy reaches no threshold, so a run without test examples never generalizes.

    References:
        Doshi et al., Table 2 and appendices C and E.
    """
    subphase, direct = _codes(runs)
    return _label_frame(subphase, direct, runs.index)


def label_cells(runs: pd.DataFrame, axes: list[str]) -> pd.DataFrame:
    """Average the runs of every cell over its seeds and label the averages.

    Args:
        runs: a table :func:`classify` takes; labels it already carries are ignored.
        axes: the swept columns. ``data_fraction`` and ``corruption_fraction`` also tell cells apart
            where ``runs`` has them, so that they stand in the result even when not swept.

    Returns:
        One row per cell in order of first appearance: the columns above, ``seeds`` (runs),
        ``diverged`` (runs that did), the mean of every metric over the seeds that did not diverge
        (nulls left out, so a mean ``generalization_step`` is over the seeds that generalized), the
        labels of those means, and ``seed_agreement``, the share of the averaged seeds that
        have the cell's ``subphase``. A cell that diverged throughout is Diverged, its means are NaN
        and its agreement is 1.
    """
    fixed = [c for c in ("data_fraction", "corruption_fraction") if c in runs and c not in axes]
    keys = [*axes, *fixed]
    cell = _cell_numbers(runs, keys)
    first = np.unique(cell, return_index=True)[1]
    count = len(first)

    run_subphase, _ = _codes(runs)
    alive = run_subphase != _DIVERGED
    seeds = np.bincount(cell, minlength=count)
    averaged = np.bincount(cell[alive], minlength=count)

    cells = runs[keys].iloc[first].reset_index(drop=True)
    cells["seeds"] = seeds.astype(np.int64)
    cells["diverged"] = (seeds - averaged).astype(np.int64)
    means = _means(runs, keys, cell, alive)
    cells = pd.concat([cells, means], axis=1)

    subphase, direct = _codes(cells)
    gone = averaged == 0
    subphase[gone] = direct[gone] = _DIVERGED
    cells = pd.concat([cells, _label_frame(subphase, direct, cells.index)], axis=1)
    same = alive & (run_subphase == subphase[cell])
    agreeing = np.bincount(cell[same], minlength=count)
    cells["seed_agreement"] = np.where(gone, 1.0, agreeing / np.maximum(averaged, 1))
    return cells


def for_display(
    cells: pd.DataFrame, sweep: Mapping[str, Any], label: str | None = None
) -> pd.DataFrame:
    """The cells as pictures show them.

    Variants stand in the sweep's order. ``subphase`` is the label to show, for parity the direct
    one: Table 2 reads the share of corrupted labels memorized off the training accuracy, and counts
    1/p of them right by luck. With two classes none is: a corrupted label is a flipped one.

    Args:
        cells: table of labelled cells.
        sweep: the resolved sweep, whose ``task`` and ``variants`` say which cells are of parity.
        label: of :data:`SHOWN`, which then is what is shown.

    Raises:
        Refusal: pictures do not show that label.
    """
    variants = sweep.get("variants", {})
    base = sweep.get("task", {}).get("kind")
    if variants:
        order = {name: place for place, name in enumerate(variants)}
        cells = cells.sort_values(
            "variant", key=lambda names: names.map(order), kind="stable", ignore_index=True
        )
    if label is not None:
        if label not in SHOWN:
            raise Refusal(
                f"--label {label}: found no label that pictures show; allowed: {', '.join(SHOWN)}"
            )
        return cells.assign(subphase=cells[label])
    if "task" in cells:  # swept
        tasks = cells["task"]
    elif variants:
        of = {name: settings.get("task.kind", base) for name, settings in variants.items()}
        tasks = cells["variant"].map(of)
    else:
        tasks = pd.Series(base, index=cells.index, dtype=object)
    flipping = [kind for kind, block in TASKS.items() if block.flips_labels]
    flipped = tasks.isin(flipping).to_numpy(dtype=bool)
    if not flipped.any():
        return cells
    return cells.assign(subphase=cells["subphase"].where(~flipped, cells["direct_phase"]))


def is_metric(column: str) -> bool:
    """Whether a column of the runs table is measured, by the endings that all metrics' names have.

    Settings, counts fixed by the cell and the seed are none: averaging them would say nothing.
    """
    return column.endswith(_METRIC_ENDS) or column.startswith(_METRIC_STARTS)


def _codes(table: pd.DataFrame) -> tuple[_Codes, _Codes]:
    """Positions in ``_NAMES`` of every row's subphase and direct phase."""
    train, test = _floats(table, "train_accuracy"), _floats(table, "test_accuracy")
    corruption = np.nan_to_num(_floats(table, "corruption_fraction", absent=0.0), nan=0.0)
    corrupted = _floats(table, "corrupted_accuracy", absent=np.nan)

    # An accuracy that is not a number is on no side of a threshold; every comparison with it is
    # False, which is why the tests below are all phrased as what a network has reached.
    generalizes, memorizes = test >= GENERALIZES, train >= MEMORIZES
    partly = train >= (PARTIAL_OFFSET - corruption).round(DIGITS)
    had_generalized = _floats(table, "peak_test_accuracy") >= HAD_GENERALIZED
    peak_norm = _floats(table, "peak_weight_norm")
    shrank = _floats(table, "weight_norm") < SHRUNK * peak_norm
    forgot = had_generalized & (test < FORGOTTEN) & shrank
    diverged = _diverged(table)

    subphase = np.select(
        [
            diverged,
            generalizes & memorizes,
            generalizes & partly,
            generalizes,
            memorizes,
            forgot,
        ],
        [_DIVERGED, _COEXISTENCE, _PARTIAL, _FULL, _MEMORIZATION, _FORGETTING],
        default=_CONFUSION,
    )
    direct = np.select(
        [
            diverged | ~generalizes | np.isnan(corrupted),
            corrupted >= CORRUPTED_FITTED,
            corrupted <= CORRUPTED_IGNORED,
        ],
        [subphase, _COEXISTENCE, _FULL],
        default=_PARTIAL,
    )
    return subphase.astype(np.int64), direct.astype(np.int64)


def check_label(label: str) -> None:
    """Refuse what is no column of labels, as of ``--label``."""
    if label not in LABELS:
        raise Refusal(f"--label {label}: found no such label; allowed: {', '.join(LABELS)}")


def _diverged(table: pd.DataFrame) -> NDArray[np.bool_]:
    if "status" not in table:
        return np.zeros(len(table), dtype=bool)
    return np.asarray(table["status"].eq("diverged").fillna(False), dtype=bool)


def _label_frame(subphase: _Codes, direct: _Codes, index: pd.Index) -> pd.DataFrame:
    columns = (_PHASE_NAMES[subphase], _NAMES[subphase], _NAMES[direct])
    return pd.DataFrame(dict(zip(LABELS, columns, strict=True)), index=index, dtype="str")


def _cell_numbers(runs: pd.DataFrame, keys: list[str]) -> _Codes:
    """Number every row's cell, counted in order of first appearance."""
    if not keys:  # A sweep of nothing but seeds is one cell.
        return np.zeros(len(runs), dtype=np.int64)
    numbers = runs.groupby(keys, sort=False, dropna=False).ngroup()
    return np.asarray(numbers, dtype=np.int64)


def _means(
    runs: pd.DataFrame, keys: list[str], cell: _Codes, alive: NDArray[np.bool_]
) -> pd.DataFrame:
    """Every cell's mean of every metric over the runs that are alive."""
    count = int(cell.max()) + 1 if len(cell) else 0
    means = {
        name: _mean_by_cell(_floats(runs, name)[alive], cell[alive], count)
        for name in runs.columns
        if name not in keys and is_metric(name)
    }
    for name, values in means.items():
        # The rounded means are what is published, so the labels follow from the table itself.
        means[name] = values.round(DIGITS) if name.endswith("_accuracy") else values
    return pd.DataFrame(means, index=range(count))


def _mean_by_cell(values: _Floats, cell: _Codes, count: int) -> _Floats:
    known = ~np.isnan(values)
    total = np.bincount(cell[known], weights=values[known], minlength=count)
    number = np.bincount(cell[known], minlength=count)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _floats(table: pd.DataFrame, name: str, absent: float | None = None) -> _Floats:
    """Column as float64 with NaN for null, whatever nullable type it is stored in."""
    if absent is not None and name not in table:
        return np.full(len(table), absent)
    return np.asarray(
        pd.to_numeric(table[name]).to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64
    )
