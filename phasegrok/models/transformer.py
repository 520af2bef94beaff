"""Encoder-only Transformer on pairs of tokens (Doshi et al., Figure 7a and appendix G)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from phasegrok.config import Transformer
from phasegrok.models.base import Params, Pass, Vectors
from phasegrok.models.layers.activations import ACTIVATIONS
from phasegrok.models.layers.dropout import dropout_at
from phasegrok.models.layers.initialization import gaussian
from phasegrok.models.layers.lookup import look_up
from phasegrok.models.layers.normalization import Normalization
from phasegrok.models.nnx import ModuleModel
from phasegrok.models.registry import MODELS
from phasegrok.tasks import Task


def positions(config: Transformer) -> int:
    """Tokens in a row: m, n, and perhaps an equals sign. The answer is read at the last."""
    return 3 if config.reads == "equals" else 2


def matrix(key: jax.Array, fan_in: int, fan_out: int) -> nnx.Param[jax.Array]:
    """Weights N(0, 1 / fan_in), (fan_in, fan_out)."""
    return nnx.Param(gaussian(key, fan_in**-0.5, (fan_in, fan_out)))


class Layer(nnx.Module):
    """Attention and feed-forward on the residual stream, each after its normalization."""

    def __init__(self, config: Transformer, rngs: nnx.Rngs) -> None:
        d, width = config.embedding, config.feed_forward
        self.query, self.key, self.value, self.out = (matrix(rngs.params(), d, d) for _ in range(4))
        self.up, self.down = matrix(rngs.params(), d, width), matrix(rngs.params(), width, d)
        if config.feed_forward_bias:
            self.up_bias, self.down_bias = nnx.Param(jnp.zeros(width)), nnx.Param(jnp.zeros(d))
        count = 2 if config.normalization == "layer" else 0
        self.normalizations = nnx.List([Normalization("layer", d) for _ in range(count)])
        self.config = config

    def __call__(self, x: jax.Array, batch: Pass, number: int, last: bool) -> jax.Array:
        """The stream (rows, positions, d) after this layer; after the last one only its end."""
        normal = self._normal(0, x)
        # After the last layer only the last position is read, so no other is computed.
        kept, asking = (x[:, -1:], normal[:, -1:]) if last else (x, normal)
        x = kept + dropout_at(2 * number, self._attend(asking, normal, batch, number), batch)
        return x + dropout_at(2 * number + 1, self._feed(self._normal(1, x)), batch)

    def _feed(self, x: jax.Array) -> jax.Array:
        hidden = x @ self.up[...]
        if self.config.feed_forward_bias:
            hidden = hidden + self.up_bias[...]
        fed = ACTIVATIONS[self.config.activation](hidden) @ self.down[...]
        return fed + self.down_bias[...] if self.config.feed_forward_bias else fed

    def _normal(self, which: int, x: jax.Array) -> jax.Array:
        return self.normalizations[which](x, None) if len(self.normalizations) else x

    def _attend(
        self, asking: jax.Array, answering: jax.Array, batch: Pass, number: int
    ) -> jax.Array:
        def split(x: jax.Array) -> jax.Array:
            return x.reshape(*x.shape[:2], self.config.heads, -1)

        query = split(asking @ self.query[...])
        key, value = split(answering @ self.key[...]), split(answering @ self.value[...])
        power = -0.5 if self.config.attention_scale == "root" else -1.0
        scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) * query.shape[-1] ** power
        shares = jax.nn.softmax(scores, axis=-1)
        if self.config.dropout_at == "everywhere":
            shares = dropout_at(2 * self.config.layers + 1 + number, shares, batch)
        mixed = jnp.einsum("bhqk,bkhd->bqhd", shares, value)
        return mixed.reshape(asking.shape) @ self.out[...]


class Network(nnx.Module):
    """Embedding, layers, and (untied) unembedding; the stream at the last position is read."""

    def __init__(self, config: Transformer, tokens: int, outputs: int, rngs: nnx.Rngs) -> None:
        d, length = config.embedding, positions(config)
        rows = tokens + 1 if config.reads == "equals" else tokens
        # An embedding's row is one token's vector: by default its entries have variance 1 / d.
        unit = d**0.5 if config.embedding_init == "unit" else 1.0
        embedding = matrix(rngs.params(), d, rows)[...].T
        self.embedding = nnx.Param(embedding if config.tied else embedding * unit)
        self.position = nnx.Param(matrix(rngs.params(), d, length)[...].T * unit)
        self.layers = nnx.List([Layer(config, rngs) for _ in range(config.layers)])
        count = 1 if config.normalization == "layer" else 0
        self.normalizations = nnx.List([Normalization("layer", d) for _ in range(count)])
        if not config.tied:
            self.unembedding = matrix(rngs.params(), d, outputs)
        self.config, self.equals = config, tokens

    def __call__(self, batch: Pass) -> jax.Array:
        """What the output layer is given, (rows, d)."""
        tokens = batch.inputs
        if self.config.reads == "equals":
            sign = jnp.full((tokens.shape[0], 1), self.equals, tokens.dtype)
            tokens = jnp.concatenate([tokens, sign], axis=1)
        x = look_up(self.embedding[...], tokens, batch.lookups) + self.position[...]
        if self.config.dropout_at == "everywhere":
            x = dropout_at(2 * self.config.layers, x, batch)
        for number, layer in enumerate(self.layers):
            x = layer(x, batch, number, last=number == len(self.layers) - 1)
        end = x[:, -1]
        end = self.normalizations[0](end, None) if len(self.normalizations) else end
        # Outputs are linear in it, so it may be divided in the place of the outputs.
        return end / end.shape[-1] if self.config.output_scale == "width" else end


@MODELS.register(Transformer)
class TransformerModel(ModuleModel):
    """A Transformer on pairs of tokens."""

    def __init__(self, config: Transformer, task: Task) -> None:
        assert task.tokens is not None, "configurations are checked: only tokens come here"
        self.config, self.tokens, self.outputs = config, task.tokens, task.outputs
        super().__init__()

    def make(self, rngs: nnx.Rngs) -> Network:
        return Network(self.config, self.tokens, self.outputs, rngs)

    def output_weights(self, params: Params) -> jax.Array:
        if self.config.tied:
            tied: jax.Array = params["embedding"][...][: self.outputs].T
            return tied
        weights: jax.Array = params["unembedding"][...]
        return weights

    def matrices(self, params: Params) -> dict[str, Params]:
        names = ["embedding", "layers", *([] if self.config.tied else ["unembedding"])]
        return {name: params[name] for name in names}

    def vectors(self, params: Params) -> Vectors:
        tokens = params["embedding"][...][: self.tokens].T
        return Vectors(
            {"embedding": tokens}, {"unembedding": self.output_weights(params)}, joined=False
        )

    def normalization_weights(self, params: Params) -> dict[str, jax.Array]:
        if self.config.normalization == "none":
            return {}
        return {"output": params["normalizations"][0]["scale"][...]}

    def numbers_per_row(self) -> int:
        widest = max(self.config.embedding, self.config.feed_forward, self.outputs)
        return positions(self.config) * widest

    def flops_per_row(self) -> int:
        d, width, layers = self.config.embedding, self.config.feed_forward, self.config.layers
        length = positions(self.config)
        whole = length * (4 * d * d + 2 * d * width + 2 * length * d)
        last = 2 * length * d * d + 2 * d * d + 2 * d * width + 2 * length * d
        return 6 * ((layers - 1) * whole + last + d * self.outputs)
