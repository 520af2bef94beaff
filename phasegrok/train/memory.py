"""How much memory a call of a compiled program needs, and how much there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final, NamedTuple

import jax

from phasegrok import models
from phasegrok.machine import memory_bytes, processor
from phasegrok.plan.layout import Job, Layout, Machine
from phasegrok.plan.program import Program
from phasegrok.train.devices import local_devices
from phasegrok.train.engine import Engine, compiled
from phasegrok.train.state import init, make_table, run_params_shapes

# What Python, JAX and the libraries for tables hold before anything trains.
OWN_BYTES: Final = 512 << 20


def peak_bytes(engine: Engine) -> int:
    """Bytes that a call of a compiled segment holds at its peak, over all devices."""
    stats = engine.memory_analysis()
    assert stats is not None, "every backend that JAX ships reports memory"
    each = (
        stats.argument_size_in_bytes
        + stats.output_size_in_bytes
        + stats.temp_size_in_bytes
        - stats.alias_size_in_bytes
    )
    return int(each) * engine.layout.devices


@lru_cache(maxsize=256)
def state_bytes(program: Program) -> int:
    """Bytes of one run's state and table, without allocating any of them."""
    shapes = jax.eval_shape(
        lambda c: (init(program, c), make_table(program, c)),
        run_params_shapes(program),
    )
    return sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(shapes))


def least_bytes(job: Job, runs: int) -> int:
    """A lower bound on a call's memory, from shapes alone: states, and one batch's activations."""
    program = job.program
    width = models.of(program.experiment).numbers_per_row()
    side_by_side = (
        runs if job.layout.mapping == "vmap" else min(runs, job.layout.batch * job.layout.devices)
    )
    state = state_bytes(program)
    return runs * state + side_by_side * (state + 3 * 4 * program.tile * width)


class Elsewhere(NamedTuple):
    """A machine that is planned for, and is not this one.

    Attributes:
        machine: as the planner sees it.
        measured_bytes: :func:`measured_bytes` there.
        device, processor: the names of their kinds.
    """

    machine: Machine
    measured_bytes: Callable[[Job, int], int]
    device: str
    processor: str


_ELSEWHERE: list[Elsewhere] = []


@contextmanager
def planning_for(elsewhere: Elsewhere) -> Iterator[None]:
    """Plan for another machine than this one while this lasts."""
    _ELSEWHERE.append(elsewhere)
    try:
        yield
    finally:
        _ELSEWHERE.pop()


def measured_bytes(job: Job, runs: int) -> int:
    """A call's memory, over all devices, on the machine that is planned for.

    Under vmap it grows linearly in the runs, so two small compilations give it. Under map only
    the states grow, and the bound from shapes is close.
    """
    if _ELSEWHERE:
        return _ELSEWHERE[-1].measured_bytes(job, runs)
    devices = job.layout.devices
    if job.layout.mapping == "map" or runs <= 4 * devices:
        return least_bytes(job, runs)
    small, large = _at_two_and_four(job.program, devices)
    each = (large - small) / (2 * devices)
    return int(small + each * (runs - 2 * devices))


@lru_cache(maxsize=256)
def _at_two_and_four(program: Program, devices: int) -> tuple[int, int]:
    """The memory of a call with two runs a device, and with four."""
    small, large = (Layout("vmap", k * devices, 1, devices) for k in (2, 4))
    return peak_bytes(compiled(program, small)), peak_bytes(compiled(program, large))


def planned_kinds() -> tuple[str, str]:
    """The names of the kind of device, and of processor, that is planned for."""
    if _ELSEWHERE:
        return _ELSEWHERE[-1].device, _ELSEWHERE[-1].processor
    return str(local_devices()[0].device_kind), processor()


def machine() -> Machine:
    """The machine that is planned for, this one unless :func:`planning_for` says otherwise: rates
    are of its kind, not measured.

    Raises:
        Refusal: JAX shows no devices.
    """
    if _ELSEWHERE:
        return _ELSEWHERE[-1].machine
    devices = local_devices()
    count, platform = len(devices), devices[0].platform
    if platform == "cpu":
        memory = max(memory_bytes() - OWN_BYTES, 0)
        return Machine("cpu", count, memory, min(1 << 30, memory // 2), 5e10 * count, 2.0)
    stats = devices[0].memory_stats() or {}
    each = int(stats.get("bytes_limit", 8 << 30))
    return Machine(platform, count, count * each, count * each * 3 // 4, 2e13 * count, 4.0, 2e-4)
