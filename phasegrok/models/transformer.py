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
from phasegrok.models.layers.normalization import Normalization
from phasegrok.models.nnx import ModuleModel
from phasegrok.models.registry import MODELS
from phasegrok.tasks import Task

POSITIONS = 3  # m, n, and an equals sign, where the answer is read


def matrix(key: jax.Array, fan_in: int, fan_out: int) -> nnx.Param[jax.Array]:
    """Weights N(0, 1 / fan_in), (fan_in, fan_out)."""
    return nnx.Param(gaussian(key, fan_in**-0.5, (fan_in, fan_out)))


class Layer(nnx.Module):
    """Attention and feed-forward on the residual stream, each after its normalization."""

    def __init__(self, config: Transformer, rngs: nnx.Rngs) -> None:
        d, width = config.embedding, config.feed_forward
        self.query, self.key, self.value, self.out = (matrix(rngs.params(), d, d) for _ in range(4))
        self.up, self.down = matrix(rngs.params(), d, width), matrix(rngs.params(), width, d)
        self.up_bias, self.down_bias = nnx.Param(jnp.zeros(width)), nnx.Param(jnp.zeros(d))
        count = 2 if config.normalization == "layer" else 0
        self.normalizations = nnx.List([Normalization("layer", d) for _ in range(count)])
        self.heads, self.activation = config.heads, config.activation

    def __call__(self, x: jax.Array, batch: Pass, number: int, last: bool) -> jax.Array:
        """The stream (rows, positions, d) after this layer; after the last one only its end."""
        normal = self._normal(0, x)
        # After the last layer only the last position is read, so no other is computed.
        kept, asking = (x[:, -1:], normal[:, -1:]) if last else (x, normal)
        x = kept + dropout_at(2 * number, self._attend(asking, normal), batch)
        hidden = self._normal(1, x) @ self.up[...] + self.up_bias[...]
        hidden = ACTIVATIONS[self.activation](hidden)
        fed = hidden @ self.down[...] + self.down_bias[...]
        return x + dropout_at(2 * number + 1, fed, batch)

    def _normal(self, which: int, x: jax.Array) -> jax.Array:
        return self.normalizations[which](x, None) if len(self.normalizations) else x

    def _attend(self, asking: jax.Array, answering: jax.Array) -> jax.Array:
        def split(x: jax.Array) -> jax.Array:
            return x.reshape(*x.shape[:2], self.heads, -1)

        query = split(asking @ self.query[...])
        key, value = split(answering @ self.key[...]), split(answering @ self.value[...])
        scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) * query.shape[-1] ** -0.5
        mixed = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores, axis=-1), value)
        return mixed.reshape(asking.shape) @ self.out[...]


class Network(nnx.Module):
    """Embedding, layers, and (untied) unembedding; the stream at the equals sign is read."""

    def __init__(self, config: Transformer, tokens: int, outputs: int, rngs: nnx.Rngs) -> None:
        d = config.embedding
        # An embedding's row is one token's vector: its entries have variance 1 / d.
        self.embedding = nnx.Param(matrix(rngs.params(), d, tokens + 1)[...].T)
        self.position = nnx.Param(matrix(rngs.params(), d, POSITIONS)[...].T)
        self.layers = nnx.List([Layer(config, rngs) for _ in range(config.layers)])
        count = 1 if config.normalization == "layer" else 0
        self.normalizations = nnx.List([Normalization("layer", d) for _ in range(count)])
        if not config.tied:
            self.unembedding = matrix(rngs.params(), d, outputs)
        self.equals = tokens

    def __call__(self, batch: Pass) -> jax.Array:
        """What the output layer is given, (rows, d)."""
        sign = jnp.full((batch.inputs.shape[0], 1), self.equals, batch.inputs.dtype)
        tokens = jnp.concatenate([batch.inputs, sign], axis=1)
        x = self.embedding[...][tokens] + self.position[...]
        for number, layer in enumerate(self.layers):
            x = layer(x, batch, number, last=number == len(self.layers) - 1)
        end = x[:, -1]
        return self.normalizations[0](end, None) if len(self.normalizations) else end


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
        return POSITIONS * max(self.config.embedding, self.config.feed_forward, self.outputs)

    def flops_per_row(self) -> int:
        d, width, layers = self.config.embedding, self.config.feed_forward, self.config.layers
        whole = POSITIONS * (4 * d * d + 2 * d * width + 2 * POSITIONS * d)
        last = 2 * POSITIONS * d * d + 2 * d * d + 2 * d * width + 2 * POSITIONS * d
        return 6 * ((layers - 1) * whole + last + d * self.outputs)
