"""Speed of phasegrok against the machine's own ceiling and against eager PyTorch.

``make bench``, or ``python benchmarks/bench.py [--quick] [--output FILE]``: prints a report in
Markdown and writes it to benchmarks/RESULT.md. A quick report has too few repeats to be kept: it
is written only where ``--output`` says so. Run it on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from phasegrok import models, progress, runner
from phasegrok.program import Cell
from phasegrok.results import Folder
from phasegrok.sweepfile import load
from phasegrok.train.engine import PRECISION, Engine, Mapping, compiled, use_all_cores

HERE = Path(__file__).resolve().parent
SWEEPS = HERE.parent / "sweeps"
CASES = ((0.1, 0.0), (0.5, 0.0), (0.9, 0.0), (0.5, 0.3))  # alpha, dropout
DECAYS = 4  # of the wd sweep
RUN_STEPS = 300
GPU_SEEDS = 32  # four cells do not fill an accelerator

# PyTorch works in a process of its own, asleep on its input while JAX is timed: two pools of
# threads in one process disturb each other.
WORKER = """
import json, sys, time, baseline_torch, torch
print(json.dumps([torch.__version__, torch.get_num_threads()]), flush=True)
for line in sys.stdin:
    name, kwargs = json.loads(line)
    start = time.perf_counter()
    result = getattr(baseline_torch, name)(**kwargs)
    print(json.dumps([result, time.perf_counter() - start]), flush=True)
"""


class Torch:
    """The baseline in its process; it has no answers where PyTorch is not installed."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER], cwd=HERE, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self.requests, self.answers = self.process.stdin, self.process.stdout
        hello = self.answers.readline()
        self.there = bool(hello)
        self.name = "PyTorch not installed"
        if hello:
            self.name = "PyTorch {}, eager, CPU, {} threads".format(*json.loads(hello))
        elif self.process.wait() != 2:  # 2: baseline_torch found no PyTorch
            raise SystemExit("bench: PyTorch baseline: " + self.process.stderr.read())

    def ask(self, function: str, **kwargs: Any) -> list[tuple[Any, float]]:
        """Result and seconds of one of the baseline's functions; nothing without PyTorch."""
        if not self.there:
            return []
        self.requests.write(json.dumps([function, kwargs]) + "\n")
        self.requests.flush()
        result, seconds = json.loads(self.answers.readline())
        return [(result, seconds)]


def on_cpu() -> bool:
    return jax.default_backend() == "cpu"


def machine_line() -> str:
    """What the numbers are taken on, and how busy it is."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    devices = jax.local_devices()
    if not on_cpu():
        name = f"{len(devices)} x {devices[0].device_kind}, host {name}"
    return (
        f"{name}; {len(os.sched_getaffinity(0))} cores; jax {jax.__version__}"
        f" ({jax.default_backend()}); load average {os.getloadavg()[0]:.2f} at the start"
    )


def product_rate(repeats: int) -> float:
    """GFLOP/s of the output layer's product on one device at its best, in the engine's precision.

    An accelerator gets 64 products a call: launching one would take longer than the product.
    """
    lead = () if on_cpu() else (64,)
    a, b = jnp.ones((*lead, 97, 500), jnp.float32), jnp.ones((*lead, 500, 9409), jnp.float32)
    with jax.default_matmul_precision(PRECISION["float32"]):
        product = jax.jit(jnp.matmul).lower(a, b).compile()
    best = math.inf
    for _ in range(repeats + 1):  # the first may be slow, which the best of all does not mind
        start = time.perf_counter()
        product(a, b).block_until_ready()
        best = min(best, time.perf_counter() - start)
    return 2 * 97 * 500 * 9409 * math.prod(lead) / best / 1e9


class Laid(NamedTuple):
    """A chunk of the wd sweep as the runner would lay it out, compiled."""

    engine: Engine
    cells: Cell
    flops: float  # minimal, of one step of one cell: 6 N p n_train
    compile_seconds: float


def lay_out(alpha: float, seeds: int, *changes: str) -> Laid:
    """Plan with these changes as a run into a new folder would, and compile."""
    fixed = [f"data.data_fraction=[{alpha}]", "data.corruption_fraction=[0.35]"]
    sweep = load(SWEEPS / "wd.yaml", [*fixed, f"seeds={list(range(seeds))}", *changes])
    with tempfile.TemporaryDirectory() as parent:
        prepared = runner.prepare(sweep, Path(parent) / "none", False)
    (job,) = prepared.grid.jobs  # one data fraction, with or without dropout: one program
    experiment = job.program.experiment
    flops = models.build(experiment.model, experiment.task).flops_per_row()
    n_train = int(prepared.grid.runs["n_train"].iloc[0])
    start = time.perf_counter()
    engine = compiled(
        job.program, Mapping(job.kind, job.chunk, job.batch, job.devices, job.intervals)
    )
    seconds = time.perf_counter() - start
    cells = prepared.grid.cells(np.resize(job.runs, job.chunk))
    return Laid(engine, cells, float(flops * n_train), seconds)


def time_case(alpha: float, dropout: float, quick: bool, torch: Torch) -> tuple[str, float, str]:
    """Engine and baseline in turn, so that both meet the same moods of the machine.

    Returns:
        Left half of the table's row, GFLOP/s, right half.
    """
    devices = len(jax.local_devices())  # all filled evenly: the ceiling has all of them too
    seeds = math.lcm(DECAYS, devices) // DECAYS * (1 if on_cpu() else GPU_SEEDS)
    engine, cells, flops, _ = lay_out(alpha, seeds, f"model.dropout={dropout}")
    cell_steps = engine.mapping.chunk * engine.mapping.intervals * engine.program.log_every
    steps, warmup = (4, 1) if quick else (30, 5)
    state, table, _ = engine.begin(cells)
    ours: list[float] = []
    theirs: list[float] = []
    for repeat in range(3 if quick else 8):
        start = time.perf_counter()
        state, records = jax.block_until_ready(engine.segment(state, table))
        if repeat == 0:  # pays for memory
            continue
        ours.append(1000 * (time.perf_counter() - start) / cell_steps)
        theirs += [result for result, _ in torch.ask(
            "milliseconds_per_step", data_fraction=alpha, dropout=dropout, steps=steps,
            warmup=warmup)]  # fmt: skip
    left = f"| {alpha} | {dropout} | {engine.mapping.chunk} | {both(ours)} |"
    return left, flops / median(ours) / 1e6, f"{both(theirs)} | {ratio(theirs, ours)} |"


def time_runs(quick: bool, torch: Torch) -> list[str]:
    """Table rows: the first steps of whole runs, by the engine and by PyTorch."""
    devices = len(jax.local_devices())
    changes = ("optimizer.weight_decay=[5]", f"train.steps={RUN_STEPS}")
    kinds = {n: lay_out(0.5, n, *changes) for n in dict.fromkeys((1, devices))}
    ours: dict[int, list[float]] = {n: [] for n in kinds}
    theirs: list[float] = []
    for _ in range(1 if quick else 3):
        for n, (engine, cells, *_) in kinds.items():
            start = time.perf_counter()
            state, table, records = engine.begin(cells)
            for _ in range(engine.program.intervals // engine.mapping.intervals):
                state, records = engine.segment(state, table)
            jax.block_until_ready((state, records))
            ours[n].append((time.perf_counter() - start) / engine.mapping.chunk)
        theirs += [seconds for _, seconds in torch.ask(
            "train", data_fraction=0.5, corruption_fraction=0.35, weight_decay=5.0,
            steps=RUN_STEPS)]  # fmt: skip
    return [
        *(f"| phasegrok, {n} cell{'s, one a device' if n > 1 else ' alone'} | {both(ours[n])}"
          f" | {kinds[n].compile_seconds:.1f} | {ratio(theirs, ours[n])} |" for n in kinds),
        f"| {torch.name} | {both(theirs)} | - | - |",
    ]  # fmt: skip


def both(values: list[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f})" if values else "PyTorch not installed"


def ratio(theirs: list[float], ours: list[float]) -> str:
    return f"{median(theirs) / median(ours):.1f}" if theirs else "-"


def train(name: str, changes: list[str]) -> tuple[dict[str, Any], int, float]:
    """A sweep from file to labelled cells, as the command runs it: session, runs, seconds."""
    compiled.cache_clear()  # nothing is compiled yet when the command starts
    jax.clear_caches()
    with tempfile.TemporaryDirectory() as parent, contextlib.redirect_stdout(sys.stderr):
        start, output = time.perf_counter(), Path(parent) / "results"
        prepared = runner.prepare(load(SWEEPS / name, changes), output, False)
        with progress.Progress(prepared) as watch:
            runner.run(prepared, watch)
        seconds = time.perf_counter() - start
        manifest = Folder(output).require_manifest()
    return manifest["sessions"][-1], manifest["runs"], seconds


def report(quick: bool, figure3: bool) -> str:
    products = 10 if quick else 50
    torch, machine, before = Torch(), machine_line(), product_rate(products)
    cases = [time_case(*case, quick, torch) for case in CASES]
    rows = time_runs(quick, torch)
    torch.requests.close()
    fewer = ["optimizer.weight_decay=[0, 5]", "train.steps=200"] if quick else []
    session, runs, seconds = train("quickstart.yaml", ["data.data_fraction=[0.5]", *fewer])
    whole = [(name, train(name, [])) for name in ("wd.yaml", "dropout.yaml") if figure3]
    after = product_rate(products)
    ceiling = max(before, after)
    outside = 1 - session["device_seconds"] / (session["seconds"] - session["compile_seconds"])
    size = "one product" if on_cpu() else "64 products"
    lines = [f"""# Speed{" (quick: too few repeats to quote)" if quick else ""}

Machine: {machine}

Ceiling: float32 matrix product (97 x 500) @ (500 x 9409), {size} a call on one JAX device (on a CPU
its threads are all cores'), best of {products}: {before:.1f} GFLOP/s before and {after:.1f} GFLOP/s
after everything else. Shares are of the larger, {ceiling:.1f} GFLOP/s.

## A training step

p = 97, N = 500, full batch, xi = 0.35, {DECAYS} weight decays (and seeds enough to fill the
machine). Time is that of a chunk, divided by its cells and steps; the measurement on all 9409
examples every 20 steps is included. GFLOP/s count 6 N p n_train a step, without that measurement,
padding or dropout. PyTorch: {torch.name}; one cell at a time, no measurement, xi = 0, weight
decay 0. Times are median (minimum) of the repeats; GFLOP/s and ratio are of medians.

| alpha | dropout | cells | phasegrok, ms per step and cell | GFLOP/s | share of ceiling, % \
| PyTorch, ms per step | PyTorch / phasegrok |
|---|---|---|---|---|---|---|---|""",
        *(f"{left} {rate:.1f} | {100 * rate / ceiling:.0f} | {right}" for left, rate, right in cases),
        f"""
## Whole runs

alpha = 0.5, xi = 0.35, weight decay 5, {RUN_STEPS} steps with initialization. Only the first
{RUN_STEPS} steps were timed: steps late in training cost PyTorch more. phasegrok measures every 20
steps, PyTorch once at the end. Median (minimum).

| what | s per cell | compilation, s | PyTorch / phasegrok |
|---|---|---|---|""",
        *rows,
        f"""
## Around the compiled code

quickstart.yaml at alpha = 0.5, {runs} runs: {session["seconds"]:.2f} s in the session, of which
{session["compile_seconds"]:.2f} s compilation and {session["device_seconds"]:.2f} s inside compiled code.
Outside it, compilation excluded: {100 * outside:.1f} %. Planning included: {seconds:.2f} s.""",
    ]  # fmt: skip
    if whole:
        total, count = sum(r[2] for _, r in whole), sum(r[1] for _, r in whole)
        each = ", ".join(f"{name} {r[2]:.1f} s" for name, r in whole)
        lines.append(f"\n## Figure 3\n\n{count} runs, planned, compiled, trained and labelled, without"
                     f" drawing: {total:.1f} s ({each}).")  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Time phasegrok on this machine.")
    parser.add_argument("--quick", action="store_true", help="few repeats, to try the script")
    parser.add_argument("--output", type=Path, help="by default RESULT.md beside this script")
    parser.add_argument("--figure3", action="store_true", help="time all of Figure 3 (GPU only)")
    args = parser.parse_args()
    use_all_cores()
    if args.figure3 and on_cpu():
        parser.error("--figure3 takes hours on a CPU; it needs a GPU")
    text = report(args.quick, args.figure3)
    print(text, end="")
    output = args.output or (None if args.quick else HERE / "RESULT.md")
    if output:
        output.write_text(text)


if __name__ == "__main__":
    main()
