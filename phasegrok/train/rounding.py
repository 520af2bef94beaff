"""The products of other machines' matrix units, emulated on a CPU.

A GPU's TF32 product rounds its inputs to 10 bits of mantissa and adds up in float32; a bfloat16
product rounds them to 7. A CPU has neither. Here every product of a function is given inputs that
are rounded likewise. So ``engine.precision`` means the same numbers on every machine, up to the
order of sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import jax
from jax.extend.core import ClosedJaxpr, JaxprEqn, Literal

__all__ = ["MANTISSA", "rounded"]

MANTISSA: Final = {"tf32": 10, "bfloat16": 7}  # bits; the exponent has float32's 8
EXPONENT: Final = 8
# Primitives whose functions are run in place, and the parameter that holds each.
INLINED: Final = {
    "jit": "jaxpr",
    "closed_call": "call_jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
}


def rounded(function: Callable[..., Any], bits: int) -> Callable[..., Any]:
    """``function`` with the inputs of its products rounded to ``bits`` bits of mantissa.

    Products that ask for the highest precision themselves are left alone. The result can be mapped
    and compiled. A gradient has to be taken inside ``function``, so that its products are rounded.

    Args:
        function: of and to pytrees of arrays.
        bits: of :data:`MANTISSA`.
    """

    def with_rounding(*args: Any) -> Any:
        traced, shapes = jax.make_jaxpr(function, return_shape=True)(*args)
        found = _evaluate(traced, bits, jax.tree.leaves(args))
        return jax.tree.unflatten(jax.tree.structure(shapes), found)

    return with_rounding


def _evaluate(traced: ClosedJaxpr, bits: int, args: Sequence[Any]) -> list[Any]:
    """What a traced function gives with its products rounded."""
    values = dict(zip(traced.jaxpr.constvars, traced.consts, strict=True))
    values |= dict(zip(traced.jaxpr.invars, args, strict=True))

    def read(atom: Any) -> Any:
        return atom.val if isinstance(atom, Literal) else values[atom]

    for equation in traced.jaxpr.eqns:
        found = _apply(equation, bits, [read(atom) for atom in equation.invars])
        values |= dict(zip(equation.outvars, found, strict=True))
    return [read(atom) for atom in traced.jaxpr.outvars]


def _apply(equation: JaxprEqn, bits: int, given: list[Any]) -> list[Any]:
    primitive, params = equation.primitive, dict(equation.params)
    if primitive.name in INLINED and not _kept(equation):
        return _evaluate(params[INLINED[primitive.name]], bits, given)
    if primitive.name == "dot_general" and not _is_highest(params["precision"]):
        given = [jax.lax.reduce_precision(x, EXPONENT, bits) for x in given]
        params["precision"] = (jax.lax.Precision.HIGHEST,) * 2
    elif not _kept(equation):
        inner = {name: _within(value, bits) for name, value in params.items()}
        params = inner
    bound: Any = primitive  # its methods have no types
    found = bound.bind(*given, **bound.get_bind_params(params))
    return list(found) if primitive.multiple_results else [found]


def _within(value: Any, bits: int) -> Any:
    """A parameter of a loop or a branch, its functions rounded."""
    if isinstance(value, ClosedJaxpr):
        return jax.make_jaxpr(lambda *args: _evaluate(value, bits, args))(*value.in_avals)
    if isinstance(value, tuple) and any(isinstance(each, ClosedJaxpr) for each in value):
        return tuple(_within(each, bits) for each in value)
    return value


def _kept(equation: JaxprEqn) -> bool:
    """Whether an equation has no product inside, or takes care of its own precision."""
    return equation.primitive.name == "pallas_call" or not _multiplies(equation)


def _multiplies(equation: JaxprEqn) -> bool:
    inside = [
        each
        for value in equation.params.values()
        for each in (value if isinstance(value, tuple) else (value,))
    ]
    return any(
        inner.primitive.name == "dot_general" or _multiplies(inner)
        for each in inside
        if hasattr(getattr(each, "jaxpr", each), "eqns")
        for inner in getattr(each, "jaxpr", each).eqns
    )


def _is_highest(precision: Any) -> bool:
    return precision is not None and all(each == jax.lax.Precision.HIGHEST for each in precision)
