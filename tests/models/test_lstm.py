"""The LSTM against the textbook's recursion, every product written out."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok import models
from phasegrok.config import Lstm, Modular
from phasegrok.models.base import DropoutSpec, Params, Pass

TASK = Modular(modulus=11)
PAIRS = jnp.array([[0, 3], [10, 10], [4, 2], [3, 0]], jnp.int32)
ROWS = jnp.arange(4, dtype=jnp.int32)


def textbook(params: Params, layers: int) -> np.ndarray:
    """Outputs after the equals sign: gates of concatenated inputs and states, from h = c = 0."""
    p = jax.tree.map(np.asarray, params)

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    sign = np.full((len(PAIRS), 1), 11)
    sequence = np.moveaxis(p["embedding"][...][np.concatenate([PAIRS, sign], 1)], 1, 0)
    for number in range(layers):
        layer = p["layers"][number]
        weights = np.concatenate([layer["input"][...], layer["recurrent"][...]])
        h = c = np.zeros((len(PAIRS), layer["recurrent"][...].shape[0]))
        states = []
        for x in sequence:
            i, f, g, o = np.split(np.concatenate([x, h], 1) @ weights + layer["bias"][...], 4, 1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            states.append(h)
        sequence = np.stack(states)
    return sequence[-1] @ p["unembedding"][...]


@pytest.mark.parametrize(
    "config", [Lstm(embedding=6, width=6), Lstm(embedding=5, width=7, layers=3), Lstm(layers=1)]
)
def test_outputs_are_the_textbooks(config: Lstm) -> None:
    """Though a token's product with the first layer is taken once, and that with zeros never."""
    model = models.build(config, TASK)
    params, model_state = model.init(jax.random.key(1), jnp.full((), 3.0))
    out, _ = model.apply(params, model_state, Pass(PAIRS, ROWS))
    np.testing.assert_allclose(out, textbook(params, config.layers), rtol=1e-4, atol=1e-5)
    assert model.output_weights(params).shape == (config.width, 11)


def test_parameters_between_the_tokens() -> None:
    """8 d^2 + 4 d a layer; with the defaults within the efficiency study's 3 to 4 * 10^5 at
    d = 144, and 2.6 * 10^5 at 128."""
    model = models.build(Lstm(embedding=6, width=6), TASK)
    between = 2 * (8 * 36 + 24)
    assert models.parameters(model, embeddings=False) == between
    assert models.parameters(model) == between + 12 * 6 + 6 * 11
    large = models.build(Lstm(embedding=144, width=144), Modular())
    assert 3e5 < models.parameters(large, embeddings=False) < 4e5


def test_dropout_belongs_to_rows() -> None:
    """A row's noise is the same alone and among others; at rate 0 there is none."""
    model = models.build(Lstm(embedding=8, width=8), TASK)
    params, model_state = model.init(jax.random.key(0), jnp.ones(()))
    clean = model.apply(params, model_state, Pass(PAIRS, ROWS))[0]
    for rate in (0.0, 0.5):
        noise = DropoutSpec(jax.random.key(2), jnp.float32(rate))
        every = model.apply(params, model_state, Pass(PAIRS, ROWS, jnp.ones(4), noise))[0]
        alone = model.apply(params, model_state, Pass(PAIRS[2:3], ROWS[2:3], jnp.ones(1), noise))[0]
        np.testing.assert_allclose(alone[0], every[2], rtol=1e-4, atol=1e-5)
        assert np.allclose(every, clean, atol=1e-6) == (rate == 0)
