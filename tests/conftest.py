"""Shared by all tests: two CPU devices, strict dtypes, and a way to write sweep files."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import jax
import pytest

from phasegrok.figures import STRICT
from phasegrok.running.keeping import VARIABLE
from phasegrok.sweep.load import Sweep, load

# As on a two-core machine, whatever this one has: layouts and so bits are the same everywhere.
jax.config.update("jax_num_cpu_devices", 2)
jax.config.update("jax_numpy_dtype_promotion", "strict")
# Compiling is most of what tests wait for, and XLA's newer way to emit a fusion is half of that.
# What users run, compiled as they compile it, is tested in test_sweep.py's own processes.
jax.config.update("jax_disable_most_optimizations", True)
CHEAP_COMPILATION = "--xla_cpu_use_fusion_emitters=false"
KNOWN = jax.__version_info__ < (0, 11)  # later ones have no other way, and end at the flag
if KNOWN and CHEAP_COMPILATION not in (flags := os.environ.get("XLA_FLAGS", "")):
    os.environ["XLA_FLAGS"] = f"{flags} {CHEAP_COMPILATION}".strip()

# Tests and the processes that they start share what is compiled, also with later starts of the
# tests. `make clean` empties it; whoever names another place, or none, gets that.
COMPILED = Path(__file__).parents[1] / ".pytest_cache" / "programs"
os.environ.setdefault(VARIABLE, str(COMPILED))
os.environ[STRICT] = "1"  # an error in a picture fails the test
TINY = """\
name: tiny
task: {kind: modular, modulus: 7}
model: {width: 12}
optimizer: {learning_rate: 0.02}
train: {steps: 40, log_every: 10}
"""

# What takes longest is begun first: the two processes of the tests should end together. (By number
# of tests, as xdist would have it, processes that start others come last.)
FIRST = ("distribute", "cli", "test_extending", "docs", "reproduction", "running", "figures")

MakeSweep = Callable[..., Sweep]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(here).parts[0].removesuffix(".py")
        return FIRST.index(name) if name in FIRST else len(FIRST)

    items.sort(key=place)


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """A script of benchmarks/ by name, as a module."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    return importlib.import_module


@pytest.fixture
def make_sweep(tmp_path: Path) -> MakeSweep:
    """A checked sweep from the tiny file, more YAML text and ``--set`` overrides."""

    def make(more: str = "", *overrides: str) -> Sweep:
        file = tmp_path / "tiny.yaml"
        file.write_text(TINY + more)
        return load(file, overrides)

    return make
