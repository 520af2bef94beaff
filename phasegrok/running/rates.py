"""How fast this machine is: by shapes and a probe of 0.2 s, or by sweeps that it has trained."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from statistics import median
from typing import Final

from phasegrok import __version__, models, tasks
from phasegrok.files.store import Store
from phasegrok.machine import REFERENCE_CORE, Speed, core_speed, cores, instruction_set
from phasegrok.measure import tables_wanted
from phasegrok.plan.layout import Job, Machine, interval_seconds
from phasegrok.plan.program import Program
from phasegrok.running.follow import Chunk

__all__ = ["Rates", "Seen", "job_work", "mark", "work", "work_of"]

MOST_KINDS: Final = 500  # that are remembered
# The numbers below were measured on REFERENCE_CORE. How well they hold is in
# benchmarks/ESTIMATES.md.
PRODUCT: Final = 1.05  # of the time that a step's products take at the probe's rate
ACTIVATION: Final = 4.5e-9  # seconds for a number of a hidden layer
NORMALIZED: Final = 5e-9  # and where the layer is normalized
MASK: Final = 4e-9  # and for an entry of its dropout mask
WEIGHT: Final = 0.6e-9  # seconds for a weight's update
STEP: Final = 5e-5  # least seconds of a step
COMPILE: Final = 3.5  # seconds of a core for a program, by the root of its arrays of weights
ALONE: Final = 1.7  # cores that compiling keeps busy, where nothing else wants them
IDLE: Final = 1.2  # cores are not busy all the time even then
KEPT: Final = 0.2  # seconds to load one instead
LIKE: Final = 4.0  # times as long, by shapes, a unit of work may take to say anything of another


@dataclass(frozen=True)
class Seen:
    """What sweeps have shown of a kind of program on this machine."""

    family: str
    work: float = math.inf  # least seconds for a unit of work, over all devices
    against: float = 1.0  # the same by shapes
    compile: float = math.inf  # least seconds


@dataclass
class Rates:
    """What is known of how fast programs are here.

    Attributes:
        machine: the kind of machine.
        seen: by kind of program, what sweeps have shown.
        speed: of a core of a CPU; None: this machine's, which a probe finds.
    """

    machine: Machine
    seen: dict[str, Seen] = field(default_factory=dict)
    speed: Speed | None = None

    @classmethod
    def of(cls, machine: Machine, store: Store | None) -> Rates:
        """Those of earlier sweeps of this user; none where they cannot be read."""
        data = store.get(_place(machine)) if store else None
        try:
            found = {kind: Seen(**each) for kind, each in json.loads(data or b"{}").items()}
        except (ValueError, TypeError, AttributeError):
            found = {}
        return cls(machine, found)

    def keep(self, store: Store) -> None:
        """For later sweeps; what was seen last stays where there is too much."""
        earlier = Rates.of(self.machine, store).seen
        for kind, each in self.seen.items():
            earlier[kind] = _best(earlier.pop(kind, each), each)
        newest = dict(list(earlier.items())[-MOST_KINDS:])
        data = json.dumps({kind: asdict(each) for kind, each in newest.items()}).encode()
        store.put(_place(self.machine), data)

    def saw(self, job: Job, work: float = math.inf, compile_seconds: float = math.inf) -> None:
        """Seconds for a unit of :func:`job_work`, over all devices, or to compile a program."""
        kind, family = _kind(job.program, job.layout.mapping), _family(job.program)
        new = Seen(family, work, by_shapes(job, self.machine), compile_seconds)
        self.seen[kind] = _best(self.seen.get(kind, new), new)

    def of_work(self, job: Job) -> tuple[float, bool]:
        """Seconds for a unit of work of a job, and whether its kind has been trained here.

        Where it has not, others of its family say by how much shapes are wrong: those whose units
        take about as long. What runs of a moment cost says nothing of long ones.
        """
        kind = self.seen.get(_kind(job.program, job.layout.mapping))
        shapes = by_shapes(job, self.machine, self.speed)
        if kind and math.isfinite(kind.work):
            return kind.work * shapes / kind.against, True
        family = _family(job.program)
        off = [
            each.work / each.against
            for each in self.seen.values()
            if each.family == family
            and math.isfinite(each.work)
            and shapes / LIKE < each.against < shapes * LIKE
        ]
        return shapes * (median(off) if off else 1.0), False

    def of_compiling(self, job: Job, alone: bool = False) -> float:
        """Seconds to compile a job's program; ``alone``: no other one is compiled meanwhile."""
        kind = self.seen.get(_kind(job.program, job.layout.mapping))
        if kind and math.isfinite(kind.compile):
            return kind.compile
        family = _family(job.program)
        others = [e.compile for e in self.seen.values() if e.family == family]
        others = [each for each in others if math.isfinite(each)]
        if others:
            return median(others)
        cores = ALONE if alone and self.machine.devices > 1 else 1.0
        return _compile_by_shapes(job, self.machine, self.speed) / cores


def job_work(job: Job) -> float:
    """What one run of a job costs, in minimal floating-point operations, dropout's bits aside."""
    return work(job.program, job.program.log_every) * job.program.intervals


def work_of() -> Callable[[Chunk], float]:
    """What a chunk costs, in units of :func:`job_work`; it remembers
    what a run of each job does."""
    known: dict[int, float] = {}

    def work(chunk: Chunk) -> float:
        each = known.get(id(chunk.job))
        if each is None:
            each = known[id(chunk.job)] = job_work(chunk.job)
        return each * len(chunk.runs)

    return work


def work(program: Program, steps: int) -> float:
    """What one run costs for so many steps and one measurement."""
    model = models.of(program.experiment)
    evaluation = tasks.of(program.experiment).size.total / 3
    return float(model.flops_per_row() * (program.step_rows * steps + evaluation))


def by_shapes(job: Job, machine: Machine, core: Speed | None = None) -> float:
    """Seconds for a unit of :func:`job_work`, over all devices, from the sizes of things."""
    program, layout = job.program, job.layout
    steps, unit = program.log_every, work(program, program.log_every)
    if machine.platform != "cpu":
        return interval_seconds(job, layout.chunk, machine) / (unit * layout.chunk)
    model, core = models.of(program.experiment), core or core_speed()
    products = REFERENCE_CORE.products / core.products
    arrays = REFERENCE_CORE.arrays / core.arrays
    config = program.experiment.model
    # A layer of a Transformer or an LSTM has more than its widest activation.
    hidden = 1.5 * getattr(config, "layers", 0) or getattr(config, "depth", 2) - 1
    normalized = getattr(config, "normalization", "none") != "none"
    rows = program.step_rows * steps + tasks.of(program.experiment).size.total / 3
    number = (ACTIVATION + NORMALIZED * normalized) * arrays + MASK * products * program.use_dropout
    seconds = unit / REFERENCE_CORE.products * PRODUCT * products
    seconds += rows * model.numbers_per_row() * hidden * number
    seconds += steps * models.parameters(model) * WEIGHT * arrays
    seconds += steps * STEP * products / layout.batch
    return seconds / (unit * layout.devices)


def _compile_by_shapes(job: Job, machine: Machine, core: Speed | None) -> float:
    if machine.platform != "cpu":
        return machine.compile_seconds
    arrays = models.layers(models.of(job.program.experiment))
    programs = 1 + bool(tables_wanted(job.program.measure)) / 2 + bool(job.layout.piece) / 2
    return (
        COMPILE
        * math.sqrt(arrays)
        * programs
        * REFERENCE_CORE.products
        / (core or core_speed()).products
    )


def undisturbed(wall: float, spent: float, devices: int, machine: Machine) -> float:
    """Seconds that something would take if nobody else used this machine.

    Args:
        wall: that it took.
        spent: CPU seconds of this process meanwhile.
        devices: that it kept busy.
        machine: the kind of machine.
    """
    return wall if machine.platform != "cpu" else min(wall, IDLE * spent / devices)


def mark(job: Job) -> str:
    """The name under which a store knows that all of a job's programs are in it."""
    return f"engine-{_digest(__version__, instruction_set(), repr((job.program, job.layout)))}"


def _place(machine: Machine) -> str:
    here = (__version__, instruction_set(), str(cores()), machine.platform, str(machine.devices))
    return f"rates-{_digest(*here)}"


def _kind(program: Program, mapping: str) -> str:
    """Programs that differ in rows and in their schedule alone are of one kind."""
    experiment = program.experiment
    blocks = {name: value for name, value in experiment if name not in ("data", "train")}
    rest = (program.use_dropout, program.noises, program.precision, program.measure)
    return _digest(repr(blocks), str(experiment.train.batch_size), repr(rest), mapping)


def _family(program: Program) -> str:
    model = program.experiment.model
    return f"{model.kind} {getattr(model, 'normalization', '')} {program.use_dropout}"


def _best(a: Seen, b: Seen) -> Seen:
    """The faster of two looks at a kind of program."""
    faster = min(a, b, key=lambda each: each.work / each.against)
    return replace(faster, compile=min(a.compile, b.compile))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
