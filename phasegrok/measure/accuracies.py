"""Accuracies as the exact fractions that they are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from phasegrok.tasks import Size

ACCURACIES = {  # the rows that each is a share of
    "train_accuracy": "train",
    "test_accuracy": "test",
    "corrupted_accuracy": "corrupted",
    "restored_accuracy": "corrupted",
    "clean_accuracy": "clean",
    "true_accuracy": "all",
}
COUNTED = ("n_train", "n_corrupted")  # arrays that the shares are of


def exact_accuracies(records: Mapping[str, np.ndarray], size: Size) -> dict[str, np.ndarray]:
    """Measurements as float64, accuracies exactly k / n.

    Devices count in float32, where 0.9 is less than 0.9: a cell on a phase boundary would get
    the wrong label. The count is recovered (it is exact below 2^23 rows) and divided again.
    """
    n_train = records["n_train"].astype(np.float64)
    n_corrupted = records["n_corrupted"].astype(np.float64)
    test = size.pool - n_train if size.test is None else np.full_like(n_train, size.test)
    sizes = {
        "train": n_train,
        "test": test,
        "corrupted": n_corrupted,
        "clean": n_train - n_corrupted,
        "all": n_train + test,
    }
    out = {}
    for name, values in records.items():
        values = values.astype(np.float64)
        if name in ACCURACIES:
            n = sizes[ACCURACIES[name]]
            with np.errstate(invalid="ignore", divide="ignore"):
                values = np.where(n > 0, np.round(values * n) / n, np.nan)
        out[name] = values
    return out
