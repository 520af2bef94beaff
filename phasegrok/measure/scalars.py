"""Columns of ``curves`` and ``runs`` that are numbers of the weights alone."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax

from phasegrok.measure import norms, spectrum
from phasegrok.measure.base import Scalar, Snapshot


class MeanIpr(Scalar):
    """Mean IPR of living neurons, how many are dead, and how many of the living are constant."""

    columns = ("mean_ipr", "dead_neurons", "constant_neurons")

    def compute(self, network: Snapshot) -> dict[str, jax.Array]:
        """All are NaN where no neuron's weights have a spectrum."""
        found = spectrum.Summary(*[jnp.full((), jnp.nan)] * 3)
        basis = spectrum.task_basis(network.task)
        vectors = network.model.vectors(network.params).choose(network.measure.mean_ipr)
        if basis is not None and vectors:
            found = spectrum.summary(vectors, basis, network.measure.ipr_order)
        return dict(zip(self.columns, (found.mean_ipr, found.dead, found.constant), strict=True))


class Norms(Scalar):
    """Frobenius norms, of all weights and of every matrix."""

    def compute(self, network: Snapshot) -> dict[str, jax.Array]:
        """One column a matrix, by the model's names."""
        matrices = network.model.matrices(network.params)
        each = {f"norm_{name}": norms.frobenius(weights) for name, weights in matrices.items()}
        return {"weight_norm": optax.tree.norm(network.params), **each}


class SpectralNorms(Scalar):
    """The largest singular value of every matrix."""

    key = "spectral_norms"

    def compute(self, network: Snapshot) -> dict[str, jax.Array]:
        """One column a matrix, by the model's names."""
        matrices = network.model.matrices(network.params)
        return {f"spectral_{name}": norms.spectral(weights) for name, weights in matrices.items()}
