"""The analytic solution solves the task, and its error is what appendix D says it is."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from phasegrok import tasks
from phasegrok.config import Modular
from phasegrok.measure import spectrum
from phasegrok.models.known import analytic
from phasegrok.plan.plan import plan
from phasegrok.train.memory import machine
from phasegrok.train.state import init
from tests.conftest import MakeSweep

P = 97


@partial(jax.jit, static_argnums=(0, 1))
def solve(modulus: int, width: int, seed: int) -> tuple[jax.Array, ...]:
    return analytic.weights(jax.random.key(seed), modulus, width)


@partial(jax.jit, static_argnums=(0, 1))
def outputs_of(modulus: int, width: int, seed: int) -> jax.Array:
    """Outputs f_q(m, n) of the quadratic network on all pairs, (p, p, p) as [m, n, q]."""
    u, v, w = solve(modulus, width, seed)
    return jnp.einsum("mnk,kq->mnq", jnp.square(u[:, None] + v[None, :]), w, precision="highest")


def boxed_term(modulus: int, width: int) -> np.ndarray:
    """The one term of equation 6 without a random phase, as a function of (m + n - q) mod p, (p,).

    It is equation 7: 1/N times the sum over neurons of cos(2 pi sigma(k) d / p). It is 1 at d = 0,
    and exactly 0 elsewhere where p divides N.
    """
    frequency, distance = np.arange(width) % modulus, np.arange(modulus)
    turns = np.outer(distance, frequency) % modulus
    return np.asarray(np.cos(2 * np.pi / modulus * turns).mean(1))


def accuracy(modulus: int, width: int, seed: int) -> float:
    m, n = np.indices((modulus, modulus))
    outputs = outputs_of(modulus, width, seed)
    return float(np.mean(np.argmax(outputs, -1) == (m + n) % modulus))


def test_the_papers_size_is_solved_and_small_widths_are_not() -> None:
    """P = 97, N = 500: every pair right, for three seeds; 24 neurons cannot hold the 48
    frequencies that a sharp peak is made of, and accuracy falls off in between."""
    assert [accuracy(P, 500, seed) for seed in range(3)] == [1, 1, 1]
    falling = [accuracy(P, width, 0) for width in (200, 100, 24)]
    assert 1 >= falling[0] > falling[1] > falling[2] and falling[2] < 0.5


def test_every_neuron_is_a_cosine() -> None:
    """IPR 1 in all three layers, whatever the width is modulo p, and the output's phase is the sum
    of the inputs' (equation 2)."""
    u, v, w = solve(P, 500, 1)
    basis = spectrum.task_basis(tasks.build(Modular()))
    vectors = {"u": u.T, "v": v.T, "w": w}
    each, dead = jax.jit(spectrum.neuron_ipr)(vectors, basis)
    np.testing.assert_allclose(each, 1, atol=1e-3)
    assert not dead.any()
    columns = jax.tree.map(np.asarray, jax.jit(spectrum.neurons)(vectors, basis))
    # cos is even: frequency p - f with phase phi reads as f with phase -phi, in all three alike;
    # a constant vector shows only the cosine of its phase.
    turning = columns["frequency"] > 0
    turns = (columns["phase_u"] + columns["phase_v"] - columns["phase_w"]) / (2 * np.pi)
    np.testing.assert_allclose((turns - np.round(turns))[turning], 0, atol=1e-3)


def test_the_error_is_the_boxed_terms_complement_and_falls_as_one_over_root_n() -> None:
    """What is left of the outputs beside the boxed term of equation 6 has root mean square
    proportional to N^(-1/2), over two decades of width; and where p divides N the boxed term is the
    label itself."""
    p, widths = 31, [62, 248, 992, 3968]
    m, n, q = np.indices((p, p, p))
    errors = []
    for width in widths:
        boxed = boxed_term(p, width)[(m + n - q) % p]
        np.testing.assert_allclose(boxed, (m + n - q) % p == 0, atol=1e-12)
        seeds = [outputs_of(p, width, seed) - boxed for seed in range(4)]
        errors.append(np.sqrt(np.mean(np.square(seeds))))
    slope = np.polyfit(np.log(widths), np.log(errors), 1)[0]
    assert abs(slope + 0.5) < 0.05, slope


def test_training_starts_from_it(make_sweep: MakeSweep) -> None:
    """``initialization: analytic`` gives the first state these weights, another seed others."""
    sets = ("model.initialization=analytic", "model.width=40", "seeds=[0, 1]")
    grid = plan(make_sweep("", *sets), machine())
    cell = grid.run_params(np.array([0, 1]))
    start = jax.jit(init, static_argnums=0)
    first, second = (
        start(grid.jobs[0].program, jax.tree.map(lambda x, i=i: jnp.asarray(x[i]), cell))
        for i in (0, 1)
    )
    u = first.params["u"][...]
    basis = spectrum.fourier_basis(np.arange(7), 7)
    np.testing.assert_allclose(spectrum.ipr(u.T, basis), 1, atol=1e-3)
    assert not np.array_equal(u, second.params["u"][...])
