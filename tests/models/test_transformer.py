"""The Transformer against the textbook's formulas, every position computed."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok import models
from phasegrok.config import Modular, Transformer
from phasegrok.models.base import DropoutSpec, Params, Pass

TASK = Modular(modulus=11)
PAIRS = jnp.array([[0, 3], [10, 10], [4, 2], [3, 0]], jnp.int32)
ROWS = jnp.arange(4, dtype=jnp.int32)


def textbook(config: Transformer, params: Params) -> np.ndarray:
    """Outputs at the equals sign, from pre-LN encoder layers over all three positions."""
    p = jax.tree.map(np.asarray, params)

    def normal(x: np.ndarray, weights: Params) -> np.ndarray:
        if config.normalization == "none":
            return x
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        return scaled * weights["scale"][...] + weights["shift"][...]

    sign = np.full((len(PAIRS), 1), 11)
    x = p["embedding"][...][np.concatenate([PAIRS, sign], 1)] + p["position"][...]
    size = config.embedding // config.heads
    for i in range(config.layers):
        layer = p["layers"][i]
        norms = layer.get("normalizations", {0: None, 1: None})
        y, mixed = normal(x, norms[0]), np.zeros_like(x)
        for head in range(config.heads):
            part = slice(head * size, (head + 1) * size)
            q, k, v = (y @ layer[name][...][:, part] for name in ("query", "key", "value"))
            scores = np.exp(q @ np.swapaxes(k, 1, 2) / size**0.5)
            mixed[..., part] = scores / scores.sum(-1, keepdims=True) @ v
        x = x + mixed @ layer["out"][...]
        up = normal(x, norms[1]) @ layer["up"][...] + layer["up_bias"][...]
        x = x + np.maximum(up, 0) @ layer["down"][...] + layer["down_bias"][...]
    end = normal(x[:, -1], p.get("normalizations", {0: None})[0])
    out = p["embedding"][...][:11].T if config.tied else p["unembedding"][...]
    return end @ out


@pytest.mark.parametrize(
    "config",
    [
        Transformer(embedding=8, heads=2),
        Transformer(embedding=8, heads=1, layers=2, normalization="none"),
        Transformer(embedding=8, heads=4, layers=2, tied=True, feed_forward=5),
    ],
)
def test_outputs_are_the_textbooks(config: Transformer) -> None:
    """Though after the last layer only the equals sign's position is computed."""
    model = models.build(config, TASK)
    params, model_state = model.init(jax.random.key(1), jnp.ones(()))
    out, _ = model.apply(params, model_state, Pass(PAIRS, ROWS))
    np.testing.assert_allclose(out, textbook(config, params), rtol=1e-4, atol=1e-5)
    assert ("unembedding" in params) != config.tied


def test_the_order_of_the_pair_is_seen() -> None:
    """Positions are learned: (0, 3) and (3, 0) differ, and are alike once positions are zero."""
    model = models.build(Transformer(embedding=8, heads=2), TASK)
    params, model_state = model.init(jax.random.key(0), jnp.ones(()))
    first = model.apply(params, model_state, Pass(PAIRS, ROWS))[0]
    assert not np.allclose(first[0], first[3], atol=1e-3)
    params["position"][...] = jnp.zeros((3, 8))
    blind = model.apply(params, model_state, Pass(PAIRS, ROWS))[0]
    np.testing.assert_allclose(blind[0], blind[3], atol=1e-5)


def test_vectors_and_norms() -> None:
    """Embedding rows of the p tokens without the equals sign, d of them as vectors over tokens;
    matrices are everything but positions and normalizations."""
    model = models.build(Transformer(embedding=8, heads=2), TASK)
    params, _ = model.init(jax.random.key(0), jnp.full((), 2.0))
    vectors = model.vectors(params)
    assert vectors.input["embedding"].shape == vectors.output["unembedding"].shape == (8, 11)
    assert not vectors.joined and list(model.matrices(params)) == [
        "embedding",
        "layers",
        "unembedding",
    ]
    assert float(params["layers"][0]["normalizations"][0]["scale"][...].max()) == 1


def test_dropout_belongs_to_rows() -> None:
    """A row's noise is the same alone and among others; at rate 0 there is none."""
    model = models.build(Transformer(embedding=8, heads=2), TASK)
    params, model_state = model.init(jax.random.key(0), jnp.ones(()))
    clean = model.apply(params, model_state, Pass(PAIRS, ROWS))[0]
    for rate in (0.0, 0.5):
        noise = DropoutSpec(jax.random.key(2), jnp.float32(rate))
        every = model.apply(params, model_state, Pass(PAIRS, ROWS, jnp.ones(4), noise))[0]
        alone = model.apply(params, model_state, Pass(PAIRS[2:3], ROWS[2:3], jnp.ones(1), noise))[0]
        np.testing.assert_allclose(alone[0], every[2], rtol=1e-4, atol=1e-5)
        assert np.allclose(every, clean, atol=1e-5) == (rate == 0)
