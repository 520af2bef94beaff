"""Fully connected networks on pairs of tokens, one-hot (Doshi et al., equation 1) or embedded."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx

from phasegrok.config import Mlp
from phasegrok.models.base import Params, Pass, Vectors
from phasegrok.models.known.base import SOLUTIONS
from phasegrok.models.layers.activations import ACTIVATIONS
from phasegrok.models.layers.dropout import dropout_at
from phasegrok.models.layers.initialization import gaussian, uniform
from phasegrok.models.layers.lookup import look_up_sum
from phasegrok.models.layers.normalization import Normalization
from phasegrok.models.nnx import ModuleModel
from phasegrok.models.registry import MODELS
from phasegrok.tasks import Task


def draw(kind: str, key: jax.Array, shape: tuple[int, int], fan_in: int, width: int) -> jax.Array:
    """Initial weights by name; variances as in appendix A (paper) and G.3 (lazy, kaiming)."""
    match kind:
        case "uniform":
            return uniform(key, fan_in, shape)
        case "paper":
            variance = (16 * width) ** (-2 / 3)
        case "lazy":
            variance = 2 / width ** (2 / 3)
        case "kaiming":
            variance = 2 / fan_in
        case _:
            raise ValueError(f"unknown initialization {kind!r}")
    return gaussian(key, variance**0.5, shape)


class Network(nnx.Module):
    """f(m, n) = W phi(... phi(U e_m + V e_n)).

    U and V are stored with one row a token: looking rows up equals the product with one-hot
    inputs and costs 3/7 of it over a step.
    """

    def __init__(self, config: Mlp, task: Task, rngs: nnx.Rngs) -> None:
        width, inner, tokens, outputs = config.width, config.depth - 2, task.tokens, task.outputs
        weights = partial(draw, config.initialization, width=width)
        self.activation = config.activation
        self.embedded = config.embedding is not None
        if config.initialization == "analytic":
            solve = SOLUTIONS[type(task.config)]
            u, v, w, bias = solve(rngs.params(), task.config, width)
            self.u, self.w = nnx.Param(u), nnx.Param(w)
            self.v: nnx.Param[jax.Array] | None = None if v is None else nnx.Param(v)
            nothing: list[nnx.Param[jax.Array]] = []
            unnormalized: list[Normalization] = []
            self.hidden = nnx.List(nothing)
            self.biases = nnx.List(nothing if bias is None else [nnx.Param(bias)])
            self.normalizations = nnx.List(unnormalized)
            return
        # The rows of one input matrix: of both tokens, embedded or one-hot, or of the features.
        each = config.embedding or tokens
        inputs = 2 * each if each else task.features or 0
        self.u = nnx.Param(weights(rngs.params(), (each or inputs, width), inputs))
        self.v = nnx.Param(weights(rngs.params(), (each, width), inputs)) if each else None
        self.hidden = nnx.List(
            [nnx.Param(weights(rngs.params(), (width, width), width)) for _ in range(inner)]
        )
        self.w = nnx.Param(weights(rngs.params(), (width, outputs), width))
        biases = inner + 1 if config.bias else 0
        # Uniform initialization draws biases too; the normal ones begin them at zero.
        fan_in = [inputs] + [width] * inner
        self.biases = nnx.List(
            [
                nnx.Param(
                    draw("uniform", rngs.params(), (1, width), fan_in[i], width)[0]
                    if config.initialization == "uniform"
                    else jnp.zeros(width)
                )
                for i in range(biases)
            ]
        )
        if tokens and config.embedding:
            d = config.embedding
            self.embedding = nnx.Param(gaussian(rngs.params(), d**-0.5, (tokens, d)))
        after = inner + 1 if config.normalization != "none" else 0
        self.normalizations = nnx.List(
            [Normalization(config.normalization, width) for _ in range(after)]
        )

    def __call__(self, batch: Pass) -> jax.Array:
        """What the output layer is given, (rows, width)."""
        if self.v is None:
            x = batch.inputs @ self.u[...]
        else:
            u, v = self.u[...], self.v[...]
            if self.embedded:  # each token's product is taken once, not each example's
                u, v = self.embedding[...] @ u, self.embedding[...] @ v
            x = look_up_sum(u, v, batch.inputs, batch.lookups)
        for layer in range(len(self.hidden) + 1):
            if layer:
                x = x @ self.hidden[layer - 1][...]
            if len(self.biases):
                x = x + self.biases[layer][...]
            # Before the activation, as in the original experiments.
            x = dropout_at(layer, x, batch)
            x = ACTIVATIONS[self.activation](x)
            if len(self.normalizations):
                x = self.normalizations[layer](x, batch.weights)
        return x


@MODELS.register(Mlp)
class MlpModel(ModuleModel):
    """An MLP on pairs of tokens, or on features."""

    def __init__(self, config: Mlp, task: Task) -> None:
        self.config, self.task = config, task
        self.whole_batch = config.normalization == "batch"
        super().__init__()

    def make(self, rngs: nnx.Rngs) -> Network:
        return Network(self.config, self.task, rngs)

    def output_weights(self, params: Params) -> jax.Array:
        weights: jax.Array = params["w"][...]
        return weights

    def matrices(self, params: Params) -> dict[str, Params]:
        embedding = ["embedding"] if self.config.embedding else []
        names = [*embedding, *self._inputs(), *(["hidden"] if self.config.depth > 2 else []), "w"]
        return {name: params[name] for name in names}

    def vectors(self, params: Params) -> Vectors:
        if not self.task.tokens:
            return Vectors({}, {}, joined=True)
        first = {name: self._over_tokens(params, name).T for name in self._inputs()}
        return Vectors(first, {"w": params["w"][...]}, joined=self.config.depth == 2)

    def _over_tokens(self, params: Params, name: str) -> jax.Array:
        """(tokens, width): what a first layer's matrix adds to the neurons for each token."""
        weights: jax.Array = params[name][...]
        return params["embedding"][...] @ weights if self.config.embedding else weights

    def _inputs(self) -> tuple[str, ...]:
        return ("u", "v") if self.task.tokens else ("u",)

    def normalization_weights(self, params: Params) -> dict[str, jax.Array]:
        if self.config.normalization == "none":
            return {}
        each = [params["normalizations"][i]["scale"][...] for i in range(self.config.depth - 1)]
        if self.config.depth == 2:
            return {"hidden": each[0]}
        return {"input": each[0], "output": each[-1]}

    def numbers_per_row(self) -> int:
        return max(self.config.width, self.task.outputs, self.task.features or 0)

    def flops_per_row(self) -> int:
        inner = self.config.depth - 2
        width = self.config.width
        # A lookup costs next to nothing; a product with features needs no gradient of them.
        first = 4 * (self.task.features or 0)
        return width * (first + 6 * (self.task.outputs + inner * width))
