"""What ``benchmarks/gpu.py`` measures, section by section. Each runs in a process of its own."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import pandas as pd
from timing import SWEEPS, lay_out, session_of, timed

from phasegrok.analysis.compare import compare
from phasegrok.results.folder import Folder
from phasegrok.running import Silent, prepare, run
from phasegrok.sweep.load import load
from phasegrok.train.engine import compiled
from phasegrok.train.memory import measured_bytes

ROOT = SWEEPS.parent
# Vendors' dense peaks, FLOP/s, by a part of the device's name.
PEAKS = {
    "H100": {"float32": 67e12, "tf32": 495e12},
    "H200": {"float32": 67e12, "tf32": 495e12},
    "A100": {"float32": 19.5e12, "tf32": 156e12},
}
TINY = ("task.modulus=7", "model.width=16", "train.steps=40", "train.log_every=20")
KILL_SECONDS = 120  # within which a run must have saved something to go on from


class Scale(NamedTuple):
    """How large everything is: the paper's size, or a pretence of it."""

    pretend: bool
    alphas: tuple[float, ...] = (0.1, 0.5, 0.9)
    seeds: int = 16
    repeats: int = 5
    changes: tuple[str, ...] = ()

    @classmethod
    def of(cls, pretend: bool) -> Scale:
        return cls(True, (0.5,), 1, 1, TINY) if pretend else cls(False)


def products(scale: Scale) -> list[str]:
    """The library's own rate for the products of a step: what a kernel is held against."""
    rows, width, outputs = (30, 16, 7) if scale.pretend else (8468, 500, 97)
    cells = 2 if scale.pretend else 64
    lines = ["| product | float32, TFLOP/s | tf32, TFLOP/s |", "|---|---|---|"]
    shapes = {
        "outputs": ((rows, width), (width, outputs)),
        "slopes of activations": ((rows, outputs), (outputs, width)),
        "gradient of W": ((width, rows), (rows, outputs)),
    }
    for name, (left, right) in shapes.items():
        a, b = jnp.ones((cells, *left)), jnp.ones((cells, *right))
        flops = 2 * cells * left[0] * left[1] * right[1]
        rates = [flops / _seconds(a, b, each) / 1e12 for each in ("highest", "tensorfloat32")]
        lines.append(f"| {name} | {rates[0]:.3g} | {rates[1]:.3g} |")
    return lines


def _seconds(a: jax.Array, b: jax.Array, precision: str) -> float:
    """The best time of a batch of products."""
    with jax.default_matmul_precision(precision):
        product = jax.jit(jnp.matmul).lower(a, b).compile()
    best = math.inf
    for _ in range(20):
        start = time.perf_counter()
        jax.block_until_ready(product(a, b))
        best = min(best, time.perf_counter() - start)
    return best


def steps(scale: Scale) -> list[str]:
    """Milliseconds per step and cell, plain and fused, against the floor of the products alone."""
    lines = [
        "| alpha | precision | kernel | cells | ms per step and cell | floor, ms | share of floor |"
        " compilation, s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for alpha in scale.alphas:
        for precision in ("float32", "tf32"):
            for kernel in ("plain", "fused"):
                lines.append(_step(scale, alpha, precision, kernel))
    return lines


def _step(scale: Scale, alpha: float, precision: str, kernel: str) -> str:
    changes = (*scale.changes, f"engine.precision={precision}", "engine.mapping=vmap")
    engine, cells, flops, seconds = lay_out(alpha, scale.seeds, *changes)
    if kernel == "fused":  # set here, not in the sweep: interpreted on a CPU, it is refused there
        start = time.perf_counter()
        engine = compiled(replace(engine.program, kernel="fused"), engine.layout)
        seconds = time.perf_counter() - start
    taken = median(timed(engine, cells, scale.repeats))
    kind = jax.local_devices()[0].device_kind
    peak = next((rates[precision] for name, rates in PEAKS.items() if name in kind), None)
    floor = f"{1000 * flops / peak:.3g}" if peak else "-"
    share = f"{100000 * flops / peak / taken:.0f} %" if peak else "-"
    left = f"| {alpha} | {precision} | {kernel} | {engine.layout.chunk} | {taken:.3g}"
    return f"{left} | {floor} | {share} | {seconds:.1f} |"


def labels(scale: Scale) -> list[str]:
    """The labels of one 9 x 10 slice, against those that a CPU found."""
    axes = {
        "data.data_fraction": [0.5, 0.8] if scale.pretend else [i / 10 for i in range(1, 10)],
        "data.corruption_fraction": [0.0, 0.2] if scale.pretend else [i / 10 for i in range(10)],
        "optimizer.weight_decay": [5],
    }
    sets = [f"{path}={values}" for path, values in axes.items()]
    with tempfile.TemporaryDirectory() as parent:
        here = Path(parent) / "here"
        seconds = _trained([*sets, *scale.changes], here)
        cells = pd.read_parquet(here / "cells.parquet")
        reference = ROOT / "results" / "reference" / "wd"
        if scale.pretend:
            reference = Path(parent) / "reference"
            _trained([*sets, *scale.changes, "engine.mapping=vmap"], reference)
        theirs = pd.read_parquet(reference / "cells.parquet")
    names = ["data_fraction", "corruption_fraction", "weight_decay"]
    wanted = pd.Series(True, theirs.index)
    for name, values in zip(names, axes.values(), strict=True):
        wanted &= theirs[name].round(9).isin(values)
    found = compare(cells, theirs[wanted], names, "subphase")
    apart = found.cells["test_accuracy"].abs()
    lines = [
        f"{len(found.cells)} cells in {seconds:.1f} s, compilation included: {len(found.differ)}"
        f" have another sub-phase than the CPU's. Test accuracies are {apart.mean():.4f} apart in"
        f" the mean, {apart.max():.4f} at most.",
    ]
    for _, cell in found.differ.iterrows():
        at = ", ".join(f"{name} {cell[name]:g}" for name in found.axes if name in cell)
        lines.append(f"- {at}: {cell['subphase_b']} there, {cell['subphase_a']} here")
    return lines


def _trained(changes: list[str], output: Path, name: str = "wd") -> float:
    """Seconds that a sweep takes from file to labelled cells."""
    start = time.perf_counter()
    prepared = prepare(load(SWEEPS / f"{name}.yaml", changes), output, False)
    run(prepared, Silent())
    return time.perf_counter() - start


def resume(scale: Scale) -> list[str]:
    """A run that is killed and goes on, against one that was left alone: bit for bit or not."""
    sets = [
        "data.data_fraction=[0.5]",
        "data.corruption_fraction=[0.0, 0.3]",
        "optimizer.weight_decay=[0, 5]",
        *scale.changes,
        f"train.steps={40_000 if scale.pretend else 4000}",
        "engine.checkpoint_every=0.05",
        "engine.mapping=vmap",
    ]
    arguments = [str(SWEEPS / "wd.yaml"), *(word for each in sets for word in ("--set", each))]
    with tempfile.TemporaryDirectory() as parent:
        whole, killed = Path(parent) / "whole", Path(parent) / "killed"
        command = [sys.executable, "-m", "phasegrok.sweep", *arguments, "--output"]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*command, str(whole)], check=True, **quiet)
        process = subprocess.Popen([*command, str(killed)], **quiet)
        deadline = time.monotonic() + KILL_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if list(killed.glob(".checkpoint-*")):
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.01)
        code = process.wait()
        if code != -signal.SIGKILL:
            return [f"The run ended (code {code}) before it could be killed: nothing was learned."]
        subprocess.run([*command, str(killed)], check=True, **quiet)
        same = {
            name: pd.read_parquet(whole / name).equals(pd.read_parquet(killed / name))
            for name in ("runs", "curves")
        }
    if all(same.values()):
        return ["Killed after a checkpoint and resumed: every number is the same, bit for bit."]
    differ = ", ".join(name for name, equal in same.items() if not equal)
    return [f"Killed after a checkpoint and resumed: {differ} differ from an uninterrupted run's."]


def memory(scale: Scale) -> list[str]:
    """The planner's guess of a chunk's memory, and the most that the device held."""
    changes = (*scale.changes, "engine.mapping=vmap")
    engine, cells, *_ = lay_out(scale.alphas[-1], scale.seeds, *changes)
    sweep = load(
        SWEEPS / "wd.yaml",
        [f"data.data_fraction=[{scale.alphas[-1]}]", f"seeds={list(range(scale.seeds))}", *changes],
    )
    with tempfile.TemporaryDirectory() as parent:
        (job, *_) = prepare(sweep, Path(parent) / "none", False).plan.jobs
    guess = measured_bytes(replace(job, layout=engine.layout), engine.layout.chunk)
    list(timed(engine, cells, 1))
    stats = jax.local_devices()[0].memory_stats() or {}
    peak = stats.get("peak_bytes_in_use")
    held = f"{peak / 2**20:.0f} MiB" if peak else "not told by this platform"
    return [
        f"{engine.layout.chunk} cells at alpha = {scale.alphas[-1]}: {guess / 2**20:.0f} MiB by the"
        f" planner; the most that the device held: {held}."
    ]


def figure3(scale: Scale) -> list[str]:
    """All of Figure 3, with compilation, plain and then fused, in TF32."""
    grid = ["data.data_fraction=[0.5]", "data.corruption_fraction=[0.0]"] if scale.pretend else []
    lines = []
    for kernel in ("plain",) if scale.pretend else ("fused", "plain"):
        runs, total, compiling = 0, 0.0, 0.0
        for name in ("wd", "dropout"):
            sets = [*grid, *scale.changes, "engine.precision=tf32", f"engine.kernel={kernel}"]
            with tempfile.TemporaryDirectory() as parent:
                output = Path(parent) / "results"
                total += _trained(sets, output, name)
                runs += len(Folder(output).read("runs"))
                compiling += session_of(output)["compile_seconds"]
        lines.append(
            f"{runs} runs, {kernel}, tf32: {total:.1f} s, of which {compiling:.1f} s compilation."
        )
    return lines


SECTIONS: dict[str, tuple[str, Callable[[Scale], list[str]]]] = {
    "products": ("Products alone", products),
    "steps": ("A training step", steps),
    "labels": ("Labels against the CPU's", labels),
    "resume": ("Resuming after a kill", resume),
    "memory": ("Memory", memory),
    "figure3": ("Figure 3", figure3),
}
