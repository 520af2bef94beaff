"""Table ``readout``: every weight of the output layer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from phasegrok.measure.base import Groups, Keys, Measurement, Snapshot


class Readout(Measurement):
    """The whole output layer."""

    table = "readout"
    key = "readout"

    def compute(self, network: Snapshot) -> Groups:
        """(neurons, outputs) weights."""
        return {"output": {"weight": network.model.output_weights(network.params)}}

    def columns(self, arrays: Collection[str], inputs: Sequence[str]) -> list[str]:
        """The same for every model."""
        return ["neuron", "output", "weight"]

    def rows(self, keys: Keys, group: str, arrays: Mapping[str, np.ndarray]) -> pd.DataFrame:
        """A row a weight."""
        frame, (neuron, output) = keys.spread(*arrays["weight"].shape[1:])
        frame["neuron"], frame["output"] = neuron, output
        frame["weight"] = arrays["weight"].reshape(-1)
        return frame
