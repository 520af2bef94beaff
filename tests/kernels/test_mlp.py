"""The fused kernel, interpreted, against the plain loss and its gradient."""

from __future__ import annotations

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.random import threefry_2x32

from phasegrok.kernels.mlp import Kind, Mask, Rows, Weights, loss_and_right
from phasegrok.kernels.threefry import threefry
from phasegrok.models.layers.activations import ACTIVATIONS
from phasegrok.models.layers.dropout import dropout
from phasegrok.train.losses import answers, row_losses
from tests.thorough import some

SUMS = jax.Array
KEY = jnp.array([3, 2**31 + 5], jnp.uint32)


def plain(kind: Kind, weights: Weights, rows: Rows, mask: Mask | None) -> tuple[SUMS, SUMS]:
    """The same by the layers and losses that every other network is made of."""
    x = weights.u[rows.first] + weights.v[rows.second]
    if mask is not None:
        x = dropout(x, mask.rate, jax.random.wrap_key_data(mask.key), rows.number)
    outputs = ACTIVATIONS[kind.activation](x) @ weights.w
    losses = row_losses(kind.loss, outputs, rows.label)
    right = answers(outputs) == rows.label
    return jnp.sum(losses * rows.weight), jnp.sum(jnp.where(right, rows.weight, 0.0))


def made(
    seed: int, rows: int, tokens: int, neurons: int, outputs: int, train: int
) -> tuple[Weights, Rows]:
    """Random weights and rows, of which the first ``train`` have a weight."""
    draw = np.random.default_rng(seed)
    shapes = ((tokens, neurons), (tokens, neurons), (neurons, outputs))
    weights = Weights(*(jnp.asarray(draw.normal(0, 0.3, s), jnp.float32) for s in shapes))
    pairs = draw.integers(0, tokens, (2, rows)).astype(np.int32)
    weight = np.where(np.arange(rows) < train, draw.uniform(0.5, 2, rows), 0).astype(np.float32)
    labels = draw.integers(0, outputs, rows).astype(np.int32)
    numbers = draw.permutation(10 * rows)[:rows].astype(np.int32)
    return weights, Rows(*map(jnp.asarray, (*pairs, labels, weight, numbers)))


def both(kind: Kind, weights: Weights, rows: Rows, mask: Mask | None = None) -> None:
    """Values and gradients by the kernel are those of the plain path."""
    with jax.default_matmul_precision("highest"):
        found, expected = (
            jax.jit(jax.value_and_grad(lambda w, f=f: f(kind, w, rows, mask), has_aux=True))(
                weights
            )
            for f in (loss_and_right, plain)
        )
    names = ("loss", "right", "u", "v", "w")
    for name, a, b in zip(names, *map(jax.tree.leaves, (found, expected)), strict=True):
        size = float(jnp.max(jnp.abs(b)))
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6 * size + 1e-30, err_msg=name)


@pytest.mark.parametrize(
    ("activation", "loss", "drops"),
    some(product(("quadratic", "relu"), ("mse", "cross_entropy"), (False, True)), 3),
)
def test_values_and_gradients(activation: str, loss: str, drops: bool) -> None:
    """Every kind of network, of sizes that are no power of two and no multiple of a tile, with rows
    of different weights, rows without one, and a last tile that has none at all."""
    weights, rows = made(0, rows=150, tokens=11, neurons=70, outputs=11, train=60)
    mask = Mask(KEY, jnp.float32(0.3)) if drops else None
    both(Kind(activation, loss, "float32", drops), weights, rows, mask)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "tokens", "neurons", "outputs"),
    some([(1, 2, 1, 2), (16, 16, 16, 16), (65, 5, 130, 40), (70, 150, 33, 3)], 2),
)
def test_shapes(rows: int, tokens: int, neurons: int, outputs: int) -> None:
    """From a single row to more tokens than outputs and the reverse; past 128 tiles shrink."""
    weights, some = made(rows, rows, tokens, neurons, outputs, train=rows)
    both(Kind("quadratic", "mse", "float32", False), weights, some)
    both(Kind("relu", "cross_entropy", "float32", True), weights, some, Mask(KEY, jnp.float32(0.5)))


def test_no_rows_at_all() -> None:
    """Where every row is padding, loss and gradients are exact zeros."""
    weights, rows = made(1, rows=80, tokens=7, neurons=20, outputs=7, train=0)
    kind = Kind("quadratic", "mse", "float32", False)
    for leaf in jax.tree.leaves(
        jax.value_and_grad(lambda w: loss_and_right(kind, w, rows, None)[0])(weights)
    ):
        np.testing.assert_array_equal(leaf, 0)


def test_a_diverged_network_spoils_no_padding() -> None:
    """Infinite weights of a neuron make the loss infinite or NaN and no answer right, as they do on
    the plain path; rows of weight 0 alone stay without a share."""
    weights, rows = made(2, rows=40, tokens=7, neurons=20, outputs=7, train=40)
    weights = weights._replace(w=weights.w.at[3].set(jnp.inf))
    kind = Kind("quadratic", "mse", "float32", False)
    loss, right = loss_and_right(kind, weights, rows, None)
    assert not np.isfinite(loss) and right == 0
    nobody = rows._replace(weight=jnp.zeros(40))
    assert loss_and_right(kind, weights, nobody, None) == (0, 0)


def test_a_batch_of_networks_is_each_alone() -> None:
    """Under vmap, which is how chunks train, every network has the values that it has alone."""
    made_ones = [made(seed, 70, 11, 40, 11, train=60 - seed) for seed in range(3)]
    weights, rows = jax.tree.map(lambda *x: jnp.stack(x), *made_ones)
    kind = Kind("quadratic", "mse", "float32", True)
    rates = jnp.array([0.1, 0.2, 0.7])

    def one(w: Weights, r: Rows, rate: jax.Array) -> tuple[jax.Array, Weights]:
        return jax.value_and_grad(lambda w: loss_and_right(kind, w, r, Mask(KEY, rate))[0])(w)

    batch = jax.vmap(one)(weights, rows, rates)
    for i, (w, r) in enumerate(made_ones):
        alone = one(w, r, rates[i])
        for a, b in zip(*map(jax.tree.leaves, (batch, alone)), strict=True):
            np.testing.assert_allclose(a[i], b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_products_of_less_precision(precision: str) -> None:
    """Rounded inputs change the gradient by about their rounding, 2^-8 in bfloat16, and no more.
    TF32 is float32 where the kernel is interpreted."""
    weights, rows = made(4, rows=96, tokens=11, neurons=64, outputs=11, train=96)
    exact, found = (
        jax.grad(lambda w, k=k: loss_and_right(k, w, rows, None)[0])(weights)
        for k in (
            Kind("quadratic", "mse", "float32", False),
            Kind("quadratic", "mse", precision, False),  # type: ignore[arg-type]
        )
    )
    for a, b in zip(exact, found, strict=True):
        size = float(jnp.max(jnp.abs(a)))
        np.testing.assert_allclose(b / size, a / size, atol=2.0**-7)
        assert precision == "tf32" or not np.array_equal(a, b)


def test_threefry_is_that_of_jax() -> None:
    """The same words as the dropout of every other network draws from."""
    shape = (5, 8)
    first = jnp.broadcast_to(jnp.arange(5, dtype=jnp.uint32)[:, None] * 77, shape)
    second = jnp.broadcast_to(jnp.arange(8, dtype=jnp.uint32), shape)
    counters = jnp.concatenate([first.ravel(), second.ravel()])
    expected = threefry_2x32(KEY, counters).reshape(2, *shape)
    found = threefry((KEY[0], KEY[1]), first, second)
    np.testing.assert_array_equal(jnp.stack(found), expected)
