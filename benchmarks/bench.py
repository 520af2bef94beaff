"""Speed of phasegrok against the machine's own ceiling and against eager PyTorch.

``make bench``, or ``python benchmarks/bench.py [--quick] [--output FILE]``: prints a report in
Markdown and writes it to benchmarks/RESULT.md. A quick report has too few repeats to be kept: it
is written only where ``--output`` says so. Run it on an otherwise idle machine; the report gives
the load average so that a reader can tell.
"""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from phasegrok import models, progress, runner
from phasegrok.results import Folder
from phasegrok.sweepfile import load
from phasegrok.train.engine import PRECISION, Engine, Mapping, compiled

HERE = Path(__file__).resolve().parent
SWEEPS = HERE.parent / "sweeps"
CASES = ((0.1, 0.0), (0.5, 0.0), (0.9, 0.0), (0.5, 0.3))  # alpha, dropout
DECAYS = 4  # of the wd sweep
RUN_STEPS = 300
GPU_SEEDS = 32  # a handful of cells does not fill an accelerator

# PyTorch works in a process of its own: two pools of threads in one process disturb each other.
# It sleeps on its input while JAX is timed.
TORCH = """
import json, sys, time, baseline_torch, torch
print(json.dumps([torch.__version__, torch.get_num_threads()]), flush=True)
for line in sys.stdin:
    name, kwargs = json.loads(line)
    start = time.perf_counter()
    result = getattr(baseline_torch, name)(**kwargs)
    print(json.dumps([result, time.perf_counter() - start]), flush=True)
"""


class Repeats(NamedTuple):
    """How often things are timed."""

    product: int
    segment: int  # and alternating with each, PyTorch
    torch_steps: int
    torch_warmup: int
    run: int
    overhead: list[str]  # changes to the sweep whose overhead is taken


ONE_ALPHA = ["data.data_fraction=[0.5]"]
FULL = Repeats(50, 7, 30, 5, 3, ONE_ALPHA)
FEW = ["optimizer.weight_decay=[0, 5]", "train.steps=200"]
QUICK = Repeats(10, 2, 4, 1, 1, ONE_ALPHA + FEW)


class Torch:
    """The baseline in its process; ``None`` for every number where PyTorch is missing."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", TORCH], cwd=HERE, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stdin and self.process.stdout
        self.requests, self.answers = self.process.stdin, self.process.stdout
        hello = self.answers.readline()
        if not hello and self.process.wait() != 2:  # 2: baseline_torch found no PyTorch
            raise SystemExit("bench: the PyTorch baseline failed to start")
        self.there = bool(hello)
        version, threads = json.loads(hello) if hello else ("", 0)
        self.name = f"PyTorch {version}, CPU, {threads} threads, eager"

    def ask(self, function: str, **kwargs: Any) -> tuple[Any, float] | None:
        """Result and seconds of one of the baseline's functions."""
        if not self.there:
            return None
        self.requests.write(json.dumps([function, kwargs]) + "\n")
        self.requests.flush()
        answer = self.answers.readline()
        if not answer:
            raise SystemExit(f"bench: the PyTorch baseline failed in {function}")
        result, seconds = json.loads(answer)
        return result, seconds

    def close(self) -> None:
        self.requests.close()
        self.process.wait()


def on_cpu() -> bool:
    return jax.default_backend() == "cpu"


def machine_line() -> str:
    """What the numbers were taken on, and how busy it was."""
    cores = len(os.sched_getaffinity(0))
    info = Path("/proc/cpuinfo")
    names = [
        line.split(":", 1)[1].strip()
        for line in (info.read_text().splitlines() if info.exists() else [])
        if line.startswith("model name")
    ]
    cpu = names[0] if names else platform.processor() or platform.machine()
    devices = jax.local_devices()
    kind = cpu if on_cpu() else f"{len(devices)} x {devices[0].device_kind}; host {cpu}"
    return (
        f"{kind}; {cores} cores; jax {jax.__version__} ({jax.default_backend()});"
        f" load average {os.getloadavg()[0]:.2f} before the first timing"
    )


def product_rate(repeats: int) -> float:
    """GFLOP/s of the output layer's product on one device, at its best.

    The precision is the engine's. An accelerator gets 64 products a call, since the launch of
    one would take longer than the product.
    """
    lead = () if on_cpu() else (64,)
    a = jnp.ones((*lead, 97, 500), jnp.float32)
    b = jnp.ones((*lead, 500, 9409), jnp.float32)
    with jax.default_matmul_precision(PRECISION["float32"]):
        product = jax.jit(jnp.matmul).lower(a, b).compile()
    product(a, b).block_until_ready()
    best = math.inf
    for _ in range(repeats):
        start = time.perf_counter()
        product(a, b).block_until_ready()
        best = min(best, time.perf_counter() - start)
    return 2 * 97 * 500 * 9409 * math.prod(lead) / best / 1e9


class Laid(NamedTuple):
    """A chunk as the runner would lay it out, compiled."""

    engine: Engine
    begin: Callable[[], Any]
    flops: float  # minimal, of one step of one cell
    compile_seconds: float


def lay_out(*changes: str) -> Laid:
    """Plan the wd sweep with these changes, as a run into a new folder would; compile it."""
    sweep = load(SWEEPS / "wd.yaml", ["data.corruption_fraction=[0.35]", *changes])
    with tempfile.TemporaryDirectory() as parent:
        prepared = runner.prepare(sweep, Path(parent) / "none", False)
    (job,) = prepared.grid.jobs  # one data fraction, with or without dropout: one program
    cells = prepared.grid.cells(np.resize(job.runs, job.chunk))
    n_train = int(prepared.grid.runs["n_train"].iloc[0])
    experiment = job.program.experiment
    start = time.perf_counter()
    mapping = Mapping(job.kind, job.chunk, job.batch, job.devices, job.intervals)
    engine = compiled(job.program, mapping)
    seconds = time.perf_counter() - start
    flops = models.build(experiment.model, experiment.task).flops_per_row() * n_train
    return Laid(engine, lambda: engine.begin(cells), float(flops), seconds)


def seeds(count: int) -> str:
    return f"seeds={list(range(count))}"


class Timing(NamedTuple):
    """Milliseconds per step and cell, one entry a repeat."""

    alpha: float
    dropout: float
    cells: int
    flops: float
    ours: list[float]
    torch: list[float]


def time_case(alpha: float, dropout: float, repeats: Repeats, torch: Torch) -> Timing:
    """Time segments of the engine and the baseline's steps in turn, so that both meet the same
    moods of the machine."""
    # As many cells as fill every device evenly: the ceiling has all of them too.
    devices = len(jax.local_devices())
    count = math.lcm(DECAYS, devices) // DECAYS * (1 if on_cpu() else GPU_SEEDS)
    laid = lay_out(f"data.data_fraction=[{alpha}]", f"model.dropout={dropout}", seeds(count))
    engine = laid.engine
    state, table, _ = laid.begin()
    state, records = engine.segment(state, table)  # the first call pays for memory
    jax.block_until_ready((state, records))
    cell_steps = engine.mapping.chunk * engine.mapping.intervals * engine.program.log_every
    ours, theirs = [], []
    for _ in range(repeats.segment):
        start = time.perf_counter()
        state, records = engine.segment(state, table)
        jax.block_until_ready((state, records))
        ours.append(1000 * (time.perf_counter() - start) / cell_steps)
        answer = torch.ask(
            "milliseconds_per_step", data_fraction=alpha, dropout=dropout,
            steps=repeats.torch_steps, warmup=repeats.torch_warmup,
        )  # fmt: skip
        if answer:
            theirs.append(answer[0])
    return Timing(alpha, dropout, engine.mapping.chunk, laid.flops, ours, theirs)


def run_seconds(laid: Laid) -> float:
    """Seconds of a chunk's whole training, measurements included, compilation not."""
    start = time.perf_counter()
    state, table, records = laid.begin()
    for _ in range(laid.engine.program.intervals // laid.engine.mapping.intervals):
        state, records = laid.engine.segment(state, table)
    jax.block_until_ready((state, records))
    return time.perf_counter() - start


def time_runs(repeats: int, torch: Torch) -> list[str]:
    """Table rows: the first steps of one cell, by the engine and by PyTorch."""
    devices = len(jax.local_devices())
    changes = ["data.data_fraction=[0.5]", "optimizer.weight_decay=[5]", f"train.steps={RUN_STEPS}"]
    kinds = {"one cell alone": lay_out(*changes)}
    if devices > 1:
        kinds[f"{devices} cells, one a device"] = lay_out(*changes, seeds(devices))
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    theirs: list[float] = []
    for _ in range(repeats):
        for kind, laid in kinds.items():
            times[kind].append(run_seconds(laid) / laid.engine.mapping.chunk)
        answer = torch.ask(
            "train", data_fraction=0.5, corruption_fraction=0.35, weight_decay=5.0, steps=RUN_STEPS
        )
        if answer:
            theirs.append(answer[1])
    rows = []
    for kind, ours in times.items():
        ratio = f"{statistics.median(theirs) / statistics.median(ours):.1f}" if theirs else "-"
        compilation = kinds[kind].compile_seconds
        rows.append(f"| phasegrok, {kind} | {both(ours, 2)} | {compilation:.1f} | {ratio} |")
    return [*rows, f"| {torch.name} | {both(theirs, 2)} | - | 1 |" if theirs else NO_TORCH]


NO_TORCH = "| PyTorch not installed | - | - | - |"


def both(values: list[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f})"


def train_sweep(name: str, changes: list[str]) -> tuple[dict[str, Any], int, float]:
    """A sweep from file to labelled cells, as the command runs it: session, runs, seconds."""
    with tempfile.TemporaryDirectory() as parent:
        start = time.perf_counter()
        sweep = load(SWEEPS / name, changes)
        prepared = runner.prepare(sweep, Path(parent) / "results", False)
        with progress.Progress(prepared) as watch:
            runner.run(prepared, watch)
        seconds = time.perf_counter() - start
        manifest = Folder(Path(parent) / "results").require_manifest()
    return manifest["sessions"][-1], manifest["runs"], seconds
