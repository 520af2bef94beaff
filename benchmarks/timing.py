"""What the reports are made with: the machine and its ceiling, our engine's steps, PyTorch's."""

from __future__ import annotations

import math
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import jax
import jax.numpy as jnp
import numpy as np

from phasegrok import models
from phasegrok.machine import cores
from phasegrok.plan.program import RunParams
from phasegrok.running import prepare
from phasegrok.sweep.load import load
from phasegrok.train.engine import Engine, compiled

HERE = Path(__file__).resolve().parent
SWEEPS = HERE.parent / "sweeps"
CORES = cores()
GPU_SEEDS = 32  # four cells do not fill an accelerator
MISSING = "PyTorch not installed"


def torch(call: str) -> list[float]:
    """The number that a function of the baseline gives, or its seconds if it gives several; no
    entry without PyTorch. In a process of its own: two pools of threads disturb each other. With
    its own threads or one, whichever is faster: its own may be far slower where a core is busy."""
    if find_spec("torch") is None:
        return []
    code = (
        "import time, baseline_torch as baseline; start = time.perf_counter();"
        f"found = baseline.{call}; seconds = time.perf_counter() - start;"
        "print(seconds if isinstance(found, dict) else found)"
    )
    command = [sys.executable, "-c", code]
    environments = (dict(os.environ), os.environ | {"OMP_NUM_THREADS": "1"})
    return [min(float(subprocess.check_output(command, cwd=HERE, env=e)) for e in environments)]


def baseline() -> str:
    """What ours is compared with, in words."""
    return f"PyTorch {version('torch')}, eager, CPU" if find_spec("torch") else MISSING


def on_cpu() -> bool:
    return jax.default_backend() == "cpu"


def machine_line(load_average: float) -> str:
    """What the numbers are taken on, and how busy it was before."""
    info, devices = Path("/proc/cpuinfo"), jax.local_devices()
    found = re.search(r"model name\s*:\s*(.+)", info.read_text() if info.exists() else "")
    name = found[1] if found else platform.processor() or platform.machine()
    if not on_cpu():
        name = f"{len(devices)} x {devices[0].device_kind}, host {name}"
    busy = " (BUSY: not to be quoted)" if load_average > CORES / 2 else ""
    library = f"jax {jax.__version__} ({jax.default_backend()})"
    return f"{name}; {CORES} cores; {library}; load average {load_average:.2f} at the start{busy}"


def product_rate(repeats: int) -> float:
    """GFLOP/s of the output layer's product on one device, at best, in the engine's precision."""
    lead = () if on_cpu() else (64,)  # a GPU takes longer to launch one than to compute it
    a, b = jnp.ones((*lead, 97, 500), jnp.float32), jnp.ones((*lead, 500, 9409), jnp.float32)
    with jax.default_matmul_precision("highest"):
        product = jax.jit(jnp.matmul).lower(a, b).compile()
    best = math.inf
    for _ in range(repeats):
        start = time.perf_counter()
        product(a, b).block_until_ready()
        best = min(best, time.perf_counter() - start)
    return 2 * 97 * 500 * 9409 * math.prod(lead) / best / 1e9


def lay_out(
    alpha: float, seeds: int, *changes: str, name: str = "wd"
) -> tuple[Engine, RunParams, float, float]:
    """A chunk of a sweep with these changes, as a run into a new folder would lay it out.
    Gives engine, cells, minimal operations of a cell's step (those of the matrix products, 6 N p
    a row of the default model), compile seconds."""
    fixed = [f"data.data_fraction={alpha}", "data.corruption_fraction=0.35"]
    sweep = load(SWEEPS / f"{name}.yaml", [*fixed, f"seeds={list(range(seeds))}", *changes])
    with tempfile.TemporaryDirectory() as parent:
        prepared = prepare(sweep, Path(parent) / "none", False)
    (job,) = prepared.plan.jobs  # one data fraction, with or without dropout: one program
    experiment = job.program.experiment
    flops = models.of(experiment).flops_per_row()
    batch = experiment.train.batch_size
    rows = int(prepared.plan.runs["n_train"].iloc[0]) if batch == "full" else batch
    start = time.perf_counter()
    engine = compiled(job.program, job.layout)
    seconds = time.perf_counter() - start
    cells = prepared.plan.run_params(np.resize(job.runs, job.layout.chunk))
    return engine, cells, float(flops * rows), seconds


def timed(engine: Engine, cells: RunParams, repeats: int) -> Iterator[float]:
    """Milliseconds per step and cell of each of some calls of the engine's segment."""
    cell_steps = engine.layout.chunk * engine.layout.intervals * engine.program.log_every
    state, table, _ = engine.begin(cells)
    state, _ = jax.block_until_ready(engine.segment(state, table))  # pays for memory
    for _ in range(repeats):
        start = time.perf_counter()
        state, _ = jax.block_until_ready(engine.segment(state, table))
        yield 1000 * (time.perf_counter() - start) / cell_steps


def both(values: list[float]) -> str:
    return f"{median(values):.3g} ({min(values):.3g})" if values else MISSING


def ratio(theirs: list[float], ours: list[float]) -> str:
    return f"{median(theirs) / median(ours):.1f}" if theirs else "-"
