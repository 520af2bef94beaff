"""What ``benchmarks/gpu.py`` measures, section by section. Each runs in a process of its own."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from timing import MISSING, SWEEPS, lay_out, session_of, timed

from phasegrok.analysis.compare import compare
from phasegrok.kernels.mlp import Kind, Mask, Rows, Weights, loss_and_right
from phasegrok.models.layers.activations import ACTIVATIONS
from phasegrok.models.layers.dropout import dropout
from phasegrok.results.folder import Folder
from phasegrok.running import Silent, prepare, run
from phasegrok.sweep.load import load
from phasegrok.train.engine import compiled
from phasegrok.train.losses import row_losses
from phasegrok.train.memory import measured_bytes
from phasegrok.train.platform import GPU_PRECISION

ROOT = SWEEPS.parent
# Vendors' dense peaks, FLOP/s, by a part of the device's name.
PEAKS = {
    "H100": {"float32": 67e12, "tf32": 495e12},
    "H200": {"float32": 67e12, "tf32": 495e12},
    "A100": {"float32": 19.5e12, "tf32": 156e12},
}
TINY = ("task.modulus=7", "model.width=16", "train.steps=40", "train.log_every=20")
ONE = ("--set", "seeds=[0]")
SHORT = ("--set", "train.steps=20", "--set", "train.log_every=5", *ONE)
# Sweeps, and what makes twenty steps of them: a Transformer, an LSTM, an MLP of embedded tokens,
# batch normalization in minibatches, images, parity by SGD with a hinge loss.
FAMILIES = {
    "transformer": ("--reduced", *SHORT),
    "model-grokking": ("--reduced", *SHORT),
    "mlp3-batchnorm": SHORT,
    "images": ("--reduced", *SHORT),
    "parity-decay": ("--set", "train.epochs=2", *ONE),
}
KILL_SECONDS = 120  # within which a run must have saved something to go on from


class Scale(NamedTuple):
    """How large everything is: the paper's size, or a pretence of it."""

    pretend: bool
    alphas: tuple[float, ...] = (0.1, 0.5, 0.9)
    seeds: int = 16
    repeats: int = 3
    changes: tuple[str, ...] = ()
    keep: Path | None = None  # where Figure 3's results stay

    @classmethod
    def of(cls, pretend: bool, keep: Path | None = None) -> Scale:
        return cls(True, (0.5,), 1, 1, TINY, keep) if pretend else cls(False, keep=keep)


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


def kernel(scale: Scale) -> list[str]:
    """Loss and gradient by the fused kernel, against a CPU's by the plain layers: the largest
    distance of a gradient, as a share of its length."""
    lines = ["| network | precision | by | loss | gradients of U, V, W |", "|---|---|---|---|---|"]
    for activation, loss in (("quadratic", "mse"), ("relu", "cross_entropy")):
        for drops in (False, True):
            kind = Kind(activation, loss, "float32", drops)  # type: ignore[arg-type]
            with jax.default_device(jax.local_devices(backend="cpu")[0]):
                reference = _slopes(kind, _plain, *_made(scale))
            forms = [("fused", "float32"), ("fused", "tf32")]
            if (activation, drops) == ("quadratic", False):
                forms += [("plain", "float32"), ("plain", "tf32")]
            for by, precision in forms:
                given = replace(kind, precision=precision)  # type: ignore[arg-type]
                function = loss_and_right if by == "fused" else _plain
                found = _slopes(given, function, *_made(scale))
                apart = [f"{_distance(a, b):.1e}" for a, b in zip(found, reference, strict=True)]
                name = f"{activation}, {loss}{', dropout' if drops else ''}"
                lines.append(
                    f"| {name} | {precision} | {by} | {apart[0]} | {', '.join(apart[1:])} |"
                )
    return lines


def _made(scale: Scale) -> tuple[Weights, Rows]:
    """Random weights and rows of some networks of the paper's size."""
    cells, rows, p, width = (2, 30, 7, 16) if scale.pretend else (8, 4704, 97, 500)
    draw = np.random.default_rng(0)
    shapes = ((p, width), (p, width), (width, p))
    weights = [draw.normal(0, 0.1, (cells, *shape)).astype(np.float32) for shape in shapes]
    first, second, label = draw.integers(0, p, (3, cells, rows)).astype(np.int32)
    weight = draw.uniform(0.5, 2, (cells, rows)).astype(np.float32) / rows
    number = np.tile(np.arange(rows, dtype=np.int32), (cells, 1))
    return Weights(*weights), Rows(first, second, label, weight, number)  # type: ignore[arg-type]


def _plain(kind: Kind, weights: Weights, rows: Rows, mask: Mask | None) -> tuple[jax.Array, None]:
    """The kernel's loss, by the layers and losses that every other network is made of."""
    x = weights.u[rows.first] + weights.v[rows.second]
    if mask is not None:
        x = dropout(x, mask.rate, jax.random.wrap_key_data(mask.key), rows.number)
    losses = row_losses(kind.loss, ACTIVATIONS[kind.activation](x) @ weights.w, rows.label)
    return jnp.sum(losses * rows.weight), None


def _slopes(kind: Kind, function: Any, weights: Weights, rows: Rows) -> list[np.ndarray]:
    """Losses of some networks, and their gradients."""
    mask = Mask(jnp.array([3, 5], jnp.uint32), jnp.float32(0.3)) if kind.dropout else None

    def one(w: Weights, r: Rows) -> Any:
        return jax.value_and_grad(lambda w: function(kind, w, r, mask)[0])(w)

    with jax.default_matmul_precision(GPU_PRECISION[kind.precision]):
        found = jax.jit(jax.vmap(one))(weights, rows)
    return [np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(found)]


def _distance(found: np.ndarray, reference: np.ndarray) -> float:
    """The largest over networks of the length of a difference, as a share of the length."""
    axes = tuple(range(1, found.ndim))
    apart = ((found - reference) ** 2).sum(axes) / (reference**2).sum(axes)
    return float(np.sqrt(apart.max()))


def steps(scale: Scale) -> list[str]:
    """Milliseconds per step and cell, plain and fused, against the floor of the products alone."""
    lines = [
        "| alpha | precision | kernel | cells | ms per step and cell | floor, ms | share of floor |"
        " compilation, s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    kind = jax.local_devices()[0].device_kind
    peaks = next((rates for name, rates in PEAKS.items() if name in kind), None)
    for alpha in scale.alphas:
        changes = (*scale.changes, "engine.mapping=vmap")
        first, cells, flops, compiling = lay_out(alpha, scale.seeds, *changes)
        # The kernel not by the sweep: interpreted on a CPU, it is refused there.
        for precision, kernel in product(("float32", "tf32"), ("plain", "fused")):
            program = replace(first.program, precision=precision, kernel=kernel)
            start = time.perf_counter()
            engine = compiled(program, first.layout)
            seconds = compiling if engine is first else time.perf_counter() - start
            taken = median(timed(engine, cells, scale.repeats))
            floor = 1000 * flops / peaks[precision] if peaks else math.nan
            share = f"{floor:.3g} | {100 * floor / taken:.0f} %" if peaks else "- | -"
            left = f"| {alpha} | {precision} | {kernel} | {engine.layout.chunk} | {taken:.3g}"
            lines.append(f"{left} | {share} | {seconds:.1f} |")
    return lines


def families(scale: Scale) -> list[str]:
    """Twenty steps of every other kind of network, here and on this machine's CPU: the largest
    distance of a logged loss, as a share. Rounding alone keeps them together so early."""
    lines = ["| sweep | runs | training loss apart | test loss apart |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as parent:
        on_cpu = os.environ | {"JAX_PLATFORMS": "cpu"}
        started = []
        for name, more in FAMILIES.items():
            command = [sys.executable, "-m", "phasegrok.sweep", str(SWEEPS / f"{name}.yaml"), *more]
            quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
            there = subprocess.Popen(
                [*command, "--output", f"{parent}/cpu-{name}"], env=on_cpu, **quiet
            )
            started.append((name, command, there))
        for name, command, there in started:
            here = subprocess.run([*command, "--output", f"{parent}/{name}"], check=False, **quiet)
            said = there.communicate()[1]
            if here.returncode or there.returncode:
                words = ((here.stderr or said).decode().strip().splitlines() or ["no word"])[-1]
                lines.append(f"| {name} | failed: {words} | | |")
                continue
            ours, theirs = (
                pd.read_parquet(Path(parent) / folder / "curves").sort_values(["run", "step"])
                for folder in (name, f"cpu-{name}")
            )
            apart = [
                float(np.nanmax(np.abs(ours[c].to_numpy() / theirs[c].to_numpy() - 1)))
                for c in ("train_loss", "test_loss")
            ]
            runs = ours["run"].nunique()
            lines.append(f"| {name} | {runs} | {apart[0]:.1e} | {apart[1]:.1e} |")
    return lines


def eager(scale: Scale) -> list[str]:
    """A network at a time in eager PyTorch on the same device: the loop of the paper's scripts."""
    if find_spec("torch") is None:
        return [f"{MISSING}."]
    given = f"{3 if scale.pretend else 200}, 5, 0.0, {'cpu' if scale.pretend else 'cuda'!r}"
    calls = ", ".join(f"milliseconds_per_step({alpha}, {given})" for alpha in scale.alphas)
    # In a process of its own: two libraries would share the device's memory.
    code = f"from baseline_torch import milliseconds_per_step; print({calls})"
    told = subprocess.check_output([sys.executable, "-c", code], cwd=SWEEPS.parent / "benchmarks")
    lines = ["| alpha | ms per step of a network |", "|---|---|"]
    taken = map(float, told.split())
    return lines + [f"| {a} | {ms:.3g} |" for a, ms in zip(scale.alphas, taken, strict=True)]


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


def figure3(scale: Scale, name: str, precision: str) -> list[str]:
    """Half of Figure 3, from the file to labelled cells and pictures, compilation included."""
    grid = ["data.data_fraction=[0.5]", "data.corruption_fraction=[0.0]"] if scale.pretend else []
    sets = [*grid, *scale.changes, f"engine.precision={precision}"]
    with tempfile.TemporaryDirectory() as parent:
        output = (scale.keep or Path(parent)) / f"{name}-{precision}"
        seconds = _trained(sets, output, name)
        runs, session = len(Folder(output).read("runs")), session_of(output)
        programs = len(Folder(output).manifest()["jobs"])
    return [
        f"{runs} runs in {seconds:.1f} s, {programs} programs. The device trained for"
        f" {session['device_seconds']:.1f} s and waited {session['compile_seconds']:.1f} s for"
        " programs to compile."
    ]


SECTIONS: dict[str, tuple[str, Callable[[Scale], list[str]]]] = {
    "products": ("Products alone", products),
    "kernel": ("The fused kernel against a CPU", kernel),
    "steps": ("A training step", steps),
    "families": ("Other networks against a CPU", families),
    "eager": ("Eager PyTorch", eager),
    "labels": ("Labels against the CPU's", labels),
    "resume": ("Resuming after a kill", resume),
    "memory": ("Memory", memory),
    **{
        f"{name}-{precision}": (
            f"Figure 3{part}, {words}",
            partial(figure3, name=name, precision=precision),
        )
        for precision, words in (("tf32", "TF32"), ("float32", "float32"))
        for name, part in (("wd", "a"), ("dropout", "b"))
    },
}
# Ten minutes more than all others: measured where `--only` names them.
LONG = ("wd-float32", "dropout-float32")
