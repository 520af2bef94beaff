"""Products with rounded inputs, emulated."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok.train.rounding import MANTISSA, rounded

A = jnp.asarray(np.random.default_rng(0).normal(size=(6, 8)), jnp.float32)
B = jnp.asarray(np.random.default_rng(1).normal(size=(8, 4)), jnp.float32)


def cut(x: jax.Array, bits: int) -> np.ndarray:
    """Rounded to so many bits of mantissa, half to even, by arithmetic in float64."""
    mantissa, exponent = np.frexp(np.asarray(x, np.float64))
    return np.ldexp(np.round(mantissa * 2 ** (bits + 1)) / 2 ** (bits + 1), exponent)


@pytest.mark.parametrize("precision", MANTISSA)
def test_inputs_are_rounded_and_sums_are_not(precision: str) -> None:
    """Against a product of rounded numbers in float64; those of 7 bits are bfloat16's own."""
    bits = MANTISSA[precision]
    found = rounded(jnp.matmul, bits)(A, B)
    np.testing.assert_allclose(found, cut(A, bits) @ cut(B, bits), rtol=1e-6, atol=1e-6)
    assert not np.allclose(found, A @ B, rtol=1e-5, atol=0)
    np.testing.assert_array_equal(cut(A, 7).astype(np.float32), A.astype(jnp.bfloat16))


def loop(a: jax.Array, b: jax.Array) -> Any:
    """A product in every place that a step has one: a loop, a branch, a call, a gradient."""

    def turn(carry: jax.Array, _: None) -> tuple[jax.Array, None]:
        return jax.nn.relu(jax.jit(jnp.matmul)(carry, b @ b.T)), None

    def loss(a: jax.Array) -> jax.Array:
        x, _ = jax.lax.scan(turn, a, None, length=2)
        x = jax.lax.cond(jnp.sum(x) > 0, lambda x: x @ b, lambda x: x @ -b, x)
        return jnp.sum(jnp.square(x))

    def again(i: jax.Array, x: jax.Array) -> jax.Array:
        return x + jax.grad(loss)(a)

    return {"sum": jax.lax.fori_loop(0, 2, again, a), "sizes": jnp.max(jnp.abs(b))}


def products(jaxpr: Any, known: list[bool]) -> list[bool]:
    """Of every product of a traced function, whether an input comes from a rounding."""
    roundings = {e.outvars[0] for e in jaxpr.eqns if e.primitive.name == "reduce_precision"}
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            known.append(all(v in roundings for v in equation.invars))
        for value in equation.params.values():
            for each in value if isinstance(value, tuple | list) else (value,):
                inner = getattr(each, "jaxpr", each)
                if hasattr(inner, "eqns"):
                    products(inner, known)
    return known


def test_no_product_is_passed_over() -> None:
    """Inside scans, branches, calls, while loops and gradients, also when mapped and compiled. With
    24 bits nothing changes."""
    found = products(jax.make_jaxpr(rounded(loop, 10))(A, B).jaxpr, [])
    assert len(found) > 6 and all(found)
    exact, same = loop(A, B), jax.jit(rounded(loop, 23))(A, B)
    for name in exact:
        np.testing.assert_allclose(same[name], exact[name], rtol=1e-5)
    mapped = jax.jit(jax.vmap(rounded(loop, 7)))(A[None], B[None])
    assert not np.allclose(mapped["sum"][0], exact["sum"], rtol=1e-4)


def test_the_highest_precision_is_left_alone() -> None:
    """A measurement that asks for it gets float32, whatever a sweep trains in."""

    def highest(a: jax.Array, b: jax.Array) -> jax.Array:
        return jnp.matmul(a, b, precision="highest")

    np.testing.assert_array_equal(rounded(highest, 7)(A, B), highest(A, B))
