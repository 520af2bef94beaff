"""``make bench-gpu``: what it says without a GPU, and its sections, pretended on a CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.thorough import some

ROOT = Path(__file__).parents[1]
MACHINE = {"platform": "cpu", "device": "1 x cpu", "jax": "1", "phasegrok": "1", "driver": "none"}


@pytest.fixture
def bench(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("gpu")


@pytest.fixture
def sections(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("gpu_sections")


def test_without_a_gpu_it_says_so() -> None:
    """One line, exit code 2, nothing written; no pretended numbers in the place of real ones."""
    report = ROOT / "benchmarks" / "GPU.md"
    before = report.exists()
    for more, words in (((), "JAX shows cpu here; needed: a GPU"), (("--pretend",), "--output")):
        command = [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), *more]
        told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert told.returncode == 2 and words in told.stderr.splitlines()[-1]
        assert not told.stdout
    assert report.exists() == before


def test_a_second_start_measures_what_is_missing(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Sections that are done are kept, one that failed is tried again, and another machine begins
    anew. The report has a place for every section at any time."""
    asked: list[str] = []
    failing = {"steps"}

    def measure(name: str, pretend: bool, keep: Path | None = None) -> dict[str, Any]:
        asked.append(name)
        if name in failing:
            return {"failed": "exit code 1: no reason"}
        if name == "resume":
            text = (tmp_path / "GPU.md").read_text()
            assert "## Figure 3a, TF32\n\nNot measured yet." in text
        return {"lines": [f"numbers of {name}"], "seconds": 1.0}

    monkeypatch.setattr(bench, "measure", measure)
    monkeypatch.setattr(bench, "device", lambda: dict(MACHINE))
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--pretend", "--output", str(tmp_path)])
    with pytest.raises(SystemExit) as left:
        bench.main()
    assert left.value.code == 1 and len(asked) == 10
    assert "Failed: exit code 1: no reason" in capsys.readouterr().out
    failing.clear()
    asked.clear()
    bench.main()
    assert asked == ["steps"]
    assert "numbers of steps" in (tmp_path / "GPU.md").read_text()
    state = json.loads((tmp_path / bench.STATE).read_text())
    assert bench.read_state(tmp_path / bench.STATE, {**MACHINE, "driver": "2"})["sections"] == {}
    assert set(bench.read_state(tmp_path / bench.STATE, MACHINE)["sections"]) == set(
        state["sections"]
    )


@pytest.mark.parametrize(
    ("name", "words"),
    some(
        [
            ("products", "| gradient of W |"),
            ("kernel", "| relu, cross_entropy, dropout | tf32 | fused |"),
            ("dropout-float32", "4 runs in"),
            ("memory", "not told by this platform"),
            ("labels", "4 cells in"),
        ],
        {0, 2, 4},
    ),
)
def test_sections_on_a_cpu(sections: ModuleType, name: str, words: str) -> None:
    """The sections of a few seconds, in tiny sizes; ``--pretend --output DIR`` tries them all."""
    lines = sections.SECTIONS[name][1](sections.Scale.of(True))
    assert words in "\n".join(lines)
