"""``run.json``, the record of a run beside its saved weights. A copied folder of weights is usable
by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from phasegrok.config import (
    DATA_FRACTION,
    PATHS,
    Block,
    Experiment,
    column,
    has,
    is_traced,
    value_at,
)
from phasegrok.files.seal import BLANK

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RUN_RECORD_FILE", "RunRecord", "run_record_text"]

RUN_RECORD_FILE: Final = "run.json"


class RunRecord(Block):
    """What ``run.json`` says of the run whose weights lie beside it."""

    run: str
    experiment: Experiment  # the traced values of this run included
    seed: int
    n_train: int
    n_corrupted: int
    data: tuple[str, ...]  # hashes of data and networks that the experiment names
    plugins: dict[str, str] = Field(default_factory=dict)  # hash of their code by module
    seal: str = ""  # the file's own checksum; earlier versions wrote none


def run_record_text(
    experiment: Experiment, row: pd.Series[Any], data: list[str], plugins: Mapping[str, str]
) -> str:
    """The text of a run's ``run.json``, with room for its seal.

    Args:
        experiment: the run's; its traced values do not count.
        row: the run's row in the table of runs, which has its traced values.
        data: hashes of what the experiment names but does not hold.
        plugins: that it needs, with hashes of their code.
    """
    values = experiment.model_dump()
    if not has(experiment, DATA_FRACTION):
        del values["data"]["data_fraction"]
    for path in PATHS:
        if is_traced(path) and has(experiment, path):
            block, _, leaf = path.partition(".")
            kind = type(value_at(experiment, path))
            values[block][leaf] = kind(row[column(path)])
    counts = {name: int(row[name]) for name in ("seed", "n_train", "n_corrupted")}
    named = {"run": row["run"], "experiment": values, **counts, "data": data}
    record = {"seal": BLANK} | named | ({"plugins": dict(plugins)} if plugins else {})
    return json.dumps(record, indent=2) + "\n"
