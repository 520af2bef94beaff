"""Table ``activations``: what the output layer is given."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from phasegrok.measure.base import Groups, Keys, Measurement, Snapshot, by_example

LABELS = ("true_label", "shown_label")


class Activations(Measurement):
    """The first training examples, and the activations of the last hidden layer on them."""

    table = "activations"
    key = "activations"

    def compute(self, network: Snapshot) -> Groups:
        """(examples, ...) a column."""
        examples = network.examples
        row = examples.row[: network.measure.activations]
        inputs = examples.inputs[row]
        columns = {
            "trains": row < network.run.n_train,
            "inputs": inputs,
            "true_label": examples.label[row],
            "shown_label": examples.shown[row],
            "activation": network.penultimate(inputs, row),
        }
        return {"example": columns}

    def columns(self, arrays: Collection[str], inputs: Sequence[str]) -> list[str]:
        """The same for every model."""
        return ["example", *inputs, *LABELS, "neuron", "activation"]

    def rows(self, keys: Keys, group: str, arrays: Mapping[str, np.ndarray]) -> pd.DataFrame:
        """A row a neuron on an example."""
        frame = by_example(keys, arrays, LABELS, measured="activation", across="neuron")
        frame["activation"] = arrays["activation"].reshape(-1)
        # A run whose training set is smaller than what was asked for has no more rows.
        return frame[np.repeat(arrays["trains"].reshape(-1), arrays["activation"].shape[2])]
