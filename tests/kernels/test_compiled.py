"""What an H100's compiler makes of a step, where there is one without the device.

``PHASEGROK_CUDA_PYTHON`` names an interpreter whose packages are this one's, and CUDA's plugin of
JAX (``pip install "jax[cuda12]"``, 5 GB). It needs no GPU.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

PYTHON = os.environ.get("PHASEGROK_CUDA_PYTHON")
ROOT = Path(__file__).parents[2]
CASES = [
    [],
    ["loss=cross_entropy", "model.dropout=0.3", "engine.precision=tf32"],
    ["train.batch_size=8", "loss=cross_entropy"],
    ["engine.kernel=fused", "model.dropout=0.3"],
    ["engine.kernel=fused", "engine.precision=bfloat16", "model.activation=relu"],
]


@pytest.mark.skipif(not PYTHON, reason="PHASEGROK_CUDA_PYTHON names no interpreter with CUDA")
def test_no_step_scatters_and_the_kernel_compiles() -> None:
    """In the compiler's own text, after all its rewriting: loops are there, scatters are not, and
    the fused step calls two kernels."""
    assert PYTHON
    command = [PYTHON, str(Path(__file__).with_name("compile_for_h100.py")), json.dumps(CASES)]
    env = {k: v for k, v in os.environ.items() if k not in ("XLA_FLAGS", "JAX_PLATFORMS")}
    told = subprocess.run(
        command, env=env | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr[-2000:]
    for case, found in json.loads(told.stdout.splitlines()[-1]).items():
        assert found["while"] and not found["scatters"], case
        assert found["kernels"] == (2 if "fused" in case else 0), (case, found)
