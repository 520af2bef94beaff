"""Modular arithmetic: the table, its corruption, and the order in which it is periodic."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from phasegrok import tasks
from phasegrok.config import Modular


def table(task: Modular, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    keys = jax.random.split(jax.random.key(seed))
    made = tasks.build(task).table(keys[0], keys[1])
    return tuple(np.asarray(x) for x in made)  # type: ignore[return-value]


@pytest.mark.parametrize("operation", ["addition", "multiplication"])
@pytest.mark.parametrize("p", [2, 6, 13])
def test_every_pair_once_with_its_label(operation: str, p: int) -> None:
    """All p^2 pairs, each once, labelled by Python's own arithmetic."""
    inputs, label, _ = table(Modular(operation=operation, modulus=p))
    assert sorted(map(tuple, inputs)) == [(m, n) for m in range(p) for n in range(p)]
    for (m, n), z in zip(inputs, label, strict=True):
        assert z == ((m + n) if operation == "addition" else (m * n)) % p


def test_corrupted_labels_are_uniform_over_all_labels() -> None:
    """Chi-square of p^2 draws for p = 53 stays below the 1e-6 quantile (52 degrees of freedom:
    about 117), and about 1/p of the draws are right by luck: the true label is not left out."""
    p = 53
    _, label, noise = table(Modular(modulus=p))
    counts = np.bincount(noise, minlength=p)
    assert len(counts) == p
    assert ((counts - p) ** 2 / p).sum() < 117
    assert 0 < np.mean(noise == label) < 3 / p


def test_group_order_turns_multiplication_into_addition() -> None:
    """In discrete-log order, row i times row j is row (i + j) mod (p - 1): the table of
    multiplication is that of addition, so its period is visible there."""
    order = tasks.build(Modular(operation="multiplication", modulus=23)).group_order()
    assert sorted(order) == list(range(1, 23))
    for i in range(22):
        for j in range(22):
            assert order[i] * order[j] % 23 == order[(i + j) % 22]


def test_natural_order_where_there_is_no_other() -> None:
    """Addition always, and multiplication modulo a composite (its group need not be cyclic)."""
    for task in (Modular(modulus=9), Modular(operation="multiplication", modulus=9)):
        np.testing.assert_array_equal(tasks.build(task).group_order(), np.arange(9))
