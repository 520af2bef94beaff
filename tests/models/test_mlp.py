"""The MLP: its function, its initialization by name, and dropout with a traced rate."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok import models
from phasegrok.config import Mlp, Modular
from phasegrok.models.base import DropoutSpec, Pass
from phasegrok.models.layers.activations import ACTIVATIONS
from phasegrok.models.layers.dropout import dropout

TASK = Modular(modulus=11)
PAIRS = jnp.array([[0, 3], [10, 10], [4, 2]], jnp.int32)
ROWS = jnp.arange(3)


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_two_layers_are_equation_1(activation: str) -> None:
    """f(m, n) = W phi(U e_m + V e_n), with one-hot vectors written out."""
    model = models.build(Mlp(width=6, activation=activation), TASK)
    params, model_state = model.init(jax.random.key(0), jnp.ones(()))
    out, _ = model.apply(params, model_state, Pass(PAIRS, ROWS))
    eye = np.eye(11, dtype=np.float32)
    x = eye[PAIRS[:, 0]] @ params["u"][...] + eye[PAIRS[:, 1]] @ params["v"][...]
    np.testing.assert_allclose(out, ACTIVATIONS[activation](x) @ params["w"][...], rtol=2e-5)


def test_depth_counts_weight_layers() -> None:
    """Depth 4 has two hidden matrices between the lookups and the output, biases on all three
    hidden layers."""
    model = models.build(Mlp(width=6, depth=4, bias=True, activation="relu"), TASK)
    params, model_state = model.init(jax.random.key(0), jnp.ones(()))
    assert [w.shape for w in jax.tree.leaves(params["hidden"])] == [(6, 6), (6, 6)]
    assert [b.shape for b in jax.tree.leaves(params["biases"])] == [(6,)] * 3
    assert model.apply(params, model_state, Pass(PAIRS, ROWS))[0].shape == (3, 11)
    assert list(model.matrices(params)) == ["u", "v", "hidden", "w"]


@pytest.mark.parametrize(
    ("kind", "std"),
    [
        ("paper", (16 * 400) ** (-1 / 3)),
        ("lazy", 2**0.5 / 400 ** (1 / 3)),
        ("kaiming", (2 / 400) ** 0.5),
        ("uniform", 1 / (3 * 400) ** 0.5),
    ],
)
def test_initializations_by_name(kind: str, std: float) -> None:
    """Standard deviation of the 400 x 400 hidden matrix (sampling error below 1 %), and the
    traced scale multiplies it."""
    model = models.build(Mlp(width=400, depth=3, initialization=kind), TASK)
    hidden = model.init(jax.random.key(0), jnp.ones(()))[0]["hidden"][0][...]
    np.testing.assert_allclose(hidden.std(), std, rtol=0.01)
    doubled = model.init(jax.random.key(0), jnp.full((), 2.0))[0]["hidden"][0][...]
    np.testing.assert_array_equal(doubled, 2 * hidden)


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.9])
def test_dropout_share_and_mean(rate: float) -> None:
    """200 000 ones: the share dropped is the rate and the mean stays 1, within five standard
    errors."""
    x = jnp.ones((400, 500))
    y = np.asarray(dropout(x, jnp.float32(rate), jax.random.key(3), jnp.arange(400)))
    error = 5 * (rate * (1 - rate) / x.size) ** 0.5
    assert abs(np.mean(y == 0) - rate) <= error + 2**-16
    assert abs(y.mean() - 1) <= error / (1 - rate) + 1e-4
    # Neither rows nor columns repeat.
    if rate:
        assert len(np.unique(y, axis=0)) == 400
        assert len(np.unique(y.T, axis=0)) == 500


def test_dropout_belongs_to_rows_not_to_their_place() -> None:
    """Row 7 has one mask, alone, among others, in any order, mapped or not."""
    x, rate, key = jnp.ones((9, 30)), jnp.float32(0.5), jax.random.key(0)
    all_rows = dropout(x, rate, key, jnp.arange(9))
    np.testing.assert_array_equal(dropout(x[:1], rate, key, jnp.array([7]))[0], all_rows[7])
    mapped = jax.vmap(lambda r: dropout(x, r, key, jnp.arange(9)[::-1]))(jnp.array([0.5, 0.2]))
    np.testing.assert_array_equal(mapped[0][::-1], all_rows)


def test_dropout_acts_before_the_activation() -> None:
    """With sigmoid, a network that drops nearly all pre-activations sees sigmoid(0) = 1/2 in
    their place, not 0: the paper's order."""
    model = models.build(Mlp(width=50, activation="sigmoid"), TASK)
    params, model_state = model.init(jax.random.key(0), jnp.ones(()))
    noise = DropoutSpec(jax.random.key(1), jnp.float32(0.99998))
    out, _ = model.apply(params, model_state, Pass(PAIRS, ROWS, jnp.ones(3), noise))
    np.testing.assert_allclose(out[0], 0.5 * params["w"][...].sum(0), rtol=1e-4, atol=1e-5)


def test_embedded_tokens_are_one_hot_ones_in_other_words() -> None:
    """With u and v the embedding's products, the network is the default one; its vectors over
    tokens are those products; the embedding, both tokens', is trained as one matrix."""
    task = Modular(modulus=5)
    config = Mlp(embedding=3, width=4, depth=3, activation="relu")
    model = models.build(config, task)
    params, model_state = model.init(jax.random.key(3), jnp.ones(()))
    plain = models.build(Mlp(width=4, depth=3, activation="relu"), task)
    u, v = (params["embedding"][...] @ params[name][...] for name in ("u", "v"))
    same, _ = plain.init(jax.random.key(3), jnp.ones(()))
    same["u"][...], same["v"][...] = u, v
    same["hidden"][0][...], same["w"][...] = params["hidden"][0][...], params["w"][...]
    batch = Pass(jnp.array([[0, 1], [4, 4], [2, 0]]), jnp.arange(3))
    out = model.apply(params, model_state, batch)[0]
    np.testing.assert_allclose(out, plain.apply(same, model_state, batch)[0], rtol=1e-5)
    np.testing.assert_allclose(model.vectors(params).input["v"], v.T, rtol=1e-6)
    assert models.parameters(model, embeddings=False) == 2 * 3 * 4 + 16 + 20
    assert models.parameters(model) == 2 * 3 * 4 + 16 + 20 + 15
