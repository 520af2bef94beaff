"""Programs as other platforms are given them: every family is lowered for a TPU and for CUDA."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
from jax import export

from phasegrok.plan.layout import size_chunks
from phasegrok.plan.plan import plan
from phasegrok.plan.program import Program
from phasegrok.train import step
from phasegrok.train.engine import Engine
from phasegrok.train.memory import least_bytes
from phasegrok.train.platform import compiler_options, matmul_precision, suited
from phasegrok.train.state import run_params_shapes
from tests.conftest import MakeSweep
from tests.train.families import FAMILIES
from tests.train.one import MACHINE, one


def lowered(program: Program, platform: str) -> str:
    """The StableHLO of a chunk's beginning and segment, lowered for a platform that is not here."""
    run = run_params_shapes(program)
    runs = jax.tree.map(lambda x: jax.ShapeDtypeStruct((2, *x.shape), x.dtype), run)

    def both(runs: Any) -> Any:
        state, table, first = jax.vmap(lambda r: step.begin(program, r))(runs)
        return first, jax.vmap(lambda s, t: step.segment(program, 1, s, t))(state, table)

    name = {"gpu": "cuda"}.get(platform, platform)
    with jax.default_matmul_precision(matmul_precision(program, platform)):
        return str(export.export(jax.jit(both), platforms=[name])(runs).mlir_module())


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_lowered_for_a_tpu_and_for_cuda(make_sweep: MakeSweep, family: str) -> None:
    """The same programs, without a device; none of them scatters on either."""
    program, _ = one(make_sweep, *FAMILIES[family])
    program = replace(program, tile=program.rows)
    for platform in ("tpu", "gpu"):
        text = lowered(suited(program, platform), platform)
        assert "stablehlo.while" in text and "scatter" not in text, platform


def test_the_kernel_is_lowered_for_cuda_alone(make_sweep: MakeSweep) -> None:
    """Two calls of Triton's kernels a step on a GPU; on other platforms the plain step."""
    program = replace(one(make_sweep)[0], kernel="fused")
    assert lowered(suited(program, "gpu"), "gpu").count("__gpu$xla.gpu.triton") == 2
    assert suited(program, "tpu").kernel == suited(program, "cpu").kernel == "plain"


def test_what_bfloat16_is_on_a_gpu(make_sweep: MakeSweep) -> None:
    """JAX's own name for it would be TF32 there."""
    program = suited(replace(one(make_sweep)[0], precision="bfloat16"), "gpu")
    assert "bf16" in lowered(program, "gpu")


def test_a_cpu_emulates_and_its_float32_stays_as_it_was(make_sweep: MakeSweep) -> None:
    """The default program of a CPU is untouched, and is given no options. TF32 on a CPU trains to
    other numbers that are close for a few steps; bfloat16 to others again, further away."""
    ends = {}
    for precision in ("float32", "tf32", "bfloat16"):
        sweep = make_sweep("", f"engine.precision={precision}", "train.steps=10")
        grid = plan(sweep, MACHINE)
        job = size_chunks(sweep, grid.jobs[0], MACHINE, least_bytes)
        assert suited(job.program, "cpu").accelerated == (precision != "float32")
        engine = Engine(job.program, job.layout)
        state, table, _ = engine.begin(grid.run_params(job.runs))
        state, _ = engine.segment(state, table)
        ends[precision] = np.concatenate([x.ravel() for x in jax.tree.leaves(state.params)])
    assert compiler_options("cpu") == {}
    tf32, bfloat16 = (np.abs(ends[p] - ends["float32"]).max() for p in ("tf32", "bfloat16"))
    assert 0 < tf32 < bfloat16 < 0.1
