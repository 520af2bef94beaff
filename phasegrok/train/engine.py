"""Compile the pure training of ``train/step.py`` and map it over a chunk of runs.

The ladder: one run (``step.py``), a batch of runs side by side (``vmap``), a device's runs
(``lax.map`` over batches, or one ``vmap``), a chunk (``shard_map`` over the local devices).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any, Literal

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from phasegrok import models
from phasegrok.models.frozen import saved
from phasegrok.plan.plan import Job, Machine
from phasegrok.plan.program import Program, RunParams
from phasegrok.tasks import Table
from phasegrok.train import snapshot, step
from phasegrok.train.state import Record, State, init, make_table, run_params_shapes

RUNS = "runs"
# Cells whose pruning curves are taken side by side on an accelerator: each holds (neurons + 1)
# counts and the activations of all examples.
SNAPSHOTS_AT_ONCE = 16
PRECISION = {"float32": "highest", "tf32": "tensorfloat32", "bfloat16": "bfloat16"}


@dataclass(frozen=True)
class Mapping:
    """How a chunk is laid out on the machine."""

    kind: Literal["vmap", "map"]
    chunk: int  # runs in one call; a multiple of devices
    batch: int  # map: runs side by side in each turn of the loop
    devices: int  # local devices that share the chunk
    intervals: int  # logging intervals in one call

    @classmethod
    def of(cls, job: Job) -> Mapping:
        """The layout that the planner chose."""
        return cls(job.kind, job.chunk, job.batch, job.devices, job.intervals)


def use_all_cores() -> None:
    """Show every CPU core to JAX as a device, before its first use.

    Cells then train side by side, one a core, and the parts of a step that do not run in
    parallel (gathers, scatters, Adam) no longer leave the other cores idle.
    """
    jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))


class Engine:
    """One program, compiled for one chunk layout. Compiles once, serves every chunk."""

    def __init__(self, program: Program, mapping: Mapping) -> None:
        self.program, self.mapping = program, mapping
        self.calls = 0  # of the compiled segment; what tests and benchmarks count
        mesh = jax.make_mesh((mapping.devices,), (RUNS,), devices=local_devices(mapping.devices))
        self._sharding = NamedSharding(mesh, PartitionSpec(RUNS))
        begin = self._mapped(partial(step.begin, program), mesh)
        segment = self._mapped(partial(step.segment, program, mapping.intervals), mesh)
        runs = _abstract(program, mapping.chunk, self._sharding)
        with jax.default_matmul_precision(PRECISION[program.precision]):
            lowered_begin = jax.jit(begin).lower(runs)
            state, table, _ = jax.eval_shape(begin, runs)
            shapes = jax.tree.map(
                lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=self._sharding),
                (state, table),
            )
            # The state is given up to its successor: one copy, not two, in memory.
            lowered_segment = jax.jit(segment, donate_argnums=0).lower(*shapes)
        # Compiling is most of a small sweep's time, and XLA does it outside Python's lock.
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda low: low.compile(), (lowered_begin, lowered_segment))
        self._begin, self._segment = first, second
        self.state_shapes = state
        self._shapes, self._mesh = shapes, mesh

    @cached_property
    def _snapshot(self) -> Any:
        """Compiled at its first use only: most sweeps take no snapshot."""
        take = partial(snapshot.snapshot, self.program)
        mapped = self._mapped(take, self._mesh, at_once=SNAPSHOTS_AT_ONCE)
        with jax.default_matmul_precision("highest"):
            return jax.jit(mapped).lower(*self._shapes).compile()

    def _mapped(self, function: Any, mesh: jax.sharding.Mesh, at_once: int | None = None) -> Any:
        """``function`` of one run's arguments, over a chunk's, as one program; under ``vmap`` so
        many ``at_once``, where all together might not fit."""

        def over_device(*args: Any) -> Any:
            if self.mapping.kind == "vmap":
                if at_once is None:
                    return jax.vmap(function)(*args)
                return jax.lax.map(lambda a: function(*a), args, batch_size=at_once)
            # A vmapped batch of one is not the plain function: its scatters are batched ones.
            batch = self.mapping.batch if self.mapping.batch > 1 else None
            return jax.lax.map(lambda a: function(*a), args, batch_size=batch)

        spec = PartitionSpec(RUNS)
        return jax.shard_map(over_device, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False)

    def begin(self, runs: RunParams) -> tuple[State, Table, Record]:
        """Initial states, tables and the measurement at step 0 of a chunk of runs."""
        return self._begin(jax.device_put(runs, self._sharding))

    def segment(self, state: State, table: Table) -> tuple[State, Record]:
        """Train a chunk for ``mapping.intervals`` logging intervals. ``state`` is used up."""
        self.calls += 1
        return self._segment(state, table)

    def snapshot(self, state: State, table: Table) -> dict[str, np.ndarray]:
        """What ``measure:`` asks for, of every run of a chunk as it is now."""
        return {name: np.asarray(x) for name, x in self._snapshot(state, table).items()}

    def weights(self, state: State) -> dict[str, np.ndarray]:
        """Weights and running statistics by name, runs leading."""
        named = saved.named(state.params, state.model_state)
        return {name: np.asarray(leaf) for name, leaf in named.items()}

    def to_host(self, state: State) -> list[np.ndarray]:
        """The state's leaves as arrays that can be saved."""
        return [np.asarray(leaf) for leaf in jax.tree.leaves(state)]

    def from_host(self, leaves: list[np.ndarray]) -> State:
        """The state that :meth:`to_host` gave, back on the devices, bit for bit."""
        structure = jax.tree.structure(self.state_shapes)
        state = jax.tree.unflatten(structure, leaves)
        return jax.device_put(state, self._sharding)

    def memory(self) -> int:
        """Bytes that a call of the compiled segment holds at its peak, over all devices."""
        stats = self._segment.memory_analysis()
        assert stats is not None, "every backend that JAX ships reports memory"
        each = (
            stats.argument_size_in_bytes
            + stats.output_size_in_bytes
            + stats.temp_size_in_bytes
            - stats.alias_size_in_bytes
        )
        return int(each) * self.mapping.devices


@lru_cache(maxsize=8)
def compiled(program: Program, mapping: Mapping) -> Engine:
    """The engine of a program: compiled at its first use, reused by every later chunk."""
    return Engine(program, mapping)


def local_devices(count: int) -> list[jax.Device]:
    """The first ``count`` devices of this process."""
    return jax.local_devices()[:count]


def _abstract(program: Program, chunk: int, sharding: NamedSharding) -> RunParams:
    """Shapes of a chunk of runs, for compiling ahead of the first call."""
    return jax.tree.map(
        lambda x: jax.ShapeDtypeStruct((chunk,), x.dtype, sharding=sharding),
        run_params_shapes(program),
    )


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
    side_by_side = runs if job.kind == "vmap" else min(runs, job.batch * job.devices)
    state = state_bytes(program)
    return runs * state + side_by_side * (state + 3 * 4 * program.tile * width)


def measured_bytes(job: Job, runs: int) -> int:
    """A call's memory. Under vmap it grows linearly in the runs, so two small compilations
    give it; under map only the states do, and the bound from shapes is close."""
    if job.kind == "map" or runs <= 4 * job.devices:
        return least_bytes(job, runs)
    small, large = (
        compiled(job.program, Mapping("vmap", k * job.devices, 1, job.devices, 1)).memory()
        for k in (2, 4)
    )
    each = (large - small) / (2 * job.devices)
    return int(small + each * (runs - 2 * job.devices))


def machine() -> Machine:
    """The machine at hand, as the planner sees it: rates are of its kind, not measured."""
    devices = jax.local_devices()
    count, platform = len(devices), devices[0].platform
    if platform == "cpu":
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return Machine("cpu", count, memory, 1 << 30, 5e10 * count, 2.0)
    stats = devices[0].memory_stats() or {}
    each = int(stats.get("bytes_limit", 8 << 30))
    return Machine(platform, count, count * each, count * each * 3 // 4, 2e13 * count, 20.0, 2e-4)
