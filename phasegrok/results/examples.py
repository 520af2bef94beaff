"""Which examples a run trains on, with which labels, and which it is tested on."""

from __future__ import annotations

from typing import Final

import jax
import numpy as np
import pandas as pd

from phasegrok.tasks import Task
from phasegrok.train.state import LABELS, ORDER, key_of

__all__ = ["examples"]

SUBSETS: Final = ("corrupted", "training", "test", "unused")


def examples(task: Task, seed: int, n_train: int, n_corrupted: int) -> pd.DataFrame:
    """All examples of a task in a seed's order.

    Args:
        task: what is learned.
        seed: of the run.
        n_train: rows that train, the first ones.
        n_corrupted: the first of these, which show another label.

    Returns:
        One row an example: its inputs, ``label`` (the true one), ``shown_label``, and ``subset``:
        ``corrupted``, ``training``, ``test``, or ``unused`` (of the pool of a task with a test set
        of its own).
    """
    word = jax.numpy.uint32(seed)
    table = task.table(key_of(word, ORDER), key_of(word, LABELS))
    inputs = np.asarray(table.inputs).reshape(len(table.label), -1)
    place = np.arange(len(inputs))
    tested = place >= (n_train if task.size.test is None else task.size.pool)
    subset = np.select(
        [place < n_corrupted, place < n_train, tested], list(SUBSETS[:3]), SUBSETS[3]
    )
    names = task.input_names if len(task.input_names) == inputs.shape[1] else None
    frame = pd.DataFrame(inputs, columns=names or [f"x{i}" for i in range(inputs.shape[1])])
    label = np.asarray(table.label)
    shown = np.where(place < n_corrupted, np.asarray(table.corrupted_label), label)
    return frame.assign(label=label, shown_label=shown, subset=subset)
