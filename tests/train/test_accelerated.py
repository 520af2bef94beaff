"""The form of a step that accelerators are given: no scatter, and the same gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok.plan.program import Program, RunParams
from phasegrok.train import step
from phasegrok.train.batches import full_batch
from phasegrok.train.state import init, make_table, run_params_shapes
from tests.conftest import MakeSweep
from tests.train.families import FAMILIES
from tests.train.one import one


def primitives(jaxpr: Any) -> Iterator[str]:
    """The names of all primitives in a traced function, those of its loops and calls included."""
    for equation in jaxpr.eqns:
        yield equation.primitive.name
        for value in equation.params.values():
            for each in value if isinstance(value, tuple | list) else (value,):
                inner = getattr(each, "jaxpr", each)
                if hasattr(inner, "eqns"):
                    yield from primitives(inner)


def traced(program: Program) -> set[str]:
    """The primitives of a segment, of one run and of a chunk of runs."""
    run = run_params_shapes(program)
    state, table, _ = jax.eval_shape(lambda r: step.begin(program, r), run)

    def segment(*given: Any) -> Any:
        return step.segment(program, 1, *given)

    chunk = jax.tree.map(lambda x: jax.ShapeDtypeStruct((2, *x.shape), x.dtype), (state, table))
    alone = primitives(jax.make_jaxpr(segment)(state, table))
    return {*alone, *primitives(jax.make_jaxpr(jax.vmap(segment))(*chunk))}


@pytest.mark.parametrize("family", FAMILIES)
def test_no_step_scatters(make_sweep: MakeSweep, family: str) -> None:
    """No primitive of a step or of its measurement is a scatter, which is atomic additions on an
    accelerator. The form that a CPU is given has them wherever tokens are looked up."""
    program, _ = one(make_sweep, *FAMILIES[family])
    found = traced(replace(program, tile=program.rows, accelerated=True))
    assert not [name for name in found if name.startswith("scatter")]
    if program.experiment.task.has_tokens:
        assert "scatter-add" in traced(program)


def gradients(program: Program, run: RunParams) -> Any:
    """The gradient of the first step, on the full batch or the first minibatch."""
    state, table = init(program, run), make_table(program, run)
    batch = full_batch(program, table, run)
    if program.orders:
        rows = jnp.arange(8)
        batch = batch._replace(
            rows=rows,
            inputs=batch.inputs[rows],
            labels=batch.labels[rows],
            weights=batch.weights[rows],
        )
    return jax.jit(step.gradients, static_argnums=0)(program, state, batch)


@pytest.mark.parametrize("family", FAMILIES)
def test_both_forms_give_the_same_gradients(make_sweep: MakeSweep, family: str) -> None:
    """With corrupted labels and padding rows: the same rows, masks and sums, to rounding."""
    sets = ["data.corruption_fraction=0.4", *FAMILIES[family]]
    program, run = one(make_sweep, *sets)
    padded = replace(program, rows=program.rows + 3, tile=program.rows + 3)
    plain, accelerated = (gradients(replace(padded, accelerated=it), run) for it in (False, True))
    for a, b in zip(*map(jax.tree.leaves, (plain, accelerated)), strict=True):
        size = float(jnp.max(jnp.abs(a)))
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=2e-6 * size + 1e-12)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_the_fused_kernel_trains_alike(make_sweep: MakeSweep, loss: str, dropout: float) -> None:
    """Through the step's seam: ten steps by the kernel, interpreted, are ten plain steps."""
    sets = (f"loss={loss}", f"model.dropout={dropout}", "data.corruption_fraction=0.4")
    program, run = one(make_sweep, *sets, "optimizer.kind=sgd")
    plain, fused = (
        step.trained(replace(program, kernel=kernel), 10, init(program, run), table)
        for table in (make_table(program, run),)
        for kernel in ("plain", "fused")
    )
    for a, b in zip(*map(jax.tree.leaves, (plain, fused)), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)
