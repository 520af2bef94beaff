"""Networks built by hand compute their parity exactly (thesis, chapter 4)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import ValidationError

from phasegrok import models
from phasegrok.config import Experiment, Mlp, Parity
from phasegrok.models.base import Pass
from phasegrok.models.known.parity import patterns
from phasegrok.train.losses import answers, row_losses


def outputs(bits: int, parity_bits: int, width: int) -> tuple[jax.Array, np.ndarray]:
    """On all sign patterns of the bits that count, the others at random; and the labels."""
    network = Mlp(width=width, activation="relu", bias=True, initialization="analytic")
    model = models.build(network, Parity(bits=bits, parity_bits=parity_bits))
    params, model_state = model.init(jax.random.key(0), jnp.ones(()))
    signs = patterns(parity_bits)
    others = np.random.default_rng(0).choice([-1.0, 1.0], (len(signs), bits - parity_bits))
    x = jnp.asarray(np.hstack([signs, others]), jnp.float32)
    found, _ = model.apply(params, model_state, Pass(x, jnp.arange(len(x))))
    return found, (signs.prod(axis=1) > 0).astype(int)


@pytest.mark.parametrize("parity_bits", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("more", [0, 7])
def test_a_neuron_a_pattern(parity_bits: int, more: int) -> None:
    """Proposition 4.1: right on all 2^k patterns whatever the other bits are, outputs +1 and -1,
    no hinge loss."""
    found, labels = outputs(parity_bits + more, parity_bits, 2**parity_bits)
    np.testing.assert_array_equal(found[:, 0], 2 * labels - 1)
    np.testing.assert_array_equal(answers(found), labels)
    assert float(jnp.sum(row_losses("hinge", found, jnp.asarray(labels)))) == 0


@pytest.mark.parametrize("more", [0, 7])
def test_two_neurons(more: int) -> None:
    """Section 4.2: 1 where two bits agree and 0, which answers -1, where they do not."""
    found, labels = outputs(2 + more, 2, 2)
    np.testing.assert_array_equal(found[:, 0], labels)
    np.testing.assert_array_equal(answers(found), labels)


@pytest.mark.parametrize("more", [0, 7])
@pytest.mark.parametrize("width", [3, 4])
def test_few_neurons_for_three_bits(more: int, width: int) -> None:
    """Section 4.3: four neurons are right on all eight patterns with outputs +1 and -1; three of
    them are right too where an output of 0 is an answer of -1, which it is for three -1s alone."""
    found, labels = outputs(3 + more, 3, width)
    np.testing.assert_array_equal(answers(found), labels)
    expected = 2.0 * labels - 1
    if width == 3:
        expected[0] = 0
    np.testing.assert_array_equal(found[:, 0], expected)
    loss = float(jnp.sum(row_losses("hinge", found, jnp.asarray(labels))))
    assert loss == (0 if width == 4 else 1)


@pytest.mark.parametrize(
    ("parity_bits", "width", "allowed"),
    [(2, 3, "2 or 4"), (3, 2, "3 or 4 or 8"), (3, 5, "3 or 4 or 8"), (4, 8, "16")],
)
def test_other_widths_are_refused(parity_bits: int, width: int, allowed: str) -> None:
    """The line names the widths for which a network is known."""
    network = Mlp(width=width, activation="relu", bias=True, initialization="analytic")
    with pytest.raises(
        ValidationError, match=f"model.width {width}; allowed: model.width {allowed},"
    ):
        Experiment(task=Parity(parity_bits=parity_bits), model=network)
