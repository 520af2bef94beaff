"""Compiled for an H100 that is not there: prints what of it a test asks, as JSON.

Run by an interpreter whose JAX has CUDA's plugin (see ``test_compiled.py``), never imported.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("JAX_SKIP_CUDA_CONSTRAINTS_CHECK", "1")
os.environ["JAX_PLATFORMS"] = "cpu,cuda"
# Both would ask a device.
os.environ["XLA_FLAGS"] = "--xla_gpu_autotune_level=0 --xla_gpu_enable_triton_gemm=false"

import jax
from jax.experimental import topologies
from jax.sharding import NamedSharding, PartitionSpec

from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import plan
from phasegrok.plan.program import Program
from phasegrok.sweep.load import load
from phasegrok.train import step
from phasegrok.train.platform import compiler_options, matmul_precision, suited
from phasegrok.train.state import run_params_shapes

# Not the tests' own: their settings turn the compiler's optimizations off.
MACHINE = Machine("gpu", 1, 1 << 34, 1 << 30, 2e13, 20.0)
TINY = """\
name: tiny
task: {kind: modular, modulus: 7}
model: {width: 12}
train: {steps: 40, log_every: 10}
"""


def compiled(program: Program, sharding: NamedSharding) -> str:
    """The text of a chunk's segment as XLA compiles it."""
    run = run_params_shapes(program)
    state, table, _ = jax.eval_shape(lambda r: step.begin(program, r), run)
    shapes = jax.tree.map(
        lambda x: jax.ShapeDtypeStruct((2, *x.shape), x.dtype, sharding=sharding), (state, table)
    )

    def segment(*given: Any) -> Any:
        return jax.vmap(lambda s, t: step.segment(program, 1, s, t))(*given)

    # The kernel asks which device it is lowered for.
    here = jax.sharding.use_abstract_mesh(sharding.mesh.abstract_mesh)
    with here, jax.default_matmul_precision(matmul_precision(program, "gpu")):
        lowered = jax.jit(segment, compiler_options=compiler_options("gpu")).lower(*shapes)
    return lowered.compile().as_text()


def main() -> None:
    spec = Path(__file__).with_name("h100.txtpb").read_text()
    topology = topologies.get_topology_desc(platform="cuda", target_config=spec, topology="1x1x1")
    mesh = topologies.make_mesh(topology, (1,), ("cells",))
    sharding = NamedSharding(mesh, PartitionSpec("cells"))
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for case in json.loads(sys.argv[1]):
            file = Path(folder) / "tiny.yaml"
            file.write_text(TINY)
            program = plan(load(file, case), MACHINE).jobs[0].program
            text = compiled(suited(replace(program, tile=program.rows), "gpu"), sharding)
            found[" ".join(case)] = {
                "scatters": text.count(" scatter("),
                "kernels": text.count("__gpu$xla.gpu.triton"),
                "while": text.count(" while("),
            }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
