"""From a sweep to runs, programs and chunks: what is trained together, and in what shapes.

Pure arithmetic on the host. Everything here depends on the sweep and on the *kind* of machine,
never on what the machine happens to be doing, so that a resumed sweep plans the same chunks.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from phasegrok import models
from phasegrok.config import Experiment, column, shrinks, traced_paths, value_at, without_traced
from phasegrok.errors import Refusal
from phasegrok.plan.program import NOISES, Program, RunParams
from phasegrok.plan.runs import check_origins, check_sizes, expand, row_count, rows_after
from phasegrok.sweep.load import Sweep
from phasegrok.sweep.variants import COLUMN


@dataclass(frozen=True)
class Machine:
    """What the planner has to know of a kind of machine."""

    platform: str  # cpu, gpu, tpu
    devices: int
    memory: int  # bytes there are, over all devices: a run that needs more is refused
    budget: int  # bytes that a chunk may hold
    flops: float  # assumed rate for planning, FLOP/s over all devices
    compile_seconds: float  # assumed time to compile one program
    step_seconds: float = 5e-5  # assumed least time of a step, however small the network

    @property
    def default_mapping(self) -> Literal["vmap", "map"]:
        return "map" if self.platform == "cpu" else "vmap"


# Cells that stay in a core's cache are trained side by side: a loop's turn costs more than a
# tiny step. Bytes of weights, gradients, moments and one tile of activations.
CACHE_BYTES = 1 << 20
# Activations of one tile (rows x widest layer), in numbers: 1.2 MB, measured best for N = 500.
TILE_NUMBERS = 300_000
# One call of a compiled segment should take about this long: progress is live, Ctrl-C prompt,
# and the time between calls (a millisecond) is lost in it.
CALL_SECONDS = 0.5
# One logging interval of a chunk should take at most about this long, for the same reasons.
INTERVAL_SECONDS = 2.0
# A group of data fractions trained at the largest one's rows may waste at most this share.
MAX_WASTE = 0.10
MAX_CHUNK = {"map": 32, "vmap": 4096}


@dataclass(frozen=True)
class Job:
    """A program and the runs that it trains, in order."""

    program: Program
    runs: np.ndarray  # positions in the table of runs
    kind: Literal["vmap", "map"]
    devices: int
    batch: int
    chunk: int = 0  # cells a call; 0 until sized
    intervals: int = 1

    def chunks(self) -> list[np.ndarray]:
        """The runs of every chunk; the last may hold fewer than ``chunk``."""
        return [self.runs[i : i + self.chunk] for i in range(0, len(self.runs), self.chunk)]


@dataclass(frozen=True)
class Grid:
    """Every run of a sweep, and the jobs that train them."""

    axes: list[str]  # swept columns: variant, if there are any, and axes in the file's order
    runs: pd.DataFrame  # one row a run: run, config columns, seed, n_train, n_corrupted
    experiments: list[Experiment]  # one per combination of static values
    static: np.ndarray  # (runs,) index into experiments
    jobs: list[Job]

    def run_params(self, positions: np.ndarray) -> RunParams:
        """The traced half of some runs of one program, as NumPy arrays."""
        rows = self.runs.iloc[positions]
        experiment = self.experiments[int(self.static[positions[0]])]
        values = {
            path: np.asarray(rows[column(path)], np.float32) for path in traced_paths(experiment)
        }
        scale = learning_rate_scale(experiment)
        rates = ["optimizer.learning_rate"]
        if value_at(experiment, "event.set") == "optimizer.learning_rate":
            rates.append("event.value")
        for path in rates:
            rate = rows[column(path)].to_numpy() * scale
            values[path] = np.asarray(rate, np.float32)
        return RunParams(
            seed=np.asarray(rows["seed"], np.uint32),
            n_train=np.asarray(rows["n_train"], np.int32),
            n_corrupted=np.asarray(rows["n_corrupted"], np.int32),
            values=values,
            shrunk=self.shrunk(positions) if shrinks(experiment) else {},
        )

    def shrunk(self, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Rows of some runs of one program after their event."""
        rows = self.runs.iloc[positions]
        experiment = self.experiments[int(self.static[positions[0]])]
        n_train = rows_after(experiment, rows["event_value"])
        n_corrupted = [
            row_count(x, int(n)) for x, n in zip(rows["corruption_fraction"], n_train, strict=True)
        ]
        return {"n_train": n_train, "n_corrupted": np.asarray(n_corrupted, np.int32)}

    def waste(self) -> float:
        """Share of all trained rows that is padding (full batches only: others pad nothing)."""
        full = [job for job in self.jobs if not job.program.orders]
        spent = sum(job.program.rows * len(job.runs) * job.program.steps for job in full)
        useful = sum(
            float(self.runs["n_train"].to_numpy()[job.runs].sum()) * job.program.steps
            for job in full
        )
        return 1 - useful / spent if spent else 0.0


def learning_rate_scale(experiment: Experiment) -> float:
    """sqrt(B / 256) under the paper's scaling of minibatch training (appendix A.1), else 1."""
    train = experiment.train
    if train.scaling == "paper" and train.batch_size != "full":
        return math.sqrt(train.batch_size / 256)
    return 1.0


def schedule(experiment: Experiment, n_train: int) -> tuple[int, int]:
    """Optimizer steps in all, and between measurements."""
    train = experiment.train
    if train.epochs is not None:
        per_epoch = train.batches_per_epoch(n_train)
        return train.epochs * per_epoch, train.log_every * per_epoch
    assert train.steps is not None
    log_every = train.log_every
    if train.scaling == "paper" and train.batch_size != "full":
        log_every = max(1, round(log_every * 256 / train.batch_size))
    return train.steps // train.log_every * log_every, log_every


def plan(sweep: Sweep, machine: Machine) -> Grid:
    """Group runs into programs, and lay programs out for the machine; chunks are sized later."""
    frame, experiments, static = expand(sweep)
    check_sizes(sweep, frame, experiments, static)
    check_origins(sweep, frame, experiments, static)
    kind = sweep.engine.mapping
    mapping: Literal["vmap", "map"] = machine.default_mapping if kind == "auto" else kind
    dropout = positive(frame, "dropout")
    noisy = zip(*(positive(frame, column(path)) for path in NOISES), strict=True)
    noises = [tuple(itertools.compress(NOISES, row)) for row in noisy]
    n_train = frame["n_train"].to_numpy()
    least = n_train.copy()
    for i, experiment in enumerate(experiments):
        if shrinks(experiment):
            least[static == i] = rows_after(experiment, frame["event_value"][static == i])
    groups: dict[tuple[Any, ...], list[int]] = {}
    schedules = {
        (s, n): schedule(experiments[s], n)
        for s, n in {(int(s), int(n)) for s, n in zip(static, n_train, strict=True)}
    }
    for i in range(len(frame)):
        key = (
            int(static[i]),
            bool(dropout[i]),
            noises[i],
            *schedules[int(static[i]), int(n_train[i])],
        )
        groups.setdefault(key, []).append(i)
    jobs = []
    for (which, drop, noise, steps, log_every), members in groups.items():
        runs = np.array(members)
        experiment = experiments[which]
        work = models.of(experiment).flops_per_row() * steps
        for part in padding_groups(n_train[runs], work, mapping, machine):
            jobs.append(
                make_job(
                    sweep,
                    experiment,
                    runs[part],
                    n_train,
                    least,
                    steps,
                    log_every,
                    drop,
                    noise,
                    mapping,
                    machine,
                )
            )
    axes = [COLUMN] * bool(sweep.variants) + [column(axis.path) for axis in sweep.axes]
    return Grid(axes, frame, experiments, static, jobs)


def positive(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Whether each run has a rate above 0; those whose kinds have no such rate do not."""
    return frame[name].to_numpy() > 0 if name in frame else np.zeros(len(frame), bool)


def padding_groups(
    n_train: np.ndarray, work: float, mapping: str, machine: Machine
) -> list[np.ndarray]:
    """Split runs by training rows so that padding and compiling together cost least.

    A group trains at its largest member's rows. Under ``vmap`` all form one group; otherwise a
    dynamic program over the sorted sizes weighs padded work (at the machine's assumed rate)
    against one compilation a group, and no group wastes more than :data:`MAX_WASTE`.

    Returns:
        Positions into ``n_train``, one array a group.
    """
    sizes, inverse, counts = np.unique(n_train, return_inverse=True, return_counts=True)
    if mapping == "vmap":
        return [np.arange(len(n_train))]
    best: list[tuple[float, int]] = [(0.0, 0)]  # cost of the first k sizes, where its last starts
    for end in range(1, len(sizes) + 1):
        options = []
        for start in range(end - 1, -1, -1):
            useful = float((sizes[start:end] * counts[start:end]).sum())
            spent = float(sizes[end - 1] * counts[start:end].sum())
            if 1 - useful / spent > MAX_WASTE:
                break
            cost = (spent - useful) * work / machine.flops + machine.compile_seconds
            options.append((best[start][0] + cost, start))
        best.append(min(options))
    groups, end = [], len(sizes)
    while end:
        start = best[end][1]
        groups.append(np.flatnonzero((inverse >= start) & (inverse < end)))
        end = start
    return groups[::-1]


def make_job(
    sweep: Sweep,
    experiment: Experiment,
    runs: np.ndarray,
    n_train: np.ndarray,
    least: np.ndarray,
    steps: int,
    log_every: int,
    dropout: bool,
    noises: tuple[str, ...],
    mapping: Literal["vmap", "map"],
    machine: Machine,
) -> Job:
    """The program of a group of runs and its layout, chunk size apart.

    Args:
        n_train: training rows of all runs at the start.
        least: at their smallest.
    """
    sizes = n_train[runs]
    model = models.of(experiment)
    width = model.numbers_per_row()
    tiles = 1
    if mapping == "map" and not model.whole_batch:
        tiles = max(1, round(int(sizes.max()) * width / TILE_NUMBERS))
    tile = -(-int(sizes.max()) // tiles)
    batch_size = experiment.train.batch_size
    orders, side_by_side = 0, tile  # rows in flight
    if batch_size != "full":
        side_by_side = min(tile, batch_size)
        per_epoch = experiment.train.batches_per_epoch(int(least[runs].min()))
        orders = (log_every - 1) // max(1, per_epoch) + 2
    program = Program(
        experiment=without_traced(experiment),
        steps=steps,
        log_every=log_every,
        rows=tile * tiles,
        tile=tile,
        orders=orders,
        use_dropout=dropout,
        noises=noises,
        precision=sweep.engine.precision,
        measure=sweep.measure,
    )
    cell_bytes = 4 * (4 * models.parameters(model) + 3 * side_by_side * width)
    batch = max(1, CACHE_BYTES // cell_bytes)
    devices = min(machine.devices, len(runs))
    return Job(program, runs, mapping, devices, min(batch, -(-len(runs) // devices)))


def size_chunks(
    sweep: Sweep, job: Job, machine: Machine, bytes_of: Callable[[Job, int], int]
) -> Job:
    """Choose how many cells train in one call, and how many intervals a call lasts.

    Args:
        bytes_of: peak bytes of a call with so many cells, measured on compiled programs.

    Raises:
        Refusal: a single run does not fit.
    """
    need = bytes_of(job, job.devices)
    if need > machine.memory:
        raise Refusal(
            f"{sweep.where('model.width')}: a run does not fit: it needs about"
            f" {need / 2**30:.3g} GiB of {machine.memory / 2**30:.3g} GiB usable here; allowed: a"
            " smaller model.width, model.depth or task.modulus"
        )
    if sweep.engine.chunk != "auto":
        limit = min(sweep.engine.chunk, len(job.runs))
    else:
        # Of tiny networks more fit side by side than a chunk usually holds.
        limit = min(max(MAX_CHUNK[job.kind], job.devices * job.batch), len(job.runs))
        if job.kind == "map":
            one = interval_seconds(job, 1, machine)
            limit = min(limit, max(job.devices * job.batch, round(INTERVAL_SECONDS / one)))
        while limit > job.devices and bytes_of(job, limit) > machine.budget:
            limit //= 2
    chunks = -(-len(job.runs) // limit)
    each = -(-len(job.runs) // chunks) if sweep.engine.chunk == "auto" else limit
    devices = min(job.devices, each)
    chunk = -(-each // devices) * devices
    sized = replace(job, chunk=chunk, devices=devices)
    most = round(CALL_SECONDS / interval_seconds(sized, chunk, machine))
    calls = max(1, min(job.program.intervals, most))
    # A call ends wherever the networks are looked into or saved.
    points = {*job.program.snapshot_points, *job.program.weight_saves}
    intervals = max(k for k in range(1, calls + 1) if all(point % k == 0 for point in points))
    return replace(sized, intervals=intervals)


def interval_seconds(job: Job, cells: int, machine: Machine) -> float:
    """Rough time of one logging interval of so many cells, from the machine's assumed rates."""
    program = job.program
    model = models.of(program.experiment)
    turns = 1 if job.kind == "vmap" else cells / (job.devices * job.batch)
    work = model.flops_per_row() * program.step_rows * cells / machine.flops
    return program.log_every * (work + machine.step_seconds * max(1.0, turns))
