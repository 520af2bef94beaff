"""Programs as other platforms are given them: every family is lowered for a TPU and for CUDA."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest
from jax import export

from phasegrok.plan.program import Program
from phasegrok.train import step
from phasegrok.train.platform import compiler_options, emulated, matmul_precision, suited
from phasegrok.train.state import init, make_table, run_params_shapes
from tests.conftest import MakeSweep
from tests.train.families import FAMILIES
from tests.train.one import one

TRITON = "__gpu$xla.gpu.triton"
LAYOUT = "LayoutConstraint"  # how vectors that are looked up lie in memory


def lowered(program: Program, *platforms: str) -> str:
    """The StableHLO of a chunk's segment, lowered for platforms that are not here."""
    run = run_params_shapes(program)
    state, table, _ = jax.eval_shape(lambda r: step.begin(program, r), run)
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct((2, *x.shape), x.dtype), (state, table))

    def segment(*given: Any) -> Any:
        return jax.vmap(lambda s, t: step.segment(program, 1, s, t))(*given)

    precision = jax.default_matmul_precision(matmul_precision(program, platforms[0]))
    with precision, a_gpu() if program.kernel == "fused" else nullcontext():
        exported = export.export(
            jax.jit(segment),
            platforms=[{"gpu": "cuda"}.get(name, name) for name in platforms],
            disabled_checks=[export.DisabledSafetyCheck.custom_call(x) for x in (TRITON, LAYOUT)],
        )
        return str(exported(*shapes).mlir_module())


def a_gpu() -> Any:
    """Newer versions of JAX ask which GPU a kernel is lowered for."""
    if jax.__version_info__ < (0, 11):
        return nullcontext()
    device = jax.sharding.AbstractDevice("NVIDIA H100 80GB HBM3", 132, "gpu")  # type: ignore[call-arg]
    mesh = jax.sharding.AbstractMesh((1,), ("runs",), abstract_device=device)
    return jax.sharding.use_abstract_mesh(mesh)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_lowered_for_a_tpu_and_for_cuda(make_sweep: MakeSweep, family: str) -> None:
    """The same programs, without a device; none of them scatters on either."""
    program, _ = one(make_sweep, *FAMILIES[family])
    program = replace(program, tile=program.rows)
    assert suited(program, "tpu") == suited(program, "gpu")
    text = lowered(suited(program, "gpu"), "gpu", "tpu")
    assert "stablehlo.while" in text and "scatter" not in text


@pytest.mark.filterwarnings("ignore:The Pallas Triton backend:DeprecationWarning")
def test_the_kernel_is_lowered_for_cuda_alone(make_sweep: MakeSweep) -> None:
    """Two calls of Triton's kernels a step on a GPU; on other platforms the plain step."""
    program = replace(one(make_sweep)[0], kernel="fused")
    assert lowered(suited(program, "gpu"), "gpu").count(TRITON) == 2
    assert suited(program, "tpu").kernel == suited(program, "cpu").kernel == "plain"


def test_what_bfloat16_is_on_a_gpu(make_sweep: MakeSweep) -> None:
    """JAX's own name for it would be TF32 there."""
    program = suited(replace(one(make_sweep)[0], precision="bfloat16"), "gpu")
    assert "bf16" in lowered(program, "gpu")


def test_a_cpu_emulates_and_its_float32_stays_as_it_was(make_sweep: MakeSweep) -> None:
    """The default program of a CPU is untouched, and is given no options. TF32 on a CPU trains to
    other numbers that are close for a few steps; bfloat16 to others again, further away."""
    program, run = one(make_sweep)
    state, table = init(program, run), make_table(program, run)
    assert suited(program, "cpu") == program and compiler_options("cpu") == {}
    ends = []
    for precision in ("float32", "tf32", "bfloat16"):
        found = suited(replace(program, precision=precision), "cpu")
        assert found.accelerated == (precision != "float32")
        train = emulated(found, "cpu", partial(step.trained, found, 10))
        with jax.default_matmul_precision(matmul_precision(found, "cpu")):
            params = jax.jit(train)(state, table).params
        ends.append(np.concatenate([x.ravel() for x in jax.tree.leaves(params)]))
    tf32, bfloat16 = (np.abs(end - ends[0]).max() for end in ends[1:])
    assert 0 < tf32 < bfloat16 < 0.1
