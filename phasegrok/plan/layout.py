"""How runs are laid out on a machine: what is padded together, and how many train in one call.

Everything here depends on the *kind* of machine. It never depends on what the machine happens to
be doing, so two starts of a sweep are laid out alike. The numbers below may change between
versions: a folder that was begun keeps its own layout, in its manifest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from phasegrok import models, tasks
from phasegrok.errors import Refusal
from phasegrok.machine import memory_bytes
from phasegrok.plan.checks import most_with_curves
from phasegrok.plan.program import Program
from phasegrok.sweep.load import Sweep

MappingKind = Literal["vmap", "map"]

# Cells that stay in a core's cache are trained side by side: a loop's turn costs more than a
# tiny step. Bytes of weights, gradients, moments and one tile of activations.
CACHE_BYTES = 1 << 20
# Activations of one tile (rows x widest layer), in numbers. A tile should stay in a cache, and each
# costs one addition of all weights' gradients: twice as many numbers as weights measured best at
# p = 97, N = 500 (290,000, or 1.2 MB) and at p = 47, N = 256 (72,000), within these bounds.
TILE_NUMBERS = (50_000, 300_000)
# One call of a compiled segment should take about this long: progress is live, Ctrl-C prompt,
# and the time between calls (a millisecond) is lost in it.
CALL_SECONDS = 0.5
# One logging interval of a chunk should take at most about this long, for the same reasons.
INTERVAL_SECONDS = 2.0
# One that takes longer than this is split: clusters give little time to save before they kill.
SPLIT_SECONDS = 4.0
# A group of data fractions trained at the largest one's rows may waste at most this share. On an
# accelerator compiling takes as long as many steps of many cells, and alone limits the waste.
MAX_WASTE = 0.10
MAX_CHUNK = {"map": 32, "vmap": 4096}
# Tables and files of a chunk cost some 40 ms, whatever it holds. Runs that are over in a moment
# train in larger chunks, which take about this long on a CPU: a crash costs no more than that.
CHUNK_SECONDS = 10.0
MAX_TINY = 1024


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
    def default_mapping(self) -> MappingKind:
        return "map" if self.platform == "cpu" else "vmap"


@dataclass(frozen=True)
class Layout:
    """How the runs of a program are laid out on a machine."""

    mapping: MappingKind
    chunk: int  # runs in one call, a multiple of devices; 0 until sized
    batch: int  # map: runs side by side in each turn of the loop
    devices: int  # local devices that share the chunk
    intervals: int = 1  # logging intervals in one call
    piece: int = 0  # steps in one call, where that is less than an interval; 0: it is not split

    def on(self, devices: int) -> Layout:
        """The same chunk on a machine that may have fewer devices: the most that divide it."""
        most = min(self.devices, devices)
        return replace(self, devices=max(d for d in range(1, most + 1) if self.chunk % d == 0))


@dataclass(frozen=True)
class Job:
    """A program and the runs that it trains, in order."""

    program: Program
    runs: np.ndarray  # positions in the table of runs
    layout: Layout

    def chunks(self) -> list[np.ndarray]:
        """The runs of every chunk; the last may hold fewer than ``layout.chunk``."""
        size = self.layout.chunk
        return [self.runs[i : i + size] for i in range(0, len(self.runs), size)]


def padding_groups(
    n_train: np.ndarray, work: float, mapping: MappingKind, machine: Machine
) -> list[np.ndarray]:
    """Split runs by training rows so that padding and compiling together cost least.

    A group trains at its largest member's rows. A dynamic program over the sorted sizes weighs
    padded work (at the machine's assumed rate) against one compilation a group. Under ``map`` no
    group wastes more than :data:`MAX_WASTE`.

    Args:
        n_train: (runs,) training rows.
        work: operations of a row in a whole training.
        mapping: how a group's runs are mapped.
        machine: its rates.

    Returns:
        Positions into ``n_train``, one array a group.
    """
    sizes, inverse, counts = np.unique(n_train, return_inverse=True, return_counts=True)
    best: list[tuple[float, int]] = [(0.0, 0)]  # cost of the first k sizes, where its last starts
    for end in range(1, len(sizes) + 1):
        options = []
        for start in range(end - 1, -1, -1):
            useful = float((sizes[start:end] * counts[start:end]).sum())
            spent = float(sizes[end - 1] * counts[start:end].sum())
            if mapping == "map" and 1 - useful / spent > MAX_WASTE:
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


def tiles_of(model: models.Model, rows: int, mapping: MappingKind) -> int:
    """In how many tiles a program of so many rows takes its gradient."""
    if mapping == "vmap" or model.whole_batch:
        return 1
    least, most = TILE_NUMBERS
    numbers = min(max(2 * models.parameters(model), least), most)
    return max(1, min(rows, round(rows * model.numbers_per_row() / numbers)))


def unsized(program: Program, runs: int, mapping: MappingKind, machine: Machine) -> Layout:
    """The layout of a program of so many runs, its chunk apart."""
    model = models.of(program.experiment)
    size = program.experiment.train.batch_size
    in_flight = program.tile if size == "full" else min(program.tile, size)
    numbers = 4 * models.parameters(model) + 3 * in_flight * model.numbers_per_row()
    batch = max(1, CACHE_BYTES // (4 * numbers))
    devices = min(machine.devices, runs)
    return Layout(mapping, 0, min(batch, -(-runs // devices)), devices)


def size_chunks(
    sweep: Sweep, job: Job, machine: Machine, bytes_of: Callable[[Job, int], int]
) -> Job:
    """Choose how many cells train in one call, and how many intervals a call lasts.

    Args:
        bytes_of: peak bytes of a call with so many cells, measured on compiled programs.

    Raises:
        Refusal: a single run does not fit.
    """
    need = bytes_of(job, job.layout.devices)
    if need > machine.memory:
        raise Refusal(
            f"{sweep.where('model.width')}: a run does not fit: {_sizes(job)} need about"
            f" {need / 2**30:.3g} GiB of {machine.memory / 2**30:.3g} GiB usable here; allowed: a"
            " smaller model.width, model.depth or task.modulus"
        )
    automatic = sweep.engine.chunk == "auto"
    limit = _most_cells(job, machine, bytes_of) if automatic else int(sweep.engine.chunk)
    limit = min(limit, len(job.runs))
    fit = most_with_curves(job.program.intervals + 1, memory_bytes())
    if limit > fit and not automatic:
        raise Refusal(
            f"{sweep.where('engine.chunk')}: engine.chunk: curves of {limit} runs x"
            f" {job.program.intervals + 1} logged points do not fit"
            f" {memory_bytes() / 2**30:.3g} GiB here; allowed: at most {fit}, or auto"
        )
    limit = min(limit, fit)
    chunks = -(-len(job.runs) // limit)
    each = -(-len(job.runs) // chunks) if automatic else limit
    devices = min(job.layout.devices, each)
    chunk = -(-each // devices) * devices
    sized = replace(job, layout=replace(job.layout, chunk=chunk, devices=devices))
    intervals, piece = _intervals(sized, machine), _piece(sized, machine)
    return replace(sized, layout=replace(sized.layout, intervals=intervals, piece=piece))


def _sizes(job: Job) -> str:
    """What takes the memory of the fewest runs that train at a time."""
    experiment, runs = job.program.experiment, job.layout.devices
    weights = models.parameters(models.of(experiment))
    examples = tasks.of(experiment).size.total
    return f"{runs} x ({weights} weights, their gradient and moments, {examples} examples)"


def _most_cells(job: Job, machine: Machine, bytes_of: Callable[[Job, int], int]) -> int:
    """The most cells that a chunk should hold: they fit the budget, and calls stay short."""
    layout = job.layout
    # More tiny networks fit side by side than a chunk usually holds.
    side_by_side = layout.devices * layout.batch
    limit = max(MAX_CHUNK[layout.mapping], side_by_side)
    if layout.mapping == "map":
        one = interval_seconds(job, side_by_side, machine) / side_by_side
        tiny = round(CHUNK_SECONDS / (one * job.program.intervals))
        limit = max(limit, min(tiny, MAX_TINY))
        limit = min(limit, max(side_by_side, round(INTERVAL_SECONDS / one)))
    limit = min(limit, len(job.runs))
    while limit > layout.devices and bytes_of(job, limit) > machine.budget:
        limit //= 2
    return limit


def _intervals(job: Job, machine: Machine) -> int:
    """How many logging intervals a call of a sized chunk lasts."""
    most = round(CALL_SECONDS / interval_seconds(job, job.layout.chunk, machine))
    calls = max(1, min(job.program.intervals, most))
    # A call ends wherever a snapshot is taken or weights are saved.
    points = {*job.program.snapshot_points, *job.program.weight_saves}
    return max(k for k in range(1, calls + 1) if all(point % k == 0 for point in points))


def _piece(job: Job, machine: Machine) -> int:
    """How many steps of a long logging interval a call lasts; 0 for an interval that is not long.

    Equal pieces are preferred: a last one of another length is one more program to compile.
    """
    steps, seconds = job.program.log_every, interval_seconds(job, job.layout.chunk, machine)
    if seconds <= SPLIT_SECONDS or steps == 1:
        return 0
    most = max(1, round(steps * CALL_SECONDS / seconds))
    equal = next(n for n in range(most, 0, -1) if steps % n == 0)
    return equal if 2 * equal >= most else most


def interval_seconds(job: Job, cells: int, machine: Machine) -> float:
    """Rough time of one logging interval of so many cells, from the machine's assumed rates."""
    program, layout = job.program, job.layout
    model = models.of(program.experiment)
    turns = 1 if layout.mapping == "vmap" else cells / (layout.devices * layout.batch)
    work = model.flops_per_row() * program.step_rows * cells / machine.flops
    return program.log_every * (work + machine.step_seconds * max(1.0, turns))
