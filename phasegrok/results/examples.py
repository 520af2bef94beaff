"""Which examples a run trains on, with which labels, and which it is tested on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import jax
import numpy as np
import pandas as pd

from phasegrok import tasks
from phasegrok.config import DATA_FRACTION, Engine, Experiment
from phasegrok.errors import Refusal
from phasegrok.plan.runs import row_count
from phasegrok.sweep.load import load, load_mapping
from phasegrok.sweep.sweep import Sweep
from phasegrok.tasks import Task
from phasegrok.train.state import LABELS, ORDER, key_of

__all__ = ["examples", "split"]

MOST_SEED: Final = 2**32 - 1
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


def split(
    sweep: Sweep | Experiment | Mapping[str, Any] | str | Path,
    data_fraction: float | None = None,
    corruption_fraction: float | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """The examples that a run trains on and is tested on; nothing is trained, and no folder needed.

    Args:
        sweep: whose task it is: an experiment, a sweep, the path of a file, or a mapping with the
            same keys, of which ``{"task": {...}}`` is enough.
        data_fraction, corruption_fraction: of the run, alpha and xi; by default the sweep's own,
            of an axis the first value.
        seed: of the run.

    Returns:
        As :meth:`phasegrok.Results.examples` of that run.

    Raises:
        Refusal: something in it is not right.
    """
    if isinstance(seed, bool) or not 0 <= int(seed) <= MOST_SEED or int(seed) != seed:
        raise Refusal(f"seed: found {seed}; allowed: whole numbers from 0 to {MOST_SEED}")
    asked = {DATA_FRACTION: data_fraction, "data.corruption_fraction": corruption_fraction}
    experiment = _sweep_of(sweep).at({k: float(v) for k, v in asked.items() if v is not None})
    task, data = tasks.of(experiment), experiment.data
    whole = experiment.task.sized_by != DATA_FRACTION  # all examples of the pool train
    n_train = task.size.pool if whole else row_count(data.data_fraction, task.size.pool)
    return examples(task, int(seed), n_train, row_count(data.corruption_fraction, n_train))


def _sweep_of(given: Sweep | Experiment | Mapping[str, Any] | str | Path) -> Sweep:
    """A checked sweep."""
    if isinstance(given, Sweep):
        return given
    if isinstance(given, Experiment):
        return Sweep("split", given, (), (0,), Engine(), file="split")
    if isinstance(given, Mapping):
        return load_mapping({"name": "split", **given})
    return load(Path(given))
