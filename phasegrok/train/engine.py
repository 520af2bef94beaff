"""Compile the pure training of ``train/step.py`` and map it over a chunk of runs.

The ladder: one run (``step.py``), a batch of runs side by side (``vmap``), a device's runs
(``lax.map`` over batches, or one ``vmap``), a chunk (``shard_map`` over the local devices).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache, partial
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from phasegrok.machine import give_back
from phasegrok.models.frozen import saved
from phasegrok.plan.layout import Layout
from phasegrok.plan.program import Array, Program, RunParams
from phasegrok.tasks import Table
from phasegrok.train import platform, snapshot, step
from phasegrok.train.compiling import executable
from phasegrok.train.state import Record, State, run_params_shapes

RUNS = "runs"
# Cells whose pruning curves are taken side by side on an accelerator: each holds (neurons + 1)
# counts and the activations of all examples.
SNAPSHOTS_AT_ONCE = 16
MOST_ENGINES = 8  # that a process holds
_BUILT = itertools.count(1)
# Programs are traced one at a time, so that nothing is emptied meanwhile; compiled side by side.
_TRACING = threading.Lock()


class Engine:
    """One program, compiled for one chunk layout. Compiles once, serves every chunk."""

    def __init__(self, program: Program, layout: Layout) -> None:
        self._platform = local_devices(1)[0].platform
        self.program, self.layout = platform.suited(program, self._platform), layout
        self.calls = 0  # of compiled training; what tests and benchmarks count
        mesh = jax.make_mesh((layout.devices,), (RUNS,), devices=local_devices(layout.devices))
        self._sharding = NamedSharding(mesh, PartitionSpec(RUNS))
        begin = self._mapped(partial(step.begin, self.program), mesh)
        compiled_as = partial(jax.jit, compiler_options=platform.compiler_options(self._platform))
        runs = _abstract(program, layout.chunk, self._sharding)
        precision = platform.matmul_precision(program, self._platform)
        with _TRACING, jax.default_matmul_precision(precision):
            lowered_begin = compiled_as(begin).lower(runs)
            state, table, _ = jax.eval_shape(begin, runs)
            shapes = jax.tree.map(
                lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=self._sharding),
                (state, table),
            )
            # The state is given up to its successor: one copy, not two, in memory.
            lowered = [
                compiled_as(self._mapped(function, mesh), donate_argnums=0).lower(*shapes)
                for function in self._training()
            ]
        # Compiling is most of a small sweep's time, and XLA does it outside Python's lock.
        ready = partial(executable, devices=local_devices(layout.devices))
        with ThreadPoolExecutor(2) as pool:
            (self._begin, begins), *found = pool.map(ready, (lowered_begin, *lowered))
        trained = [each for each, _ in found]
        # Whether all of it had been compiled before, by another process.
        self.loaded = begins and all(there for _, there in found)
        self._segment, self._piece = trained[0], trained[-1]
        self.state_shapes = state
        self._shapes, self._mesh = shapes, mesh

    def _training(self) -> list[Callable[..., Any]]:
        """What trains one run: a segment; of an interval that is split, its last piece and all
        others."""
        program, layout = self.program, self.layout
        if not layout.piece:
            return [partial(step.segment, program, layout.intervals)]
        last = program.log_every % layout.piece or layout.piece
        return [
            partial(step.last_piece, program, last),
            partial(step.piece, program, layout.piece),
        ]

    @cached_property
    def _snapshot(self) -> Any:
        """Compiled only where it is asked for: most sweeps take no snapshot."""
        take = partial(snapshot.snapshot, self.program)
        mapped = self._mapped(take, self._mesh, at_once=SNAPSHOTS_AT_ONCE)
        with _TRACING, jax.default_matmul_precision("highest"):
            lowered = jax.jit(mapped).lower(*self._shapes)
        found, there = executable(lowered, local_devices(self.layout.devices))
        self.loaded = self.loaded and there
        return found

    def _mapped(self, function: Any, mesh: jax.sharding.Mesh, at_once: int | None = None) -> Any:
        """``function`` of one run's arguments, over a chunk's, as one program; under ``vmap`` so
        many ``at_once``, where all together might not fit."""
        if at_once is None:  # snapshots are taken in full precision
            function = platform.emulated(self.program, self._platform, function)

        def over_device(*args: Any) -> Any:
            if self.layout.mapping == "vmap":
                if at_once is None:
                    return jax.vmap(function)(*args)
                return jax.lax.map(lambda a: function(*a), args, batch_size=at_once)
            # A vmapped batch of one is not the plain function: its scatters are batched ones.
            batch = self.layout.batch if self.layout.batch > 1 else None
            return jax.lax.map(lambda a: function(*a), args, batch_size=batch)

        spec = PartitionSpec(RUNS)
        return jax.shard_map(over_device, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False)

    def begin(self, runs: RunParams) -> tuple[State, Table, Record]:
        """Initial states, tables and the measurement at step 0 of a chunk of runs."""
        return self._begin(jax.device_put(runs, self._sharding))

    def segment(self, state: State, table: Table) -> tuple[State, Record]:
        """Train a chunk for ``layout.intervals`` logging intervals, or what is left of one that is
        split once no whole :meth:`piece` goes before its last. ``state`` is used up."""
        self.calls += 1
        return self._segment(state, table)

    def piece(self, state: State, table: Table) -> tuple[State, Array]:
        """Train a chunk for ``layout.piece`` steps inside an interval that is split.

        Returns:
            The state after them, and the step that it is at. ``state`` is used up.
        """
        self.calls += 1
        return self._piece(state, table)

    def compile_snapshot(self) -> None:
        """Compile :meth:`snapshot` before its first use."""
        _ = self._snapshot

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

    def memory_analysis(self) -> Any:
        """What the compiler says of the segment's memory on one device."""
        return self._segment.memory_analysis()


@lru_cache(maxsize=MOST_ENGINES)
def compiled(program: Program, layout: Layout) -> Engine:
    """The engine of a program: compiled at its first use, reused by every later chunk."""
    # JAX keeps what it compiled as well, and never lets go of it by itself. An engine that is
    # still in use holds its own. XLA frees its memory in pieces, of which glibc would keep 300 MB
    # after 100 programs.
    if next(_BUILT) % MOST_ENGINES == 0:
        with _TRACING:
            jax.clear_caches()
        give_back()
    return Engine(program, layout)


def local_devices(count: int) -> list[jax.Device]:
    """The first ``count`` devices of this process."""
    return jax.local_devices()[:count]


def _abstract(program: Program, chunk: int, sharding: NamedSharding) -> RunParams:
    """Shapes of a chunk of runs, for compiling ahead of the first call."""
    return jax.tree.map(
        lambda x: jax.ShapeDtypeStruct((chunk,), x.dtype, sharding=sharding),
        run_params_shapes(program),
    )
