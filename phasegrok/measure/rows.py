"""Table ``rows``: weight vectors of the first neurons."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from phasegrok.measure.base import Groups, Keys, Measurement, Snapshot


class Rows(Measurement):
    """Every layer's first weight vectors."""

    table = "rows"
    key = "rows"

    def compute(self, network: Snapshot) -> Groups:
        """(neurons, tokens) a matrix, by layer."""
        count = network.measure.rows
        return {
            layer: {name: matrix[:count] for name, matrix in matrices.items()}
            for layer, matrices in network.layers().items()
        }

    def columns(self, arrays: Collection[str], inputs: Sequence[str]) -> list[str]:
        """The same for every model: matrices are told apart by row."""
        return ["layer", "matrix", "neuron", "token", "weight"]

    def rows(self, keys: Keys, group: str, arrays: Mapping[str, np.ndarray]) -> pd.DataFrame:
        """A row a weight."""
        frames = []
        for matrix, weights in arrays.items():
            frame, (neuron, token) = keys.spread(*weights.shape[1:])
            frame["layer"], frame["matrix"] = group, matrix
            frame["neuron"], frame["token"] = neuron, token
            frame["weight"] = weights.reshape(-1)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)
