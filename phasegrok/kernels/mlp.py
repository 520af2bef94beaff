"""Loss and gradient of the default network in two Pallas kernels, with no activation in memory.

f(m, n) = W phi(U e_m + V e_n) has N numbers a row inside, which a step of one kernel an operation
writes and reads four times. Here they stay in registers:

- ``_residual``: for a tile of rows, phi(U[m] + V[n]) is built chunk by chunk of neurons and
  multiplied by W. The slopes E of the losses in the outputs are written.
- ``_gradient``: for a chunk of neurons, all rows are gone over in order. G = E W^T, the slope of a
  pre-activation is G phi', and the gradients of W, U and V are added up in registers. Those of U
  and V are products with one-hot tokens. Nothing is atomic, so sums have one order.

The kernels are lowered by Triton, for GPUs. On a CPU they are interpreted, which is slow and what
tests do. Nothing but :func:`loss_and_right` is used from outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton as plgpu

from phasegrok.kernels.threefry import threefry
from phasegrok.models.layers.dropout import LEVELS

Precision = Literal["float32", "tf32", "bfloat16"]
# Numbers in an accumulator of (neurons of a chunk, outputs): three of them, and what is added to
# them, fit the registers of eight warps.
ACCUMULATOR: Final = 8192
LEAST, MOST = 16, 64  # rows and neurons of a tile: the smallest product is 16 x 16 x 16
MOST_OUTPUTS: Final = ACCUMULATOR // LEAST
HALVES: Final = 4  # neurons that one evaluation of threefry decides about


class Rows(NamedTuple):
    """The rows of a step."""

    first: jax.Array  # (rows,) int32 tokens
    second: jax.Array  # (rows,) int32 tokens
    label: jax.Array  # (rows,) int32, as shown
    weight: jax.Array  # (rows,) float32, 0 for padding
    number: jax.Array  # (rows,) int32, which dropout's masks depend on


class Mask(NamedTuple):
    """Dropout of a step: the arguments of :func:`phasegrok.models.layers.dropout.dropout`."""

    key: jax.Array  # (2,) uint32
    rate: jax.Array  # scalar


class Weights(NamedTuple):
    """The default network's weights."""

    u: jax.Array  # (tokens, neurons)
    v: jax.Array  # (tokens, neurons)
    w: jax.Array  # (neurons, outputs)


@dataclass(frozen=True)
class Kind:
    """What is compiled into the kernels."""

    activation: Literal["quadratic", "relu"]
    loss: Literal["mse", "cross_entropy"]
    precision: Precision
    dropout: bool
    interpreted: bool = False


@dataclass(frozen=True)
class Tiling:
    """Sizes of the padded problem, all powers of two but the number of tiles.

    Neurons lie in ``parts`` interleaved parts: with dropout, neuron 4 b + j is place b of part j.
    So one evaluation of threefry serves four products without moving numbers between lanes. Its
    verdicts are kept for the gradient as bits, one byte for four neurons.
    """

    outputs: int
    tokens: int
    rows: int  # of a tile; half of them where gradients are added up
    neurons: int  # of a part in a chunk
    parts: int

    @property
    def fewer_rows(self) -> int:
        """Rows of a tile where gradients are added up: with more, eight warps spill registers."""
        return max(LEAST, self.rows // 2)

    @classmethod
    def of(cls, weights: Weights, dropout: bool) -> Tiling:
        outputs = max(LEAST, pl.next_power_of_2(weights.w.shape[1]))
        tokens = max(LEAST, pl.next_power_of_2(weights.u.shape[0]))
        side = min(MOST, max(LEAST, ACCUMULATOR // max(outputs, tokens)))
        parts = HALVES if dropout else 1
        each = pl.next_power_of_2(-(-weights.w.shape[0] // parts))
        return cls(outputs, tokens, side, max(LEAST, min(side, each)), parts)


def loss_and_right(
    kind: Kind, weights: Weights, rows: Rows, mask: Mask | None
) -> tuple[jax.Array, jax.Array]:
    """Sums over rows, each times its weight: of the loss, and of the answers that are right.

    Only the loss has a gradient, and only with respect to ``weights``.

    Args:
        kind: what is compiled.
        weights: of the network.
        rows: of the step.
        mask: dropout before the activation; None: there is none.
    """
    if mask is None:
        mask = Mask(jnp.zeros(2, jnp.uint32), jnp.zeros(()))
    return _sums(kind, weights, rows, mask)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _sums(kind: Kind, weights: Weights, rows: Rows, mask: Mask) -> tuple[jax.Array, jax.Array]:
    return _forward(kind, weights, rows, mask)[0]


class Padded(NamedTuple):
    """A step as the kernels are given it."""

    first: jax.Array  # (rows,)
    second: jax.Array  # (rows,)
    label: jax.Array  # (rows,)
    weight: jax.Array  # (rows,)
    number: jax.Array  # (rows,) uint32
    words: jax.Array  # (4,) uint32: dropout's key, its threshold, nothing
    u: jax.Array  # (parts, tokens, neurons)
    v: jax.Array  # (parts, tokens, neurons)
    w: jax.Array  # (parts, neurons, outputs)


def _padded(tiling: Tiling, weights: Weights, rows: Rows, mask: Mask) -> Padded:
    missing = -rows.first.shape[0] % tiling.rows
    first, second, label, weight, number = (jnp.pad(x, (0, missing)) for x in rows)
    chunk = tiling.parts * tiling.neurons
    tokens, neurons = weights.u.shape
    side = ((0, tiling.tokens - tokens), (0, -neurons % chunk))
    u, v = jnp.pad(weights.u, side), jnp.pad(weights.v, side)
    w = jnp.pad(weights.w, (side[1], (0, tiling.outputs - weights.w.shape[1])))
    u, v = (x.reshape(tiling.tokens, -1, tiling.parts).transpose(2, 0, 1) for x in (u, v))
    w = w.reshape(-1, tiling.parts, tiling.outputs).transpose(1, 0, 2)
    threshold = jnp.clip(jnp.round(mask.rate * LEVELS), 0, LEVELS - 1).astype(jnp.uint32)
    words = jnp.stack([mask.key[0], mask.key[1], threshold, jnp.uint32(0)])
    return Padded(first, second, label, weight, number.astype(jnp.uint32), words, u, v, w)


def _forward(
    kind: Kind, weights: Weights, rows: Rows, mask: Mask
) -> tuple[tuple[jax.Array, jax.Array], Any]:
    tiling = Tiling.of(weights, kind.dropout)
    given = _padded(tiling, weights, rows, mask)
    outputs = weights.w.shape[1]
    tiles = given.first.shape[0] // tiling.rows
    row = pl.BlockSpec((tiling.rows,), lambda i: (i,))
    shapes = [
        _floats((tiles * tiling.rows, tiling.outputs)),
        *[_floats((tiles * tiling.rows,))] * 2,
        *_kept_shapes(kind, given),
    ]
    kept = [pl.BlockSpec((tiling.rows, given.u.shape[2]), lambda i: (i, 0))]
    call = _call(
        lambda kind: partial(_residual, kind, tiling, outputs),
        kind,
        grid=(tiles,),
        in_specs=[*[row] * 5, *[_whole(x) for x in given[5:]]],
        out_specs=[
            pl.BlockSpec((tiling.rows, tiling.outputs), lambda i: (i, 0)),
            row,
            row,
            *(kept if kind.dropout else []),
        ],
        out_shape=shapes,
    )
    error, losses, right, *kept = call(*given)
    return (jnp.sum(losses), jnp.sum(right)), (given, [error, *kept], weights)


def _backward(kind: Kind, kept: Any, slopes: tuple[jax.Array, jax.Array]) -> tuple[Any, None, None]:
    given, found, weights = kept
    tiling = Tiling.of(weights, kind.dropout)
    chunks = given.u.shape[2] // tiling.neurons
    by_token = pl.BlockSpec(
        (1, tiling.tokens, tiling.neurons), lambda chunk, part: (part, 0, chunk)
    )
    by_output = pl.BlockSpec(
        (1, tiling.neurons, tiling.outputs), lambda chunk, part: (part, chunk, 0)
    )
    call = _call(
        lambda kind: partial(_gradient, kind, tiling),
        kind,
        grid=(chunks, tiling.parts),
        in_specs=[
            *[_whole(x) for x in given[:6]],
            by_token,
            by_token,
            by_output,
            *[_whole(x) for x in found],
        ],
        out_specs=[by_token, by_token, by_output],
        out_shape=[_floats(x.shape) for x in given[6:]],
    )
    u, v, w = (slopes[0] * x for x in call(*given, *found))
    tokens, neurons = weights.u.shape
    u, v = (x.transpose(1, 2, 0).reshape(tiling.tokens, -1)[:tokens, :neurons] for x in (u, v))
    w = w.transpose(1, 0, 2).reshape(-1, tiling.outputs)[:neurons, : weights.w.shape[1]]
    return Weights(u, v, w), None, None


_sums.defvjp(_forward, _backward)


def _floats(shape: tuple[int, ...]) -> Any:
    return jax.ShapeDtypeStruct(shape, jnp.float32)  # type: ignore[no-untyped-call]


def _whole(x: jax.Array) -> pl.BlockSpec:
    """All of an array, for every program of the grid."""
    return pl.BlockSpec(x.shape, lambda *_: (0,) * x.ndim)


def _call(
    kernel: Callable[[Kind], Callable[..., None]], kind: Kind, **specs: Any
) -> Callable[..., Any]:
    """A kernel as a function: Triton's where it is lowered for a GPU, interpreted for a CPU."""
    # Loads of four parts ahead of their products would take more shared memory than there is.
    stages = 1 if kind.dropout else 2
    warps = plgpu.CompilerParams(num_warps=8, num_stages=stages)
    compiled = pl.pallas_call(kernel(kind), compiler_params=warps, **specs)
    interpreted = pl.pallas_call(kernel(replace(kind, interpreted=True)), interpret=True, **specs)
    return lambda *given: jax.lax.platform_dependent(*given, cpu=interpreted, default=compiled)


def _product(kind: Kind, a: jax.Array, b: jax.Array, **transposed: bool) -> jax.Array:
    """A product of two tiles in float32 sums.

    A float32 product is three TF32 ones of the inputs' parts, which keep 21 bits. By float32
    arithmetic without the matrix units it would take more registers than there are.
    """
    if kind.precision == "bfloat16":
        return plgpu.dot(a.astype(jnp.bfloat16), b.astype(jnp.bfloat16), **transposed)
    if kind.interpreted:
        return plgpu.dot(a, b, precision=jax.lax.Precision.HIGHEST, **transposed)
    three = jax.lax.DotAlgorithmPreset.TF32_TF32_F32_X3
    one = jax.lax.DotAlgorithmPreset.TF32_TF32_F32
    precision = three if kind.precision == "float32" else one
    return plgpu.dot(a, b, precision=precision, **transposed)


def _activated(kind: Kind, x: jax.Array, scale: jax.Array | None) -> tuple[jax.Array, jax.Array]:
    """A layer's activations, and their slopes in what was added up; ``scale`` is dropout's."""
    x = x if scale is None else x * scale
    if kind.activation == "quadratic":
        hidden, slope = x * x, 2 * x
    else:
        hidden, slope = jnp.maximum(x, 0), (x > 0).astype(x.dtype)
    return hidden, slope if scale is None else slope * scale


def _kept_shapes(kind: Kind, given: Padded) -> list[Any]:
    """The shape of what dropout keeps, a byte for a row and place."""
    shape = (given.first.shape[0], given.u.shape[2])
    return [jax.ShapeDtypeStruct(shape, jnp.int8)] if kind.dropout else []  # type: ignore[no-untyped-call]


def _grown(words: Any) -> tuple[jax.Array, jax.Array]:
    """Dropout's threshold, and what the numbers that it keeps are multiplied by."""
    threshold = words[2].astype(jnp.int32)
    return threshold, LEVELS / (LEVELS - threshold.astype(jnp.float32))


def _drawn(words: Any, number: jax.Array, places: jax.Array) -> list[jax.Array]:
    """(rows, places) bool a part: which pre-activations dropout keeps."""
    row = jnp.broadcast_to(number[:, None], places.shape)
    drawn = threefry((words[0], words[1]), row, places.astype(jnp.uint32))
    threshold, _ = _grown(words)
    low = jnp.uint32(0xFFFF)
    bits = [(word >> jnp.uint32(16 * half)) & low for word in drawn for half in (0, 1)]
    return [each.astype(jnp.int32) >= threshold for each in bits]


def _residual(
    kind: Kind,
    tiling: Tiling,
    outputs: int,
    *refs: Any,
) -> None:
    """A tile of rows: the slopes of their losses in the outputs, their losses, right answers, and
    what dropout keeps of them."""
    given, (error_ref, loss_ref, right_ref, *kept_ref) = Padded(*refs[:9]), refs[9:]
    first, second, number = given.first[...], given.second[...], given.number[...]

    def add(chunk: jax.Array, out: jax.Array) -> jax.Array:
        at = pl.ds(chunk * tiling.neurons, tiling.neurons)
        scales: list[jax.Array | None] = [None]
        if kind.dropout:
            shape = (tiling.rows, tiling.neurons)
            place = chunk * tiling.neurons + jax.lax.broadcasted_iota(jnp.int32, shape, 1)
            keeps = _drawn(given.words, number, place)
            _, grown = _grown(given.words)
            scales = [jnp.where(keep, grown, 0.0) for keep in keeps]
            bits = [jnp.where(keep, 1 << part, 0) for part, keep in enumerate(keeps)]
            kept_ref[0][:, at] = (bits[0] + bits[1] + bits[2] + bits[3]).astype(jnp.int8)
        for part, scale in enumerate(scales):
            x = given.u[part, first, at] + given.v[part, second, at]
            hidden, _ = _activated(kind, x, scale)
            out = out + _product(kind, hidden, given.w[part, at, :])
        return out

    shape = (tiling.rows, tiling.outputs)
    chunks = given.w.shape[1] // tiling.neurons
    out = jax.lax.fori_loop(0, chunks, add, jnp.zeros(shape, jnp.float32))
    error, losses, right = _graded(kind, outputs, out, given.label[...])
    weight = given.weight[...]
    counts = weight > 0  # where, not a product: a diverged row of weight 0 has no share
    error_ref[...] = jnp.where(counts[:, None], error * weight[:, None], 0.0)
    loss_ref[...] = jnp.where(counts, losses * weight, 0.0)
    right_ref[...] = jnp.where(counts & right, weight, 0.0)


def _graded(
    kind: Kind, outputs: int, out: jax.Array, label: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The slope of each row's loss in its outputs, the loss, and whether the answer is right."""
    place = jax.lax.broadcasted_iota(jnp.int32, out.shape, 1)
    real = place < outputs
    target = place == label[:, None]
    known = jnp.where(real, out, -jnp.inf)
    largest = jnp.max(known, axis=1)
    answer = jnp.min(jnp.where(known == largest[:, None], place, outputs), axis=1)
    finite = jnp.sum(jnp.where(real & (jnp.abs(out) < jnp.inf), 1, 0), axis=1) == outputs
    right = (answer == label) & finite
    if kind.loss == "mse":
        distance = jnp.where(real, out - target.astype(out.dtype), 0.0)
        return distance * (2 / outputs), jnp.sum(distance * distance, axis=1) / outputs, right
    powers = jnp.exp(known - largest[:, None])
    total = jnp.sum(powers, axis=1)
    at_label = jnp.sum(jnp.where(target, out, 0.0), axis=1)
    error = powers / total[:, None] - target.astype(out.dtype)
    return error, jnp.log(total) + largest - at_label, right


def _gradient(
    kind: Kind,
    tiling: Tiling,
    *refs: Any,
) -> None:
    """A chunk of neurons: the gradients of their weights, summed over all rows in order."""
    given, error_ref, kept_ref, results = Padded(*refs[:9]), refs[9], refs[10], refs[-3:]
    chunk, part = pl.program_id(0), pl.program_id(1)
    weights = given.w[0, :, :]

    def add(tile: jax.Array, sums: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        at = pl.ds(tile * tiling.fewer_rows, tiling.fewer_rows)
        first, second, error = given.first[at], given.second[at], error_ref[at, :]
        token = jax.lax.broadcasted_iota(jnp.int32, (tiling.tokens, tiling.fewer_rows), 0)
        scale = None
        if kind.dropout:
            bits = kept_ref[at, pl.ds(chunk * tiling.neurons, tiling.neurons)].astype(jnp.int32)
            scale = jnp.where((bits >> part) & 1 == 1, _grown(given.words)[1], 0.0)
        x = given.u[0, first, :] + given.v[0, second, :]
        hidden, slope = _activated(kind, x, scale)
        back = _product(kind, error, weights, trans_b=True) * slope
        hots = ((token == each[None, :]).astype(jnp.float32) for each in (first, second))
        found = [_product(kind, hot, back) for hot in hots]
        found.append(_product(kind, hidden, error, trans_a=True))
        return tuple(total + more for total, more in zip(sums, found, strict=True))

    by_token = jnp.zeros((tiling.tokens, tiling.neurons), jnp.float32)
    by_output = jnp.zeros((tiling.neurons, tiling.outputs), jnp.float32)
    tiles = error_ref.shape[0] // tiling.fewer_rows
    sums = jax.lax.fori_loop(0, tiles, add, (by_token, by_token, by_output))
    for ref, total in zip(results, sums, strict=True):
        ref[0, :, :] = total
