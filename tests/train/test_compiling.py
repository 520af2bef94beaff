"""Compiled programs that are kept: the same numbers to the bit, or no entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok import machine
from phasegrok.files.store import Store
from phasegrok.plan.plan import plan
from phasegrok.train import compiling
from phasegrok.train.compiling import executable, keep_in, key_of
from phasegrok.train.engine import Engine
from tests.conftest import MakeSweep
from tests.train.test_engine import MACHINE


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    before = compiling.kept_in()
    keep_in(made := Store(tmp_path / "programs", 1 << 26))
    yield made
    keep_in(before)


def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is really compiled from now on."""
    compiled: list[str] = []
    plain = jax.stages.Lowered.compile

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        compiled.append("one")
        return plain(self, *args, **kwargs)

    monkeypatch.setattr(jax.stages.Lowered, "compile", counted)
    return compiled


KINDS = {
    "vmap": ("engine.mapping=vmap", "model.normalization=batch", "measure.spectra=true"),
    "map": ("engine.mapping=map", "model.dropout=0.1", "train.batch_size=8"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_loaded_trains_to_the_same_bits(
    kind: str, make_sweep: MakeSweep, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When they are compiled and when they are loaded: state, records and snapshots are the same
    bytes; so is what is known of memory, which chunks are sized by. Nothing is compiled then."""
    sweep = make_sweep("axes: {optimizer.weight_decay: [0, 1, 2, 3]}", *KINDS[kind])
    grid = plan(sweep, MACHINE)
    job = grid.jobs[0]
    layout = replace(job.layout, chunk=4, batch=1, devices=2)
    compiled = compilations(monkeypatch)
    given, memory = [], []
    for already in (False, True):
        compiled.clear()
        engine = Engine(job.program, layout)
        state, table, record = engine.begin(grid.run_params(job.runs))
        found: Any = (record, engine.to_host(state), table)
        for _ in range(2):
            state, records = engine.segment(state, table)
            found = (*found, jax.tree.map(np.asarray, records), engine.to_host(state))
        if kind == "vmap":
            found = (*found, engine.snapshot(state, table))
        given.append([np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(found)])
        memory.append(str(engine.memory_analysis()))
        assert bool(compiled) != already
    assert given[0] == given[1]
    assert memory[0] == memory[1]


def small(scale: float = 2.0) -> Any:
    """A lowered program of one device."""
    return jax.jit(lambda x: jnp.sin(x) * scale).lower(jax.ShapeDtypeStruct((8,), jnp.float32))


def test_a_damaged_entry_is_compiled_anew_and_mended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that are sound and no program, and bytes that are not sound: the numbers are the same,
    and the next process finds a good entry again."""
    devices, x = jax.local_devices()[:1], np.arange(8, dtype=np.float32)
    compiled = compilations(monkeypatch)
    right = np.asarray(executable(small(), devices)[0](x))
    key = key_of(small(), devices)
    assert key is not None
    good = store.get(key)
    assert good is not None
    for bad in (b"", b"no program", good[:-20], good[:40] + good):
        store.put(key, bad)
        compiled.clear()
        np.testing.assert_array_equal(executable(small(), devices)[0](x), right)
        assert compiled
        compiled.clear()
        np.testing.assert_array_equal(executable(small(), devices)[0](x), right)
        assert not compiled
    for path in store.folder.iterdir():
        path.write_bytes(path.read_bytes()[:100])
    np.testing.assert_array_equal(executable(small(), devices)[0](x), right)
    assert compiled


def test_everything_that_decides_numbers_is_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program, the processor's instructions, cores, flags, settings, devices, versions: another
    one of any is another key. Where a cache lies is not."""
    devices = jax.local_devices()
    keys = {key_of(small(), devices[:1])}
    assert keys == {key_of(small(), devices[:1])}
    keys |= {key_of(small(3.0), devices[:1]), key_of(small(), devices[1:2])}
    keys.add(key_of(small(), devices))
    for name, value in (
        ("instruction_set", lambda: "another processor"),
        ("cores", lambda: 77),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(compiling, name, value)
            keys.add(key_of(small(), devices[:1]))
    for flag in ("XLA_FLAGS", "NVIDIA_TF32_OVERRIDE", "XLA_ANYTHING"):
        with monkeypatch.context() as patch:
            patch.setenv(flag, "--xla_cpu_enable_fast_math=true")
            keys.add(key_of(small(), devices[:1]))
    with monkeypatch.context() as patch:
        patch.setattr(compiling.jaxlib.version, "__version__", "0.0.1")
        keys.add(key_of(small(), devices[:1]))
    assert len(keys) == 10
    with monkeypatch.context() as patch:
        patch.setenv("HOME", "/elsewhere")
        assert key_of(small(), devices[:1]) in keys


def test_another_processor_is_told_by_its_instructions(tmp_path: Path) -> None:
    """One flag less is another kind; the order of cores and the clock's speed are not."""
    (tmp_path / "proc").mkdir()
    info = tmp_path / "proc" / "cpuinfo"
    core = "model name\t: A\nflags\t\t: sse avx2\ncpu MHz\t\t: {}\nprocessor\t: {}\n\n"
    info.write_text(core.format(1000, 0) + core.format(1200, 1))
    one = machine.instruction_set(tmp_path)
    info.write_text(core.format(900, 1) + core.format(1300, 0))
    assert machine.instruction_set(tmp_path) == one
    info.write_text(core.format(1000, 0).replace(" avx2", ""))
    assert machine.instruction_set(tmp_path) != one
    assert machine.instruction_set(tmp_path / "nothing")
