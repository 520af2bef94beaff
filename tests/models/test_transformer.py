"""The Transformer against the textbook's formulas, every position computed."""

from __future__ import annotations

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok import models
from phasegrok.config import Modular, Transformer
from phasegrok.models.base import DropoutSpec, Params, Pass
from phasegrok.models.layers.dropout import dropout_at

TASK = Modular(modulus=11)
PAIRS = jnp.array([[0, 3], [10, 10], [4, 2], [3, 0]], jnp.int32)
ROWS = jnp.arange(4, dtype=jnp.int32)


AUTHORS = Transformer(
    embedding=8,
    heads=2,
    normalization="none",
    feed_forward_bias=False,
    reads="last",
    embedding_init="unit",
    attention_scale="full",
    output_scale="width",
    dropout_at="everywhere",
)


def textbook(config: Transformer, params: Params, noise: DropoutSpec | None = None) -> np.ndarray:
    """Outputs at the last position, from pre-LN encoder layers over all positions."""
    p = jax.tree.map(np.asarray, params)

    def normal(x: np.ndarray, weights: Params) -> np.ndarray:
        if config.normalization == "none":
            return x
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        return scaled * weights["scale"][...] + weights["shift"][...]

    def drop(place: int, x: np.ndarray) -> np.ndarray:
        return np.asarray(dropout_at(place, jnp.asarray(x), Pass(PAIRS, ROWS, None, noise)))

    everywhere = config.dropout_at == "everywhere"
    tokens = np.asarray(PAIRS)
    if config.reads == "equals":
        tokens = np.concatenate([tokens, np.full((len(PAIRS), 1), 11)], 1)
    x = p["embedding"][...][tokens] + p["position"][...]
    x = drop(2 * config.layers, x) if everywhere else x
    size = config.embedding // config.heads
    divisor = size if config.attention_scale == "full" else size**0.5
    for i in range(config.layers):
        # Masks are drawn for what is read: after the last layer, the last position alone.
        read = slice(-1 if i == config.layers - 1 else 0, None)
        layer = p["layers"][i]
        norms = layer.get("normalizations", {0: None, 1: None})
        y = normal(x, norms[0])
        q, k, v = (
            np.stack(np.split(y @ layer[name][...], config.heads, axis=-1), axis=1)
            for name in ("query", "key", "value")
        )
        scores = np.exp(q[:, :, read] @ np.swapaxes(k, 2, 3) / divisor)
        shares = scores / scores.sum(-1, keepdims=True)
        shares = drop(2 * config.layers + 1 + i, shares) if everywhere else shares
        mixed = np.concatenate(list(np.moveaxis(shares @ v, 1, 0)), axis=-1)
        x = x[:, read] + drop(2 * i, mixed @ layer["out"][...])
        up = normal(x, norms[1]) @ layer["up"][...]
        up = np.maximum(up + layer["up_bias"][...] if config.feed_forward_bias else up, 0)
        fed = up @ layer["down"][...]
        x = x + drop(2 * i + 1, fed + layer["down_bias"][...] if config.feed_forward_bias else fed)
    end = normal(x[:, -1], p.get("normalizations", {0: None})[0])
    out = p["embedding"][...][:11].T if config.tied else p["unembedding"][...]
    return end @ out / (config.embedding if config.output_scale == "width" else 1)


def noisy(params: Params) -> Params:
    """The weights, with biases that are not zero."""
    for layer in params["layers"].values():
        for name in ("up_bias", "down_bias"):
            if name in layer:
                values = layer[name][...]
                layer[name][...] = values + jnp.linspace(-1, 1, values.size)
    return params


@pytest.mark.parametrize(
    "config",
    [
        Transformer(embedding=8, heads=2),
        Transformer(embedding=8, heads=1, layers=2, normalization="none"),
        Transformer(embedding=8, heads=4, layers=2, tied=True, feed_forward=5),
        Transformer(embedding=8, heads=2, reads="last"),
        Transformer(embedding=8, heads=2, feed_forward_bias=False),
        Transformer(embedding=8, heads=2, attention_scale="full", init_scale=2.0),
        Transformer(embedding=8, heads=2, output_scale="width"),
        Transformer(embedding=8, heads=2, layers=2, dropout_at="everywhere"),
        AUTHORS,
        AUTHORS.model_copy(update={"layers": 2, "tied": True}),
    ],
)
def test_outputs_are_the_textbooks(config: Transformer) -> None:
    """In evaluation and with dropout, though after the last layer only the last position is
    computed."""
    model = models.build(config, TASK)
    params, model_state = model.init(jax.random.key(1), jnp.asarray(config.init_scale))
    params = noisy(params)
    assert ("unembedding" in params) != config.tied
    for noise in (None, DropoutSpec(jax.random.key(3), jnp.float32(0.3))):
        out, _ = model.apply(params, model_state, Pass(PAIRS, ROWS, None, noise))
        np.testing.assert_allclose(out, textbook(config, params, noise), rtol=1e-4, atol=1e-5)


def test_options_change_the_outputs() -> None:
    """Each of the options of the authors' notebook alone: none is read in vain."""
    usual = Transformer(embedding=8, heads=2)

    def outputs(config: Transformer) -> jax.Array:
        model = models.build(config, TASK)
        params, model_state = model.init(jax.random.key(1), jnp.ones(()))
        noise = DropoutSpec(jax.random.key(3), jnp.float32(0.3))
        return model.apply(noisy(params), model_state, Pass(PAIRS, ROWS, None, noise))[0]

    for option in (
        "feed_forward_bias",
        "reads",
        "embedding_init",
        "attention_scale",
        "output_scale",
        "dropout_at",
    ):
        changed = usual.model_copy(update={option: getattr(AUTHORS, option)})
        assert not np.allclose(outputs(usual), outputs(changed), rtol=1e-3), option


@pytest.mark.parametrize(("tied", "unit"), [(False, False), (False, True), (True, True)])
def test_initial_variances(tied: bool, unit: bool) -> None:
    """1 / fan_in; embeddings of variance 1 where asked for, unless tied to the output layer. With
    4000 entries of an embedding a variance strays by 2 percent, with 128 of positions by 12."""
    d = 64
    config = Transformer(
        embedding=d, reads="last", tied=tied, embedding_init="unit" if unit else "width"
    )
    params, _ = models.build(config, Modular(modulus=61)).init(jax.random.key(0), jnp.ones(()))
    expected = {"embedding": 1 / d if tied or not unit else 1, "position": 1 if unit else 1 / d}
    expected |= {} if tied else {"unembedding": 1 / d}
    for name, variance in expected.items():
        assert float(jnp.var(params[name][...])) == pytest.approx(variance, rel=0.4), name
    down = params["layers"][0]["down"][...]
    assert float(jnp.var(down)) == pytest.approx(1 / config.feed_forward, rel=0.1)


def test_weights_and_work() -> None:
    """Numbers of weights, and of products that one more position takes part in, by hand."""

    def weights(config: Transformer) -> int:
        params, _ = models.build(config, TASK).init(jax.random.key(0), jnp.ones(()))
        return sum(leaf.size for leaf in jax.tree.leaves(params))

    usual = Transformer(embedding=8, heads=2, feed_forward=16, normalization="none")
    square = 4 * 8 * 8 + 2 * 8 * 16
    assert weights(usual) == 12 * 8 + 3 * 8 + square + 16 + 8 + 8 * 11
    authors = AUTHORS.model_copy(update={"feed_forward": 16})
    assert weights(authors) == 11 * 8 + 2 * 8 + square + 8 * 11

    three, two = models.build(usual, TASK), models.build(authors, TASK)
    keys_and_values = 2 * 8 * 8 + 2 * 8  # of one more position that is attended to
    assert three.flops_per_row() - two.flops_per_row() == 6 * keys_and_values
    assert three.numbers_per_row() * 2 == two.numbers_per_row() * 3


def test_the_order_of_the_pair_is_seen() -> None:
    """Positions are learned: (0, 3) and (3, 0) differ, and are alike once positions are zero."""
    model = models.build(Transformer(embedding=8, heads=2), TASK)
    params, model_state = model.init(jax.random.key(0), jnp.ones(()))
    first = model.apply(params, model_state, Pass(PAIRS, ROWS))[0]
    assert not np.allclose(first[0], first[3], atol=1e-3)
    params["position"][...] = jnp.zeros((3, 8))
    blind = model.apply(params, model_state, Pass(PAIRS, ROWS))[0]
    np.testing.assert_allclose(blind[0], blind[3], atol=1e-5)


@pytest.mark.parametrize("reads", ["equals", "last"])
def test_vectors_and_norms(reads: Literal["equals", "last"]) -> None:
    """Embedding rows of the p tokens without the equals sign, d of them as vectors over tokens;
    matrices are everything but positions and normalizations."""
    model = models.build(Transformer(embedding=8, heads=2, reads=reads), TASK)
    params, _ = model.init(jax.random.key(0), jnp.full((), 2.0))
    vectors = model.vectors(params)
    assert vectors.input["embedding"].shape == vectors.output["unembedding"].shape == (8, 11)
    assert not vectors.joined and list(model.matrices(params)) == [
        "embedding",
        "layers",
        "unembedding",
    ]
    assert float(params["layers"][0]["normalizations"][0]["scale"][...].max()) == 1


@pytest.mark.parametrize("config", [Transformer(embedding=8, heads=2), AUTHORS])
def test_dropout_belongs_to_rows(config: Transformer) -> None:
    """A row's noise is the same alone and among others; at rate 0 there is none."""
    model = models.build(config, TASK)
    params, model_state = model.init(jax.random.key(0), jnp.ones(()))
    clean = model.apply(params, model_state, Pass(PAIRS, ROWS))[0]
    for rate in (0.0, 0.5):
        noise = DropoutSpec(jax.random.key(2), jnp.float32(rate))
        every = model.apply(params, model_state, Pass(PAIRS, ROWS, jnp.ones(4), noise))[0]
        alone = model.apply(params, model_state, Pass(PAIRS[2:3], ROWS[2:3], jnp.ones(1), noise))[0]
        np.testing.assert_allclose(alone[0], every[2], rtol=1e-4, atol=1e-5)
        assert np.allclose(every, clean, rtol=1e-4, atol=1e-5) == (rate == 0)
