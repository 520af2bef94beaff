"""Speed of phasegrok against the machine's own ceiling and against eager PyTorch.

``make bench``, or ``python benchmarks/bench.py [--quick] [--families] [--sequences] [--output
FOLDER]``: prints three reports in Markdown and writes them to benchmarks/RESULT.md, FAMILIES.md and
SEQUENCES.md. Quick ones have too few repeats to be kept: they are written only where ``--output``
says so. Run it on an otherwise idle machine.
"""
# ruff: noqa: E402

from __future__ import annotations

import os

# First of all: the imports below are work too, and reports would see the load of those before.
LOAD_AVERAGE = os.getloadavg()[0]

import argparse
import contextlib
import math
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import jax
import sequences
from timing import (
    GPU_SEEDS,
    HERE,
    SWEEPS,
    baseline,
    both,
    lay_out,
    machine_line,
    on_cpu,
    product_rate,
    ratio,
    session_of,
    timed,
    torch,
)

from phasegrok import models
from phasegrok.cli import progress
from phasegrok.running import prepare, run
from phasegrok.sweep.load import load
from phasegrok.train.devices import use_all_cores
from phasegrok.train.engine import compiled

CASES = ((0.1, 0.0), (0.5, 0.0), (0.9, 0.0), (0.5, 0.3))  # alpha, dropout
DECAYS = 4  # of the wd sweep
FAMILIES = {  # one sweep each, as its file has it but for the changes
    "quadratic, full batch": ("wd", ()),
    "ReLU": ("relu-wd", ()),
    "cross-entropy": ("cross-entropy", ()),
    "multiplication": ("multiplication", ()),
    "minibatch of 64": ("normalization", ("model.normalization=none", "train.batch_size=64")),
    "with BatchNorm": ("normalization", ("model.normalization=batch", "train.batch_size=64")),
    "with LayerNorm": ("normalization", ("model.normalization=layer", "train.batch_size=64")),
    "width 5000": ("wide-wd", ()),
    "3 layers": ("mlp3", ()),
    "3 layers, BatchNorm": ("mlp3-batchnorm", ()),
    "Transformer": ("transformer", ()),
    "Transformer, 2 layers, LayerNorm": (
        "transformer",
        ("model.layers=2", "model.normalization=layer"),
    ),
    "digits, 4 layers": ("images", ()),
}
RUN_STEPS = 300


def time_family(name: str, changes: tuple[str, ...], quick: bool) -> tuple[str, float]:
    """A family's part of the table's row, up to its time per step and cell, and its GFLOP/s."""
    seeds = len(jax.local_devices()) * (1 if on_cpu() else GPU_SEEDS)
    single = ("optimizer.weight_decay=1", "train.log_every=20", *changes)
    engine, cells, flops, _ = lay_out(0.5, seeds, *single, name=name)
    taken = list(timed(engine, cells, 1 if quick else 3))
    experiment = engine.program.experiment
    count = models.parameters(models.of(experiment))
    batch = experiment.train.batch_size
    left = f"{name} | {batch} | {count} | {engine.layout.chunk} | {both(taken)}"
    return left, flops / median(taken) / 1e6


def time_case(alpha: float, dropout: float, quick: bool) -> tuple[str, float, str]:
    """Engine and baseline in turn, so that both meet the same moods of the machine.
    Gives the left half of the table's row, GFLOP/s, and the right half."""
    devices = len(jax.local_devices())  # all filled evenly: the ceiling has all of them too
    seeds = math.lcm(DECAYS, devices) // DECAYS * (1 if on_cpu() else GPU_SEEDS)
    engine, cells, flops, _ = lay_out(alpha, seeds, f"model.dropout={dropout}")
    counts = "4, 1" if quick else "30, 5"  # timed and not timed
    ours, theirs = list[float](), list[float]()
    for taken in timed(engine, cells, 2 if quick else 4):
        ours.append(taken)
        theirs += torch(f"milliseconds_per_step({alpha}, {counts}, {dropout})")
    left = f"| {alpha} | {dropout} | {engine.layout.chunk} | {both(ours)} |"
    return left, flops / median(ours) / 1e6, f"{both(theirs)} | {ratio(theirs, ours)} |"


def time_runs(quick: bool) -> list[str]:
    """Table rows: the first steps of whole runs, by the engine and by PyTorch."""
    devices = len(jax.local_devices())
    changes = ("optimizer.weight_decay=[5]", f"train.steps={RUN_STEPS}")
    kinds = {n: lay_out(0.5, n, *changes) for n in dict.fromkeys((1, devices))}
    ours, theirs = {n: list[float]() for n in kinds}, list[float]()
    for _ in range(1 if quick else 2):
        for n, (engine, cells, *_) in kinds.items():
            start = time.perf_counter()
            state, table, records = engine.begin(cells)
            for _ in range(engine.program.intervals // engine.layout.intervals):
                state, records = engine.segment(state, table)
            jax.block_until_ready((state, records))
            ours[n].append((time.perf_counter() - start) / engine.layout.chunk)
        theirs += torch(f"train(0.5, 0.35, 5.0, {RUN_STEPS})")
    return [
        *(
            f"| phasegrok, {n} cell{'s, one a device' if n > 1 else ' alone'} | {both(ours[n])}"
            f" | {kinds[n][3]:.1f} | {ratio(theirs, ours[n])} |"
            for n in kinds
        ),
        f"| PyTorch | {both(theirs)} | - | - |",
    ]


def time_pruning() -> list[float]:
    """Seconds that two whole pruning curves of one network take, every count of its 500 neurons."""
    orders = "measure.pruning=[lowest, highest]"
    engine, cells, *_ = lay_out(0.5, 1, "optimizer.weight_decay=[5]", orders)
    state, table, _ = engine.begin(cells)
    engine.snapshot(state, table)  # compiles
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        engine.snapshot(state, table)
        seconds.append(time.perf_counter() - start)
    return seconds


def train(name: str, changes: list[str]) -> tuple[dict[str, Any], int, float]:
    """A sweep from file to labelled cells, as the command runs it: session, runs, seconds."""
    compiled.cache_clear()  # nothing is compiled yet when the command starts
    jax.clear_caches()
    with tempfile.TemporaryDirectory() as parent, contextlib.redirect_stdout(sys.stderr):
        start, output = time.perf_counter(), Path(parent) / "results"
        prepared = prepare(load(SWEEPS / name, changes), output, False)
        with progress.Progress(prepared) as watch:
            run(prepared, watch)
        seconds = time.perf_counter() - start
        session, runs = session_of(output), prepared.manifest.runs
    return session, runs, seconds


def report(machine: str, quick: bool, figure3: bool) -> str:
    products = 10 if quick else 50
    before = product_rate(products)
    cases = [time_case(*case, quick) for case in CASES]
    rows = time_runs(quick)
    pruning = time_pruning()
    fewer = ["train.steps=200"] if quick else []
    session, runs, seconds = train("quickstart.yaml", ["data.data_fraction=[0.5]", *fewer])
    whole = {n: train(n, [])[1:] for n in ("wd.yaml", "dropout.yaml") if figure3}
    after = product_rate(products)
    compiling, inside = session["compile_seconds"], session["device_seconds"]
    outside = 100 * (1 - inside / (session["seconds"] - compiling))
    lines = [
        f"""# Speed{" (quick: too few repeats to quote)" if quick else ""}

Machine: {machine}

Ceiling: float32 matrix product (97 x 500) @ (500 x 9409) on one JAX device (a CPU's uses all
cores), {"one" if on_cpu() else "64"} a call, best of {products} calls: {before:.1f} GFLOP/s before
and {after:.1f} GFLOP/s after everything else. Shares are of the larger.

## A training step

p = 97, N = 500, full batch, xi = 0.35, {DECAYS} weight decays (and seeds to fill the machine).
A chunk's time over its cells and steps, measuring all 9409 examples every 20 steps included.
GFLOP/s count 6 N p n_train a step, without that measurement, padding or dropout.
Baseline: {baseline()}; the faster of its default threads and 1, each repeat;
one cell at a time, no measurement, xi = 0, weight decay 0.
Times are median (minimum) over repeats; GFLOP/s, share and ratio are of medians.

| alpha | dropout | cells | phasegrok, ms per step and cell | GFLOP/s | share of ceiling, % \
| PyTorch, ms per step | PyTorch / phasegrok |
|---|---|---|---|---|---|---|---|""",
        *(f"{a} {rate:.1f} | {100 * rate / max(before, after):.0f} | {b}" for a, rate, b in cases),
        f"""
## Whole runs

alpha = 0.5, xi = 0.35, weight decay 5, initialization included. Only the first {RUN_STEPS} steps
were timed: steps late in training cost PyTorch more. phasegrok measures every 20 steps, PyTorch
once at the end. Times are median (minimum) and exclude compilation.

| what | s per cell | compilation, s | PyTorch / phasegrok |
|---|---|---|---|""",
        *rows,
        f"""
## Around the compiled code

quickstart.yaml at alpha = 0.5, {runs} runs: {session["seconds"]:.2f} s in the session, of which
{compiling:.2f} s compilation and {inside:.2f} s inside compiled code. Outside it, compilation
excluded: {outside:.1f} %. With reading, planning and labelling: {seconds:.2f} s.

## Pruning

Both directions of a 500-neuron network's pruning curve, every count from 0 to 500, accuracies and
losses on all 9409 examples, one network on one device: {both(pruning)} s.""",
    ]
    if whole:
        count, total = (sum(column) for column in zip(*whole.values(), strict=True))
        each = ", ".join(f"{name} {spent:.1f} s" for name, (_, spent) in whole.items())
        lines.append(
            f"\n## Figure 3\n\n{count} runs: {total:.1f} s ({each}), planning,"
            " compilation and labelling included, drawing not."
        )
    return "\n".join(lines) + "\n"


def families(machine: str, quick: bool) -> str:
    products = 10 if quick else 50
    before = product_rate(products)
    rows = {title: time_family(*family, quick) for title, family in FAMILIES.items()}
    after = product_rate(products)
    caution = " (quick: too few repeats to quote)" if quick else ""
    lines = [
        f"""# A training step of each family{caution}

Machine: {machine}

Ceiling: as in RESULT.md, {before:.1f} GFLOP/s before and {after:.1f} GFLOP/s after. At the paper's
size, as each sweep file has it, but for alpha = 0.5, xi = 0.35, weight decay 1, and measuring all
examples every 20 steps, which is included: in small batches that measurement, on all 9409
examples, is most of the time. GFLOP/s count the step's own matrix products alone. Times are median
(minimum) over repeats.

| what | sweep | batch | parameters | cells | ms per step and cell | GFLOP/s | share of ceiling, % |
|---|---|---|---|---|---|---|---|"""
    ]
    lines += [
        f"| {title} | {left} | {rate:.1f} | {100 * rate / max(before, after):.0f} |"
        for title, (left, rate) in rows.items()
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Time phasegrok on this machine.")
    parser.add_argument("--quick", action="store_true", help="few repeats, to try the script")
    parser.add_argument("--output", type=Path, help="folder; by default that of this script")
    for name in ("families", "sequences"):
        parser.add_argument(f"--{name}", action="store_true", help=f"only {name.upper()}.md")
    parser.add_argument("--figure3", action="store_true", help="time all of Figure 3 (GPU only)")
    args = parser.parse_args()
    use_all_cores()
    if args.figure3 and on_cpu():
        parser.error("--figure3 takes hours on a CPU; it needs a GPU")
    machine, quick = machine_line(LOAD_AVERAGE), args.quick
    # The families first: they are many compilations, and short.
    reports = {
        "FAMILIES.md": (args.families, lambda: families(machine, quick)),
        "SEQUENCES.md": (args.sequences, lambda: sequences.report(machine, quick)),
        "RESULT.md": (False, lambda: report(machine, quick, args.figure3)),
    }
    folder = args.output or (None if quick else HERE)
    for name, (alone, measured) in reports.items():
        if (args.families or args.sequences) and not alone:
            continue
        text = measured()
        print(text)
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)


if __name__ == "__main__":
    main()
