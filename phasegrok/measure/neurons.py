"""Table ``neurons``: IPR, frequency, phase and norm of every neuron."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from phasegrok.measure import spectrum
from phasegrok.measure.base import Groups, Keys, Measurement, Snapshot

FIRST = ("ipr", "dead", "frequency")  # the other columns follow in alphabetical order


class Neurons(Measurement):
    """The spectra of every layer's neurons."""

    table = "neurons"
    key = "spectra"

    def compute(self, network: Snapshot) -> Groups:
        """(neurons,) a column, by layer."""
        basis = spectrum.task_basis(network.task)
        assert basis is not None, "sweeps are checked: spectra are of tokens"
        scales = network.model.normalization_weights(network.params)
        groups: Groups = {}
        for layer, matrices in network.layers().items():
            groups[layer] = spectrum.neurons(matrices, basis, network.measure.ipr_order)
            if layer in scales:
                groups[layer]["normalization_weight"] = scales[layer]
        return groups

    def columns(self, arrays: Collection[str], inputs: Sequence[str]) -> list[str]:
        """The union over all models of a sweep."""
        return ["layer", "neuron", *FIRST, *sorted(set(arrays) - set(FIRST))]

    def rows(self, keys: Keys, group: str, arrays: Mapping[str, np.ndarray]) -> pd.DataFrame:
        """A row a neuron. What another model has and this one lacks is null."""
        frame, (neuron,) = keys.spread(arrays["ipr"].shape[1])
        frame["layer"], frame["neuron"] = group, neuron
        nameless = arrays["dead"].reshape(-1) | np.isnan(arrays["ipr"].reshape(-1))
        missing = np.full(len(frame), np.nan, "f4")
        for name in self.columns(keys.arrays, keys.inputs)[2:]:
            column = arrays[name].reshape(-1) if name in arrays else missing
            if name.startswith("frequency"):
                # Dead neurons have no frequency. Nor have diverged ones, nor layers without it.
                none = nameless | (name not in arrays)
                whole = np.where(none, 0, column).astype(np.int64)
                frame[name] = pd.arrays.IntegerArray(whole, none)
            else:
                frame[name] = column
        return frame
