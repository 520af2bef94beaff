"""Stacked LSTM on pairs of tokens (efficiency study, section 3.1)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from phasegrok.config import Lstm
from phasegrok.models.base import Params, Pass, Vectors
from phasegrok.models.layers.dropout import dropout_at
from phasegrok.models.layers.initialization import gaussian, uniform
from phasegrok.models.layers.lookup import look_up
from phasegrok.models.nnx import ModuleModel
from phasegrok.models.registry import MODELS
from phasegrok.tasks import Task

POSITIONS = 3  # m, n, and an equals sign, after which the answer is read


class Layer(nnx.Module):
    """One layer's weights; columns are those of the input, forget, cell and output gates."""

    def __init__(self, inputs: int, width: int, rngs: nnx.Rngs) -> None:
        self.input = nnx.Param(uniform(rngs.params(), width, (inputs, 4 * width)))
        self.recurrent = nnx.Param(uniform(rngs.params(), width, (width, 4 * width)))
        self.bias = nnx.Param(uniform(rngs.params(), width, (4 * width,)))

    def __call__(self, given: list[jax.Array]) -> list[jax.Array]:
        """The states h after each position, (rows, width).

        h and c begin at zero, so the first position needs no product with them.

        Args:
            given: for each position its inputs times ``input``, (rows, 4 width), or one row where
                all rows are the same.
        """
        states: list[jax.Array] = []
        cell: jax.Array | None = None
        for gates in given:
            gates = gates + self.bias[...]
            if states:
                gates = gates + states[-1] @ self.recurrent[...]
            enter, keep, new, out = jnp.split(gates, 4, axis=-1)
            entering = jax.nn.sigmoid(enter) * jnp.tanh(new)
            cell = entering if cell is None else jax.nn.sigmoid(keep) * cell + entering
            states.append(jax.nn.sigmoid(out) * jnp.tanh(cell))
        return states


class Network(nnx.Module):
    """Embedding, layers, and an output layer that reads the last one's state after the sign."""

    def __init__(self, config: Lstm, tokens: int, outputs: int, rngs: nnx.Rngs) -> None:
        d, width = config.embedding, config.width
        # A row is one token's vector: its entries have variance 1 / d, as a Transformer's.
        self.embedding = nnx.Param(gaussian(rngs.params(), d**-0.5, (tokens + 1, d)))
        self.layers = nnx.List(
            [Layer(width if i else d, width, rngs) for i in range(config.layers)]
        )
        self.unembedding = nnx.Param(uniform(rngs.params(), width, (width, outputs)))

    def __call__(self, batch: Pass) -> jax.Array:
        """What the output layer is given, (rows, width)."""
        first = self.layers[0]
        # Each token's product is taken once, not each example's: there are fewer tokens.
        by_token = self.embedding[...] @ first.input[...]
        given = [look_up(by_token, batch.inputs[:, i], batch.lookups) for i in (0, 1)]
        given.append(by_token[-1:])
        states = [dropout_at(i, h, batch) for i, h in enumerate(first(given))]
        for number, layer in enumerate(list(self.layers)[1:], start=1):
            hidden = layer([h @ layer.input[...] for h in states])
            sites = range(number * POSITIONS, (number + 1) * POSITIONS)
            states = [dropout_at(i, h, batch) for i, h in zip(sites, hidden, strict=True)]
        return states[-1]


@MODELS.register(Lstm)
class LstmModel(ModuleModel):
    """An LSTM on pairs of tokens."""

    def __init__(self, config: Lstm, task: Task) -> None:
        assert task.tokens is not None, "configurations are checked: only tokens come here"
        self.config, self.tokens, self.outputs = config, task.tokens, task.outputs
        super().__init__()

    def make(self, rngs: nnx.Rngs) -> Network:
        return Network(self.config, self.tokens, self.outputs, rngs)

    def output_weights(self, params: Params) -> jax.Array:
        weights: jax.Array = params["unembedding"][...]
        return weights

    def matrices(self, params: Params) -> dict[str, Params]:
        return {name: params[name] for name in ("embedding", "layers", "unembedding")}

    def vectors(self, params: Params) -> Vectors:
        tokens = params["embedding"][...][: self.tokens].T
        return Vectors(
            {"embedding": tokens}, {"unembedding": self.output_weights(params)}, joined=False
        )

    def numbers_per_row(self) -> int:
        return POSITIONS * max(4 * self.config.width, self.outputs)

    def flops_per_row(self) -> int:
        width = self.config.width
        square = 4 * width * width
        recurrent = (POSITIONS - 1) * self.config.layers
        from_below = POSITIONS * (self.config.layers - 1)
        return 6 * ((recurrent + from_below) * square + width * self.outputs)
