"""Table ``logits``: all outputs on corrupted training examples."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import jax.numpy as jnp
import numpy as np
import pandas as pd

from phasegrok.measure.base import Groups, Keys, Measurement, Snapshot, by_example

LABELS = ("true_label", "corrupted_label")


class Logits(Measurement):
    """The first examples whose shown label is wrong, and all outputs on them."""

    table = "logits"
    key = "logits"

    def compute(self, network: Snapshot) -> Groups:
        """(examples, ...) a column."""
        examples, corrupted = network.examples, network.corrupted_label
        wrong = (examples.row < network.run.n_corrupted) & (corrupted != examples.label)
        chosen = jnp.argsort(~wrong, stable=True)[: network.measure.logits]
        inputs = examples.inputs[chosen]
        columns = {
            "row": chosen,
            "wrong": wrong[chosen],
            "inputs": inputs,
            "true_label": examples.label[chosen],
            "corrupted_label": corrupted[chosen],
            "outputs": network.outputs(inputs, chosen),
        }
        return {"example": columns}

    def columns(self, arrays: Collection[str], inputs: Sequence[str]) -> list[str]:
        """The same for every model."""
        return ["example", *inputs, *LABELS, "output", "mark", "logit"]

    def rows(self, keys: Keys, group: str, arrays: Mapping[str, np.ndarray]) -> pd.DataFrame:
        """A row an output of an example."""
        frame = by_example(keys, arrays, LABELS, measured="outputs", across="output")
        output = frame["output"]
        marks = [output == frame["true_label"], output == frame["corrupted_label"]]
        frame["mark"] = np.select(marks, ["true", "corrupted"], "other")
        frame["logit"] = arrays["outputs"].reshape(-1)
        # A run with fewer corrupted examples than were asked for has no more rows.
        return frame[np.repeat(arrays["wrong"].reshape(-1), arrays["outputs"].shape[2])]
